import { PageTool, limits } from '@microturn/protocol';
import * as v from 'valibot';

/** A message that offers tools of a page: with the ones that can be read, and what is wrong with the others. */
export interface OfferedTools {
  readonly message: { readonly type: 'tools.register'; readonly id: unknown; readonly tools: readonly unknown[] };
  readonly refused: readonly string[];
}

/** Of a tool, in its message: three levels are around it. */
const TOOL_DEPTH = limits.messageDepth - 2;
const REASON_CHARS = 120;
const TOO_MANY = `at most ${limits.pageTools} at once`;

/**
 * Looks at each tool that a page offers by itself: one that cannot be read, or is too many, takes none of the others with it.
 * @param text of one message, within the limit of its bytes
 * @returns undefined where it offers none, or is no JSON
 */
export function readOfferedTools(text: string): OfferedTools | undefined {
  if (!text.includes('"tools.register"')) return undefined;
  const raw = parse(text) as { type?: unknown; id?: unknown; tools?: unknown } | null | undefined;
  if (raw?.type !== 'tools.register' || !Array.isArray(raw.tools)) return undefined;
  const tools: unknown[] = [];
  const refused: string[] = [];
  for (const [index, tool] of (raw.tools as unknown[]).entries()) {
    const problem = problemOf(tool) ?? (tools.length < limits.pageTools ? undefined : TOO_MANY);
    if (problem === undefined) tools.push(tool);
    else refused.push(`${nameOf(tool) ?? `tools.${index}`}: ${problem.slice(0, REASON_CHARS)}`);
  }
  return { message: { type: raw.type, id: raw.id, tools }, refused };
}

/** However deep: V8 parses without recursion, and so is it looked at below. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function problemOf(tool: unknown): string | undefined {
  const read = v.safeParse(PageTool, tool);
  if (!read.success) {
    const [issue] = read.issues;
    const path = v.getDotPath(issue);
    return path ? `${path}: ${issue.message}` : issue.message;
  }
  const depth = depthOf(tool);
  return depth > TOOL_DEPTH ? `parameters: ${depth - 1} levels of nesting, at most ${TOOL_DEPTH - 1}` : undefined;
}

function nameOf(tool: unknown): string | undefined {
  const read = v.safeParse(v.object({ name: PageTool.entries.name }), tool);
  return read.success ? read.output.name : undefined;
}

/** Levels of objects and lists, one within the other. */
function depthOf(value: unknown): number {
  let depth = 0;
  for (let level = nested([value]); level.length > 0; level = nested(level.flatMap((one) => Object.values(one))))
    depth++;
  return depth;
}

function nested(values: readonly unknown[]): object[] {
  return values.filter((one): one is object => typeof one === 'object' && one !== null);
}
