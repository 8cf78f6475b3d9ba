import { MicroturnError } from '@microturn/protocol';
import * as v from 'valibot';
import { builtInRecipes } from './built-in.js';
import { RecipeConfig } from './recipe-config.js';

/** Calls that ask for this one talk with the bundle alone. */
export const BUNDLE_ALONE = 'nano';

export interface Recipes {
  readonly byName: ReadonlyMap<string, RecipeConfig>;
  /** What a call gets that asks for none; undefined is the bundle alone. */
  readonly first: string | undefined;
}

/**
 * The recipes of a configuration, with what the built-in one of the same name says where they say nothing.
 * @throws {MicroturnError} `edge/config`, naming the field
 */
export function resolveRecipes({
  recipes,
  recipe,
}: {
  readonly recipes: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly recipe?: string | undefined;
}): Recipes {
  const asked = recipe === undefined || recipe === BUNDLE_ALONE ? [] : [recipe];
  const names = [...new Set([...Object.keys(recipes), ...asked])];
  const byName = new Map(names.map((name) => [name, parseRecipe(name, recipes[name])]));
  return { byName, first: recipe === BUNDLE_ALONE ? undefined : (recipe ?? names[0]) };
}

function parseRecipe(name: string, input: Readonly<Record<string, unknown>> | undefined): RecipeConfig {
  if (name === BUNDLE_ALONE) throw new MicroturnError('edge/config', `recipes.${name}: that is the bundle alone`);
  const builtIn = Object.hasOwn(builtInRecipes, name) ? builtInRecipes[name]!.recipe : undefined;
  if (!builtIn && !input) {
    const known = Object.keys(builtInRecipes).join(', ');
    throw new MicroturnError('edge/config', `recipe: there is no ${name}; there are ${known}, ${BUNDLE_ALONE}`);
  }
  const parsed = v.safeParse(RecipeConfig, merge(builtIn ?? {}, input ?? {}));
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new MicroturnError('edge/config', `recipes.${name}.${v.getDotPath(issue) ?? ''}: ${issue.message}`);
}

/** Of a section of an LLM that names none. */
const DEFAULT_PROVIDER = 'openai-compatible';

/** Field by field within a section, unless the section is of another provider. */
function merge(base: Readonly<Record<string, object>>, over: Readonly<Record<string, unknown>>): object {
  const merged: Record<string, unknown> = { ...base, ...over };
  for (const [key, section] of Object.entries(base)) {
    const mine = over[key];
    if (typeof mine !== 'object' || mine === null) continue;
    const { provider = DEFAULT_PROVIDER } = section as { provider?: unknown };
    const other = 'provider' in mine && mine.provider !== provider;
    merged[key] = other ? mine : { ...section, ...mine };
  }
  return merged;
}
