import * as v from 'valibot';

const Name = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
const Count = v.pipe(v.number(), v.integer(), v.minValue(1));
export const Money = v.pipe(v.number(), v.finite(), v.minValue(0));
/** `localhost:8000` is an address of the scheme `localhost:`, so a missing one is told first. */
export const HttpUrl = v.pipe(
  v.string(),
  v.regex(/^https?:\/\//i, 'expected an address that begins with http:// or https://'),
  v.url(),
);
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
  /** Whether it is offered tools; where nothing is said, until its server refuses them. */
  tools: v.optional(v.boolean()),
  /** Tasks may have it search the web with its provider's own tool: Anthropic's, or the `web_search_options` of OpenAI's chat. */
  webSearch: v.optional(v.boolean()),
  /** For a million tokens, in whatever currency budgets are counted in. */
  price: v.optional(v.strictObject({ input: Money, output: Money })),
  maxOutputTokens: v.optional(Count, 2048),
  /** Longest wait for the first token, and between two. */
  firstTokenMs: v.optional(Count, 20_000),
  idleMs: v.optional(Count, 15_000),
};

/** How the bound of an answer is called; where nothing is said, as OpenAI's own servers or all others do. */
const TokenLimit = v.optional(v.picklist(['max_tokens', 'max_completion_tokens']));

/** One language model, as the configuration names it. */
export const LanguageModelConfig = v.variant('provider', [
  v.strictObject({ provider: v.literal('openai-compatible'), baseUrl: HttpUrl, tokenLimit: TokenLimit, ...common }),
  v.strictObject({ provider: v.literal('anthropic'), baseUrl: v.optional(HttpUrl), ...common }),
]);
export type LanguageModelConfig = v.InferOutput<typeof LanguageModelConfig>;

/** By the name that the rest of the configuration uses. */
export const LanguageModelConfigs = v.record(Name, LanguageModelConfig);
export type LanguageModelConfigs = v.InferOutput<typeof LanguageModelConfigs>;
