import * as v from 'valibot';
import { MicroturnError } from './errors.js';
import { jsonDepth } from './json.js';
import { limits } from './limits.js';

/** RFC 6901; `/-` at the end is the place after the last entry of an array. */
const Pointer = v.pipe(
  v.string(),
  v.maxLength(limits.pointerChars),
  v.regex(/^(\/([^~/]|~[01])*)*$/, 'expected a JSON pointer, as /rows/0'),
);

const Operation = v.union([
  v.object({ op: v.picklist(['add', 'replace']), path: Pointer, value: v.unknown() }),
  v.object({ op: v.literal('remove'), path: Pointer }),
]);
export type PatchOperation = v.InferOutput<typeof Operation>;

/** Operations of RFC 6902 that are all applied, in order, or none of them. */
export const Patch = v.pipe(
  v.array(Operation),
  v.minLength(1),
  v.maxLength(limits.patchOperations),
  v.check(
    (patch) => JSON.stringify(patch).length <= limits.patchChars,
    `expected at most ${limits.patchChars} characters as JSON`,
  ),
);
export type Patch = v.InferOutput<typeof Patch>;

/** What a page shows: JSON documents by their ids, in the order in which they began. */
export type Surfaces = ReadonlyMap<string, unknown>;

/**
 * The surfaces after a patch of one of them, which begins as `{}`, and is gone where the whole of it is removed. Both ends
 * of a session apply the same patches in the same order, and so agree on what is shown.
 * @throws {MicroturnError} `ui/patch` where it does not fit what is there, or the surfaces would outgrow their limits
 */
export function patchSurfaces(
  surfaces: Surfaces,
  { surfaceId, patch }: { readonly surfaceId: string; readonly patch: readonly PatchOperation[] },
): Surfaces {
  const refuse = (why: string): never => {
    throw new MicroturnError('ui/patch', `${surfaceId}: ${why}`);
  };
  let document = surfaces.has(surfaceId) ? surfaces.get(surfaceId) : {};
  for (const operation of patch) {
    const { op, path } = operation;
    const [, ...keys] = path.split('/').map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    document = patched(document, keys, operation, () => refuse(`no place '${path}' to ${op}`));
  }
  const next = new Map(surfaces);
  if (document === undefined) next.delete(surfaceId);
  else next.set(surfaceId, document);
  const text = JSON.stringify(document ?? null);
  if (text.length > limits.surfaceChars) refuse(`more than ${limits.surfaceChars} characters`);
  if (jsonDepth(text) > limits.surfaceDepth) refuse(`more than ${limits.surfaceDepth} levels of nesting`);
  if (next.size > limits.surfaces) refuse(`more than ${limits.surfaces} surfaces`);
  return next;
}

/** What is at `keys` below `value` after the operation, in copies of what holds it; undefined is nothing, before and after. */
function patched(
  value: unknown,
  [key, ...below]: readonly string[],
  operation: PatchOperation,
  refuse: () => never,
): unknown {
  if (key === undefined) {
    if (value === undefined && operation.op !== 'add') refuse();
    return operation.op === 'remove' ? undefined : operation.value;
  }
  if (Array.isArray(value)) {
    const index = key === '-' ? value.length : /^(0|[1-9]\d*)$/.test(key) ? Number(key) : NaN;
    if (!(index <= value.length)) refuse();
    const inserts = operation.op === 'add' && below.length === 0;
    const entry = patched(inserts ? undefined : (value[index] as unknown), below, operation, refuse);
    return value.toSpliced(index, inserts ? 0 : 1, ...(entry === undefined ? [] : [entry]));
  }
  if (typeof value !== 'object' || value === null) return refuse();
  const child: unknown = Object.hasOwn(value, key) ? value[key as keyof typeof value] : undefined;
  const next: Record<string, unknown> = { ...value, [key]: patched(child, below, operation, refuse) };
  if (next[key] === undefined) delete next[key];
  return next;
}
