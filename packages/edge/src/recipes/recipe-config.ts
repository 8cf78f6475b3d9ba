import * as v from 'valibot';
import { eagernesses } from '../composite/index.js';
import { FilePath } from '../file-path.js';
import { HttpUrl, LanguageModelConfig, Money } from '../llm/model-config.js';
import { ctcKinds } from '../sherpa/index.js';
import { fliteVoices } from '../voice/index.js';

const Name = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
const Count = v.pipe(v.number(), v.integer(), v.minValue(1));
const Threads = v.pipe(Count, v.maxValue(16));
/** Spoken; nothing is where it is empty. */
const Phrase = v.pipe(v.string(), v.maxLength(200));
const Ms = v.pipe(v.number(), v.finite(), v.minValue(0));
/** A socket's own address does as well. */
const SocketUrl = v.pipe(
  v.string(),
  v.regex(/^(http|ws)s?:\/\//i, 'expected an address that begins with http://, https://, ws:// or wss://'),
  v.url(),
);
/** A service of OpenAI's format. The key is in the environment variable that is named: keys stay out of files. */
const service = { baseUrl: HttpUrl, apiKeyEnv: v.optional(Name), model: Name };

const TranscriberConfig = v.variant('provider', [
  /** The floor bundle's own words. */
  v.strictObject({ provider: v.literal('bundle') }),
  /** `/audio/transcriptions`, on growing clips. */
  v.strictObject({
    provider: v.literal('openai-compatible'),
    ...service,
    language: v.optional(Name),
    everyMs: v.optional(Count),
    timeoutMs: v.optional(Count),
  }),
  /** `/realtime`, over a WebSocket. */
  v.strictObject({
    provider: v.literal('realtime'),
    dialect: v.optional(v.picklist(['openai', 'vllm']), 'openai'),
    ...service,
    baseUrl: SocketUrl,
    language: v.optional(Name),
    timeoutMs: v.optional(Count),
  }),
  /** A streaming model on this machine. */
  v.strictObject({
    provider: v.literal('sherpa-onnx'),
    model: FilePath,
    ctc: v.optional(v.picklist(ctcKinds)),
    threads: v.optional(Threads),
    timeoutMs: v.optional(Count),
  }),
]);
export type TranscriberConfig = v.InferOutput<typeof TranscriberConfig>;

const VoiceConfig = v.variant('provider', [
  v.strictObject({ provider: v.literal('flite'), name: v.optional(v.picklist(fliteVoices)) }),
  v.strictObject({ provider: v.literal('tones') }),
  v.strictObject({
    provider: v.literal('espeak-ng'),
    voice: v.optional(Name),
    wordsPerMinute: v.optional(v.pipe(v.number(), v.minValue(80), v.maxValue(450))),
  }),
  /** A model on this machine. */
  v.strictObject({
    provider: v.literal('sherpa-onnx'),
    model: FilePath,
    speaker: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
    speed: v.optional(v.pipe(v.number(), v.minValue(0.5), v.maxValue(2))),
    threads: v.optional(Threads),
    firstAudioMs: v.optional(Count),
  }),
  /** `/audio/speech`, streamed. */
  v.strictObject({
    provider: v.literal('openai-compatible'),
    ...service,
    voice: Name,
    format: v.optional(v.picklist(['pcm', 'wav'])),
    rateHz: v.optional(Count),
    firstAudioMs: v.optional(Count),
    stallMs: v.optional(Count),
  }),
]);
export type VoiceConfig = v.InferOutput<typeof VoiceConfig>;

const Recipe = v.strictObject({
  llm: v.pipe(
    v.record(v.string(), v.unknown()),
    v.transform((llm) => ({ provider: 'openai-compatible', ...llm })),
    LanguageModelConfig,
  ),
  transcriber: v.optional(TranscriberConfig, { provider: 'bundle' }),
  voice: v.optional(VoiceConfig, { provider: 'flite' }),
  /** What the LLM is told to be. */
  instructions: v.optional(v.pipe(v.string(), v.maxLength(16_384))),
  /** How soon it speaks: the bundle decides, and the app how much of that it waits for. */
  eagerness: v.optional(v.picklist(eagernesses), 'normal'),
  /** A pause that the bundle holds for longer than this is an end, too: 3 s, and without limit where `patient`. */
  longestPauseMs: v.optional(Ms),
  drafting: v.optional(
    v.strictObject({
      enabled: v.optional(v.union([v.boolean(), v.literal('auto')]), 'auto'),
      everyMs: v.optional(Ms, 2000),
      perUtterance: v.optional(Count, 12),
      tokensPerMinute: v.optional(Count, 20_000),
      costPerMinute: v.optional(Money),
    }),
    {},
  ),
  /**
   * What the user is told while the LLM keeps them waiting, and when it is waited for no longer: sooner than by the LLM's own
   * limits, or it would be asked again for an answer that is given up at once.
   */
  patience: v.optional(
    v.strictObject({
      wordMs: v.optional(Ms, 2500),
      word: v.optional(Phrase, 'One moment.'),
      firstMs: v.optional(Count, 15_000),
      stallMs: v.optional(Count, 6000),
      sorry: v.optional(Phrase, 'Sorry, I could not get an answer.'),
    }),
    {},
  ),
  maxOutputTokens: v.optional(Count, 300),
});

/** An LLM with ears and a voice, behind the floor of the bundle. */
export const RecipeConfig = v.pipe(
  Recipe,
  v.forward(
    v.check(
      ({ llm, drafting }) => drafting.costPerMinute === undefined || llm.price !== undefined,
      'without `llm.price` nothing is known to cost anything, and this would bound nothing',
    ),
    ['drafting', 'costPerMinute'],
  ),
);
export type RecipeConfig = v.InferOutput<typeof RecipeConfig>;
/** What of a recipe is given in the configuration: a built-in one of that name has the rest. */
export const RecipeInput = v.record(v.string(), v.unknown());
