import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadBundle } from '../packages/edge/src/engine/bundle.js';
import { OnnxModel } from '../packages/edge/src/engine/onnx-model.js';
import { LanguageModels } from '../packages/edge/src/llm/index.js';
import { silentLog } from '../packages/edge/src/telemetry/index.js';
import { OpenAiServer, SpeechServer } from '../packages/edge/src/testing/index.js';
import { HttpTranscriber, TRANSCRIBE_HZ } from '../packages/edge/src/transcribe/index.js';
import { httpVoice } from '../packages/edge/src/voice/http-voice.js';
import { resample } from '../test/call/resample.js';
import { toInt16 } from '../test/call/wav.js';
import { Streams } from '../test/eval/bundle-listener.js';
import { Silero } from '../test/eval/silero-listener.js';
import { SAMPLES_PER_TURN } from '../test/eval/test-sets.js';
import { questions, type Question } from '../test/fixtures/questions.js';
import { PerfectEars } from '../test/support/perfect-ears.js';
import { root } from '../test/support/root.js';
import type { Benchmark, Figure } from './lib/benchmark.js';
import { gapChart, type ChartPoint } from './lib/gap-chart.js';
import { median, quantile, round, spread } from './lib/stats.js';
import { nanoBundle } from './lib/steppers.js';
import { composite, CountedChat, Mouth, PlayClock, silence, type Harness, type Heard } from './lib/turn-harnesses.js';

/** As services on the network are: none of it is measured, all of it is the same for everybody. */
const SPEEDS = { transcribeMs: 100, firstTokenMs: 300, tokensPerSecond: 60, firstAudioMs: 150 };
const ANSWER = 'Yes, that is fine. I would do it early, and take a coat.';
const PAUSES_MS = [500, 1_500] as const;
/** After the last sample of a question: an answer that begins later is none. */
const PATIENCE_MS = 5_000;
/** Questions that are asked at the same time, of everybody at once. */
const TOGETHER = 3;

const harnesses: readonly { readonly name: string; readonly ours: boolean; readonly takes: Harness }[] = [
  { name: 'Microturn, drafting', ours: true, takes: composite({ drafting: true, eagerness: 'normal' }) },
  { name: 'Microturn, no drafts', ours: true, takes: composite({ drafting: false, eagerness: 'normal' }) },
  { name: 'Microturn, patient', ours: true, takes: composite({ drafting: true, eagerness: 'patient' }) },
  ...[300, 500, 800].map((ms) => ({ name: `Silero ${ms} ms`, ours: false, takes: silence(ms) })),
];
const REFERENCE = 'Silero 500 ms';

interface Outcome {
  readonly paused: boolean;
  /** From the question's last sample; negative is a false start. */
  readonly gapMs: number | undefined;
  readonly tokens: number;
  readonly requests: number;
  readonly lateMs: readonly number[];
}

/**
 * What: from the user's last sample to the agent's first, against answers that begin before the user has finished; tokens.
 * How: questions by several voices, each with a pause at its comma and in one breath. Bundle and VAD hear the recordings;
 * what they decide is played in real time to the composite, or to a turn that ends with silence, before servers of
 * transcription, chat and speech that stream at set speeds. A question is over with the agent's first sound. No network,
 * no page.
 * Against: Silero's VAD with 500 ms of silence, the same services, same run.
 */
