import { limits } from '@microturn/protocol';
import type { Tool, ToolContext } from '../toolbox.js';

/** Lets a model draw what is better seen than said, while it goes on. */
export const showSurface: Tool = {
  name: 'show_surface',
  description:
    'Shows something on the user’s screen, or changes it, while you go on: a table, a list, a plan, figures. A surface is a JSON document under a name of yours, such as "flights", and begins as {}. The patch is JSON Patch: add, replace and remove at JSON pointers; add at "" draws it anew, add at "/rows/-" appends to an array, remove at "" takes it away. An array of flat objects is seen as a table, an array of strings as a list, an object as its fields, "title" as the heading. Say in a few words what is shown, and do not read it out.',
  parameters: {
    type: 'object',
    properties: {
      surfaceId: { type: 'string', minLength: 1, maxLength: 128 },
      patch: {
        type: 'array',
        minItems: 1,
        maxItems: limits.patchOperations,
        items: {
          type: 'object',
          properties: {
            op: { enum: ['add', 'replace', 'remove'] },
            path: { type: 'string', maxLength: limits.pointerChars },
            value: { description: 'any JSON; not for remove' },
          },
          required: ['op', 'path'],
        },
      },
    },
    required: ['surfaceId', 'patch'],
    additionalProperties: false,
  },
  run: ({ surfaceId, patch }: { surfaceId: string; patch: unknown }, context: ToolContext) => {
    context.patch(surfaceId, patch);
    return 'shown';
  },
};
