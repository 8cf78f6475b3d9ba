import * as v from 'valibot';
import { FilePath } from '../file-path.js';
import { HttpUrl } from '../llm/model-config.js';

const Name = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
const Count = v.pipe(v.number(), v.integer(), v.minValue(1));
const Approval = v.optional(v.boolean(), true);

const McpServer = v.union([
  v.strictObject({
    command: v.pipe(v.string(), v.minLength(1)),
    args: v.optional(v.array(v.string()), []),
    /** Names of environment variables that it is given; it sees no others. */
    env: v.optional(v.array(Name), []),
    /** Whether each call is approved by the participant first, unless the server says that it only reads. */
    approval: Approval,
  }),
  v.strictObject({ url: HttpUrl, headers: v.optional(v.record(Name, v.string()), {}), approval: Approval }),
]);
export type McpServerConfig = v.InferOutput<typeof McpServer>;

/** Slow work off the path. */
export const BackgroundConfig = v.strictObject({
  /** Names from `llm.models`, in order of preference; all of them where none are given. Without any, only the embedded tools answer. */
  models: v.optional(v.array(Name)),
  /** Told to the model besides what it is for. */
  instructions: v.optional(v.pipe(v.string(), v.maxLength(16_384))),
  /** For one session: tasks at once, tasks that wait, and how long one may take. */
  concurrent: v.optional(v.pipe(Count, v.maxValue(64)), 4),
  queued: v.optional(v.pipe(Count, v.maxValue(256)), 16),
  timeoutSeconds: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(3600)), 120),
  /** What one session may spend. */
  budget: v.optional(
    v.strictObject({
      tokens: v.optional(Count),
      tasks: v.optional(Count),
      cost: v.optional(v.pipe(v.number(), v.minValue(0))),
    }),
    {},
  ),
  /** A folder of Markdown and text files to look things up in. */
  documents: v.optional(FilePath),
  /** Whether models may show things on the page: `show_surface`. */
  surfaces: v.optional(v.boolean(), false),
  /** Hosts whose pages may be read. */
  fetch: v.optional(v.strictObject({ allow: v.pipe(v.array(Name), v.minLength(1)) })),
  /** A SearXNG instance to search the web with. */
  searxng: v.optional(HttpUrl),
  mcp: v.optional(v.record(v.pipe(v.string(), v.regex(/^\w{1,32}$/)), McpServer), {}),
  /** Makes words of spoken questions: any OpenAI-compatible `/audio/transcriptions`. */
  transcriber: v.optional(
    v.strictObject({ baseUrl: HttpUrl, model: Name, apiKeyEnv: v.optional(Name), language: v.optional(Name) }),
  ),
  /** When what was said is worked on: by the act of the model, or every utterance that the model does not answer itself. */
  delegate: v.optional(v.picklist(['act', 'utterance'])),
});
export type BackgroundConfig = v.InferOutput<typeof BackgroundConfig>;