export const anyLlm: Benchmark = {
  name: 'any-llm',
  about: 'any LLM: response gap, false starts and tokens, against Silero’s VAD',
  async run({ quick, bundle, note }) {
    const count = quick ? 2 : 20;
    const paused = await questions(count, PAUSES_MS);
    const asked = [...paused.map((one) => ({ one, paused: true })), ...(await questions(count, [0, 0])).map((one) => ({ one, paused: false }))]; // prettier-ignore
    note(`${asked.length} questions are heard by the bundle and by Silero`);
    const heard = await hearAll(
      bundle,
      asked.map(({ one }) => one),
    );
    const outcomes = harnesses.map((): Outcome[] => []);
    for (let from = 0; from < asked.length; from += TOGETHER) {
      note(`question ${from + 1} of ${asked.length}`);
      await Promise.all(
        asked.slice(from, from + TOGETHER).map(async ({ one, paused }, i) => {
          const made = await ask(one, heard[from + i]!);
          for (const [h, outcome] of made.entries()) outcomes[h]!.push({ ...outcome, paused });
        }),
      );
    }
    const results = harnesses.map(({ name, ours }, h) => ({ name, ours, ...summarise(outcomes[h]!) }));
    if (!quick && bundle === nanoBundle) {
      const { transcribeMs, firstTokenMs, firstAudioMs } = SPEEDS;
      const caption = `Transcriber ${transcribeMs} ms, LLM’s first token ${firstTokenMs} ms, voice’s first sound ${firstAudioMs} ms; pauses of 500 to 1500 ms in half`;
      const picture = gapChart(results.filter(isAnswered).map(toPoint), { calls: asked.length, caption });
      await writeFile(join(root, 'docs/images/any-llm.svg'), picture);
    }
    const reference = results.find(({ name }) => name === REFERENCE)!;
    const { name, version } = heard[0]!.info;
    return results
      .filter((result) => result !== reference)
      .flatMap((result) => figuresOf(result, reference))
      .map((figure) => ({ ...figure, conditions: { ...figure.conditions, bundle: `${name} ${version}` } }));
  },
};

/** What bundle and VAD make of each recording, as fast as they can. */
async function hearAll(bundle: string, asked: readonly Question[]): Promise<Heard[]> {
  const sounds = asked.map(({ pcm, endMs }) => {
    const { samples } = resample(pcm, TRANSCRIBE_HZ);
    const turns = Math.ceil(((endMs + PATIENCE_MS) * TRANSCRIBE_HZ) / 1000 / SAMPLES_PER_TURN);
    const mic = new Int16Array(turns * SAMPLES_PER_TURN);
    mic.set(toInt16(samples));
    return { mic, ref: new Int16Array(mic.length), play: new Uint8Array(turns) };
  });
  const model = await OnnxModel.load(await loadBundle(bundle), { rows: sounds.length, laneSize: 1 });
  const decisions = await new Streams(model, sounds.length).hear(sounds);
  await model.close();
  const silero = await Silero.load();
  const heard: Heard[] = [];
  for (const [i, { mic }] of sounds.entries()) {
    const [probabilities] = await silero.probabilities([mic]);
    heard.push({ mic, info: model.info, decisions: decisions[i]!, probabilities: probabilities! });
  }
  await silero.close();
  return heard;
}

/** One question, of every harness at the same time, before the same servers. */
async function ask(question: Question, heard: Heard): Promise<Omit<Outcome, 'paused'>[]> {
  const ears = new PerfectEars(question.pcm, question.words);
  const { transcribeMs, firstTokenMs, tokensPerSecond, firstAudioMs } = SPEEDS;
  const openAi = await OpenAiServer.start({
    chat: () => ({ text: ANSWER, delayMs: firstTokenMs, tokensPerSecond }),
    transcribe: async ({ audio }) => {
      await new Promise((resolve) => setTimeout(resolve, transcribeMs));
      return ears.transcribe(audio);
    },
  });
  const speech = await SpeechServer.start({ speak: () => ({ delayMs: firstAudioMs, speed: 4 }) });
  try {
    const urls = { openAi: openAi.url, speech: speech.url };
    const outcomes = await Promise.all(harnesses.map(({ takes }) => answerOf(takes, { question, heard, urls })));
    const problems = [...openAi.problems, ...speech.problems];
    if (problems.length > 0) throw new Error(`requests that were not in order: ${problems.join('; ')}`);
    return outcomes;
  } finally {
    await Promise.all([openAi.close(), speech.close()]);
  }
}

