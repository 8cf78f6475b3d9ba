import * as v from 'valibot';
import { limits } from './limits.js';
import { built, Id, Index } from './schema.js';

/** How a piece of background work stands. From `woven` on nothing changes any more. */
export const taskStatuses = [
  'queued',
  'running',
  'streaming',
  'asking',
  'done',
  'woven',
  'failed',
  'cancelled',
  'stale',
] as const;
export type TaskStatus = (typeof taskStatuses)[number];

/** Who wanted it: the interaction model (spoken), the participant (typed), the app, or an answer of a recipe’s LLM: a tool of it. */
export const taskOrigins = ['model', 'text', 'app', 'answer'] as const;
export type TaskOrigin = (typeof taskOrigins)[number];

/** What was made of something that was typed: a question of its own, or something about a task under way. */
export const askOutcomes = ['question', 'answer', 'amend', 'cancel', 'subject'] as const;
export const AskResult = v.object({
  taken: v.optional(v.picklist(askOutcomes), 'question'),
  /** The task that it became, or is about; absent where that is none, or all of them. */
  taskId: v.optional(Id),
});
export type AskResult = v.InferOutput<typeof AskResult>;

export const TaskText = /* @__PURE__ */ built(() => v.pipe(v.string(), v.minLength(1), v.maxLength(limits.textChars)));

/** What every event of a task begins with. */
export const taskEntries = {
  taskId: Id,
  /** Rises when the task is amended: what an earlier one found is void. */
  revision: v.pipe(Index, v.minValue(1)),
  /** What it is about, in a few words. */
  title: v.string(),
};

/** A function in the page, as the page offers it. */
export const PageTool = /* @__PURE__ */ built(() =>
  v.object({
    name: v.pipe(v.string(), v.regex(/^[A-Za-z_][\w-]{0,63}$/, 'a name of letters, digits, _ and -, at most 64')),
    description: v.pipe(v.string(), v.minLength(1), v.maxLength(1024)),
    /** JSON Schema of the arguments, an object. */
    parameters: v.looseObject({ type: v.literal('object') }),
    /** It changes something: the participant is asked each time. */
    approval: v.optional(v.boolean(), false),
  }),
);
export type PageTool = v.InferOutput<typeof PageTool>;
