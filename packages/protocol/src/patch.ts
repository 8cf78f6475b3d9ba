import * as v from 'valibot';
import { limits } from './limits.js';

/** RFC 6901; `/-` at the end is the place after the last entry of an array. */
const Pointer = v.pipe(
  v.string(),
  v.maxLength(limits.pointerChars),
  v.regex(/^(\/([^~/]|~[01])*)*$/, 'expected a JSON pointer, as /rows/0'),
);

const Operation = v.variant('op', [
  v.object({ op: v.picklist(['add', 'replace']), path: Pointer, value: v.unknown() }),
  v.object({ op: v.literal('remove'), path: Pointer }),
]);

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
export type PatchOperation = Patch[number];
