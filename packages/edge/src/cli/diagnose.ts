import type { Command } from 'commander';
import { exitProcess } from '../engine/index.js';
import { checkLanguageModel } from './check-language-model.js';
import { checkRecipe } from './check-recipe.js';
import { toFailure, type CheckResult } from './check-result.js';
import { checks } from './checks.js';
import { configFrom, languageModelOf } from './options.js';

const MARK = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;

/** Runs every check, prints what it found, and ends the process: with 1 where one failed. */
export async function diagnose(command: Command, options: { json?: boolean; recipe?: string }): Promise<void> {
  let failed = 0;
  let done = 0;
  const print = (name: string, result: CheckResult) => {
    done++;
    if (result.status === 'fail') failed++;
    if (options.json) console.log(JSON.stringify({ check: name, ...result }));
    else {
      console.log(`${MARK[result.status]}  ${name}: ${result.detail}`);
      if (result.fix) console.log(`      fix: ${result.fix}`);
    }
  };
  const asked = languageModelOf(command);
  const config = configFrom(command, process.env);
  for (const [name, check] of checks) print(name, await settle(() => check(config)));
  const { recipe } = options;
  if (asked !== undefined) {
    print(`language model ${asked}`, await settle(() => checkLanguageModel(config, asked, process.env)));
  }
  // Only where it is asked for here: it costs tokens, and a configuration that names a recipe asks for none.
  if (recipe !== undefined) {
    try {
      for await (const [check, result] of checkRecipe(config, recipe, process.env)) print(check, result);
    } catch (cause) {
      print(`recipe ${recipe}`, toFailure(cause));
    }
  }
  if (!options.json) console.log(failed === 0 ? '\nready' : `\n${failed} of ${done} checks failed`);
  // The WebRTC client of the loopback call leaves threads behind that would keep the process.
  exitProcess(failed === 0 ? 0 : 1);
}

async function settle(check: () => Promise<CheckResult>): Promise<CheckResult> {
  try {
    return await check();
  } catch (cause) {
    return toFailure(cause);
  }
}
