import * as v from 'valibot';

const Name = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
const Count = v.pipe(v.number(), v.integer(), v.minValue(1));
export const Money = v.pipe(v.number(), v.finite(), v.minValue(0));
const Url = v.pipe(v.string(), v.url());
/** What a model takes besides text. */
export const modelInputs = ['audio', 'image'] as const;
export type ModelInput = (typeof modelInputs)[number];

const common = {
  /** As the provider calls it. */
  model: Name,
  /** Name of the environment variable that holds the key: keys stay out of files. */
  apiKeyEnv: v.optional(Name),
  headers: v.optional(v.record(Name, v.string()), {}),
  takes: v.optional(v.array(v.picklist(modelInputs)), []),
  /** Tasks may have it search the web with its provider's own tool: Anthropic's, or the `web_search_options` of OpenAI's chat. */
  webSearch: v.optional(v.boolean()),
  /** For a million tokens, in whatever currency budgets are counted in. */
  price: v.optional(v.strictObject({ input: Money, output: Money })),
  maxOutputTokens: v.optional(Count, 2048),
  /** Longest wait for the first token, and between two. */
  firstTokenMs: v.optional(Count, 20_000),
  idleMs: v.optional(Count, 15_000),
};

/** One language model, as the configuration names it. */
export const LanguageModelConfig = v.variant('provider', [
  v.strictObject({ provider: v.literal('openai-compatible'), baseUrl: Url, ...common }),
  v.strictObject({ provider: v.literal('anthropic'), baseUrl: v.optional(Url), ...common }),
]);
export type LanguageModelConfig = v.InferOutput<typeof LanguageModelConfig>;

/** By the name that the rest of the configuration uses. */
export const LanguageModelConfigs = v.record(Name, LanguageModelConfig);
export type LanguageModelConfigs = v.InferOutput<typeof LanguageModelConfigs>;