async function answerOf(
  takes: Harness,
  { question, heard, urls }: { question: Question; heard: Heard; urls: { openAi: string; speech: string } },
): Promise<Omit<Outcome, 'paused'>> {
  const transcriber = new HttpTranscriber({ baseUrl: urls.openAi, model: 'stt' });
  const voice = httpVoice({ baseUrl: urls.speech, model: 'tts', voice: 'alloy' });
  const llm = new CountedChat(languageModel(urls.openAi));
  const clock = new PlayClock();
  let sounded: (atMs: number | undefined) => void = () => undefined;
  const first = new Promise<number | undefined>((resolve) => (sounded = resolve));
  const mouth = new Mouth(voice, () => sounded(clock.now()));
  const giveUp = takes({ heard, clock, mouth, llm, transcriber });
  clock.each([question.endMs + PATIENCE_MS], () => sounded(undefined));
  const soundedAtMs = await first;
  clock.stop();
  // What was asked is paid for to its end.
  while (!llm.idle) await new Promise((resolve) => setTimeout(resolve, 20));
  giveUp();
  mouth.stop();
  transcriber.close();
  await voice.close();
  const gapMs = soundedAtMs === undefined ? undefined : soundedAtMs - question.endMs;
  return { gapMs, tokens: llm.tokens, requests: llm.requests, lateMs: clock.lateMs };
}

function languageModel(baseUrl: string): LanguageModels {
  const limits = { maxOutputTokens: 300, firstTokenMs: 20_000, idleMs: 15_000 };
  return new LanguageModels({
    configs: { llm: { provider: 'openai-compatible', baseUrl, model: 'llm', headers: {}, takes: [], ...limits } },
    clock: { now: () => performance.now() },
    after: (ms, fn) => {
      const timer = setTimeout(fn, ms);
      return () => clearTimeout(timer);
    },
    log: silentLog,
    env: {},
  });
}

function summarise(outcomes: readonly Outcome[]) {
  const early = outcomes.filter(({ gapMs }) => gapMs !== undefined && gapMs < 0);
  const good = outcomes.filter(({ gapMs }) => gapMs !== undefined && gapMs >= 0);
  return {
    calls: outcomes.length,
    falseStarts: early.length,
    inPauses: early.filter(({ paused }) => paused).length,
    unanswered: outcomes.filter(({ gapMs }) => gapMs === undefined).length,
    gaps: good.map(({ gapMs }) => gapMs!),
    tokens: good.map(({ tokens }) => tokens),
    requests: good.map(({ requests }) => requests),
    timerLateMs: outcomes.flatMap(({ lateMs }) => lateMs),
  };
}

type Result = { readonly name: string; readonly ours: boolean } & ReturnType<typeof summarise>;

function isAnswered(result: Result): boolean {
  return result.gaps.length > 0;
}

function toPoint({ name, ours, falseStarts, gaps }: Result): ChartPoint {
  return { name, ours, falseStarts, gapMs: median(gaps), gapP90Ms: quantile(gaps, 0.9) };
}

function figuresOf(result: Result, reference: Result): Figure[] {
  const { name, calls, falseStarts, inPauses, unanswered, gaps, tokens, requests, timerLateMs } = result;
  if (gaps.length === 0) throw new Error(`${name} answered no question after its end`);
  const timersLate = spread(timerLateMs);
  return [
    {
      name: `response gap p50, ${name}`,
      value: round(median(gaps), 0),
      unit: 'ms',
      baseline: { name: REFERENCE, value: round(median(reference.gaps), 0) },
      conditions: { n: gaps.length, p90: round(quantile(gaps, 0.9), 0), max: round(Math.max(...gaps), 0), unanswered, speeds: SPEEDS, timersLate }, // prettier-ignore
    },
    {
      name: `false starts, ${name}`,
      value: falseStarts,
      unit: 'count',
      baseline: { name: REFERENCE, value: reference.falseStarts },
      conditions: { n: calls, inPauses: `${inPauses} of ${calls / 2}`, inOneBreath: `${falseStarts - inPauses} of ${calls / 2}` }, // prettier-ignore
    },
    {
      name: `tokens per answer, ${name}`,
      value: round(mean(tokens), 0),
      unit: 'count',
      baseline: { name: REFERENCE, value: round(mean(reference.tokens), 0) },
      conditions: { n: tokens.length, requests: round(mean(requests), 1) },
    },
  ];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
