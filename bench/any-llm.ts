import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { askHere } from '../packages/edge/src/llm/ask-model.js';
import { LanguageModels } from '../packages/edge/src/llm/index.js';
import { silentLog } from '../packages/edge/src/telemetry/index.js';
import { OpenAiServer, SpeechServer } from '../packages/edge/src/testing/index.js';
import { HttpTranscriber } from '../packages/edge/src/transcribe/index.js';
import { httpVoice } from '../packages/edge/src/voice/http-voice.js';
import { RehearsingVoice } from '../packages/edge/src/voice/rehearsing-voice.js';
import { questions, type Question } from '../test/fixtures/questions.js';
import { ANSWER, answerOf, askVirtually, hearAll, type Outcome } from '../test/support/asking.js';
import { PerfectEars } from '../test/support/perfect-ears.js';
import { root } from '../test/support/root.js';
import {
  beyondFloorAndVoice,
  composite,
  PlayClock,
  silence,
  type Harness,
  type Heard,
} from '../test/support/turn-harnesses.js';
import type { ServiceSpeeds } from '../test/support/virtual-call.js';
import type { Benchmark, Figure, Prices } from './lib/benchmark.js';
import { gapTable, TARGET_MS } from './lib/gap-table.js';
import { gapChart, type ChartPoint } from './lib/gap-chart.js';
import { median, quantile, round, spread } from './lib/stats.js';
import { nanoBundle } from './lib/steppers.js';

/** As services on the network are: none of it is measured, all of it is the same for everybody. */
const SPEEDS: ServiceSpeeds = { transcribeMs: 100, firstTokenMs: 300, tokensPerSecond: 60, firstAudioMs: 150 };
/** As OpenAI's list had gpt-4.1-mini, whisper-1 and tts-1: docs/recipes.md says where from. */
const PRICES: Prices = { tokensIn: 0.4, tokensOut: 1.6, transcribedMinute: 0.006, chars: 15 };
const ANSWERS_PER_MINUTE = 6;
const PAUSES_MS = [500, 1_500] as const;
/** Questions that are asked at the same time, of everybody at once. */
const TOGETHER = 3;

const harnesses: readonly { readonly name: string; readonly ours: boolean; readonly takes: Harness }[] = [
  { name: 'Microturn', ours: true, takes: composite({ drafting: 'auto', eagerness: 'normal' }) },
  { name: 'Microturn, drafting', ours: true, takes: composite({ drafting: true, eagerness: 'normal' }) },
  { name: 'Microturn, no drafts', ours: true, takes: composite({ drafting: false, eagerness: 'normal' }) },
  { name: 'Microturn, patient', ours: true, takes: composite({ drafting: 'auto', eagerness: 'patient' }) },
  {
    name: 'Microturn, pauses to 2000 ms',
    ours: true,
    takes: composite({ drafting: 'auto', eagerness: 'normal', longestPauseMs: 2_000 }),
  },
  { name: 'Microturn, eager', ours: true, takes: composite({ drafting: 'auto', eagerness: 'eager' }) },
  ...[300, 500, 800].map((ms) => ({ name: `Silero ${ms} ms`, ours: false, takes: silence(ms) })),
];
const REFERENCE = 'Silero 500 ms';
const WITHOUT_DRAFTS = 'Microturn, no drafts';

interface Answered extends Outcome {
  readonly paused: boolean;
}

/**
 * What: from the user's last sample to the agent's first, against answers that begin before the user has finished; tokens.
 * How: questions by several voices, each with a pause at its comma and in one breath. Bundle and VAD hear the recordings;
 * what they decide is played in real time to the composite, or to a turn that ends with silence, before servers of
 * transcription, chat and speech that stream at set speeds. A bundle that knows the mark `draft` hears a recording again from the first
 * draft on, and is told of each as in a call. A question is over with the agent's first sound. No network, no page.
 * With `--virtual` the same in virtual time: what the rules make of it on a machine that is never late; that draws the picture.
 * Against: Silero's VAD with 500 ms of silence, the same services, same run.
 */
export const anyLlm: Benchmark = {
  name: 'any-llm',
  about: 'any LLM: response gap, false starts and tokens, against Silero’s VAD',
  async run({ quick, bundle, virtual, llmMs, prices = PRICES, note }) {
    const speeds = { ...SPEEDS, ...(llmMs !== undefined && { firstTokenMs: llmMs }) };
    const count = quick ? 2 : 20;
    const paused = await questions(count, PAUSES_MS);
    const asked = [...paused.map((one) => ({ one, paused: true })), ...(await questions(count, [0, 0])).map((one) => ({ one, paused: false }))]; // prettier-ignore
    note(`${asked.length} questions are heard by the bundle and by Silero`);
    const { heard, close } = await hearAll(
      bundle,
      asked.map(({ one }) => one),
    );
    const outcomes = harnesses.map((): Answered[] => []);
    for (let from = 0; from < asked.length; from += TOGETHER) {
      note(`question ${from + 1} of ${asked.length}`);
      await Promise.all(
        asked.slice(from, from + TOGETHER).map(async ({ one, paused }, i) => {
          const made = await (virtual ? askEachVirtually : ask)(one, heard[from + i]!, speeds);
          for (const [h, outcome] of made.entries()) outcomes[h]!.push({ ...outcome, paused });
        }),
      );
    }
    const results = harnesses.map(({ name, ours }, h) => ({ name, ours, ...summarise(outcomes[h]!) }));
    if (!quick && virtual && bundle === nanoBundle && llmMs === undefined) {
      const { transcribeMs, firstTokenMs, firstAudioMs } = speeds;
      const caption = `Transcriber ${transcribeMs} ms, LLM’s first token ${firstTokenMs} ms, voice’s first sound ${firstAudioMs} ms; pauses of 500 to 1500 ms in half`;
      // To an LLM of this speed it drafts by itself: one point for both.
      const shown = results.filter((result) => isAnswered(result) && result.name !== 'Microturn, drafting');
      const picture = gapChart(shown.map(toPoint), { calls: asked.length, caption });
      await writeFile(join(root, 'docs/images/any-llm.svg'), picture);
    }
    const reference = results.find(({ name }) => name === REFERENCE)!;
    const withoutDrafts = results.find(({ name }) => name === WITHOUT_DRAFTS)!;
    const { name, version } = heard[0]!.info;
    const inOneBreath = asked.flatMap(({ one, paused }, i) => (paused ? [] : [{ question: one, heard: heard[i]! }]));
    const table = virtual && llmMs === undefined && !quick ? await gapTable(inOneBreath, speeds, note) : [];
    await close();
    return [
      ...results.filter((result) => result !== reference).flatMap((result) => figuresOf(result, reference)),
      // What was sent to be transcribed is counted in virtual time.
      ...(virtual ? results.flatMap((result) => costsOf(result, withoutDrafts, prices)) : []),
      ...table,
    ].map((figure) => ({
      ...figure,
      conditions: { ...figure.conditions, speeds, bundle: `${name} ${version}`, virtual },
    }));
  },
};

/** One question, of every harness at the same time, before the same servers. */
async function ask(question: Question, heard: Heard, speeds: ServiceSpeeds): Promise<Outcome[]> {
  const ears = new PerfectEars(question.pcm, question.words);
  const { transcribeMs, firstTokenMs, tokensPerSecond, firstAudioMs } = speeds;
  const openAi = await OpenAiServer.start({
    chat: () => ({ text: ANSWER, delayMs: firstTokenMs, tokensPerSecond }),
    transcribe: async ({ audio }) => {
      await new Promise((resolve) => setTimeout(resolve, transcribeMs));
      return ears.transcribe(audio);
    },
  });
  const speech = await SpeechServer.start({ speak: () => ({ delayMs: firstAudioMs, speed: 4 }) });
  try {
    const outcomes = await Promise.all(
      harnesses.map(({ takes }) => {
        const services = {
          clock: new PlayClock(),
          transcriber: new HttpTranscriber({ baseUrl: openAi.url, model: 'stt' }),
          llm: languageModel(openAi.url),
          voice: new RehearsingVoice(httpVoice({ baseUrl: speech.url, model: 'tts', voice: 'alloy' })),
        };
        return answerOf(takes, { question, heard, services }, async (isOver) => {
          while (!isOver()) await new Promise((resolve) => setTimeout(resolve, 20));
        });
      }),
    );
    const problems = [...openAi.problems, ...speech.problems];
    if (problems.length > 0) throw new Error(`requests that were not in order: ${problems.join('; ')}`);
    return outcomes;
  } finally {
    await Promise.all([openAi.close(), speech.close()]);
  }
}

/** The same in virtual time, each harness by itself. */
async function askEachVirtually(question: Question, heard: Heard, speeds: ServiceSpeeds): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { takes } of harnesses) outcomes.push(await askVirtually(takes, { question, heard, speeds }));
  return outcomes;
}

function languageModel(baseUrl: string): LanguageModels {
  const limits = { maxOutputTokens: 300, firstTokenMs: 20_000, idleMs: 15_000 };
  const clock = { now: () => performance.now() };
  const after = (ms: number, fn: () => void) => {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  };
  return new LanguageModels({
    configs: { llm: { provider: 'openai-compatible', baseUrl, model: 'llm', headers: {}, takes: [], ...limits } },
    ask: askHere({ clock, after }),
    clock,
    after,
    log: silentLog,
    env: {},
  });
}

function summarise(outcomes: readonly Answered[]) {
  const early = outcomes.filter(({ gapMs }) => gapMs !== undefined && gapMs < 0);
  const good = outcomes.filter(({ gapMs }) => gapMs !== undefined && gapMs >= 0);
  return {
    calls: outcomes.length,
    falseStarts: early.length,
    inPauses: early.filter(({ paused }) => paused).length,
    unanswered: outcomes.filter(({ gapMs }) => gapMs === undefined).length,
    gaps: good.map(({ gapMs }) => gapMs!),
    tokensIn: good.map(({ tokensIn }) => tokensIn),
    tokensOut: good.map(({ tokensOut }) => tokensOut),
    chars: good.map(({ chars }) => chars),
    requests: good.map(({ requests }) => requests),
    transcribedS: good.flatMap(({ transcribedS = [] }) => transcribedS),
    beyondMs: good.flatMap(({ latency }) => (latency ? [beyondFloorAndVoice(latency, SPEEDS.firstAudioMs)] : [])),
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
  const {
    name,
    calls,
    falseStarts,
    inPauses,
    unanswered,
    gaps,
    tokensIn,
    tokensOut,
    chars,
    requests,
    transcribedS,
    beyondMs,
    timerLateMs,
  } = result;
  if (gaps.length === 0) throw new Error(`${name} answered no question after its end`);
  const timersLate = timerLateMs.length > 0 ? spread(timerLateMs) : undefined;
  return [
    {
      name: `response gap p50, ${name}`,
      value: round(median(gaps), 0),
      unit: 'ms',
      baseline: { name: REFERENCE, value: round(median(reference.gaps), 0) },
      conditions: { n: gaps.length, p90: round(quantile(gaps, 0.9), 0), max: round(Math.max(...gaps), 0), unanswered, timersLate }, // prettier-ignore
    },
    ...(beyondMs.length > 0
      ? [
          {
            name: `gap beyond floor and voice p50, ${name}`,
            value: round(median(beyondMs), 0),
            unit: 'ms' as const,
            baseline: { name: 'what was aimed at', value: TARGET_MS },
            conditions: { n: beyondMs.length, p90: round(quantile(beyondMs, 0.9), 0), within: `${beyondMs.filter((ms) => ms <= TARGET_MS).length} of ${beyondMs.length}` }, // prettier-ignore
          },
        ]
      : []),
    {
      name: `false starts, ${name}`,
      value: falseStarts,
      unit: 'count',
      baseline: { name: REFERENCE, value: reference.falseStarts },
      conditions: { n: calls, inPauses: `${inPauses} of ${calls / 2}`, inOneBreath: `${falseStarts - inPauses} of ${calls / 2}` }, // prettier-ignore
    },
    {
      name: `voice characters per answer, ${name}`,
      value: round(mean(chars), 0),
      unit: 'count',
      baseline: { name: REFERENCE, value: round(mean(reference.chars), 0) },
      conditions: { n: chars.length },
    },
    ...(transcribedS.length > 0
      ? [
          {
            name: `sound transcribed per answer, ${name}`,
            value: round(mean(transcribedS), 1),
            unit: 's' as const,
            baseline: { name: REFERENCE, value: round(mean(reference.transcribedS), 1) },
            conditions: { n: transcribedS.length },
          },
        ]
      : []),
    {
      name: `tokens per answer, ${name}`,
      value: round(mean(tokensIn) + mean(tokensOut), 0),
      unit: 'count',
      baseline: { name: REFERENCE, value: round(mean(reference.tokensIn) + mean(reference.tokensOut), 0) },
      conditions: { n: tokensIn.length, in: round(mean(tokensIn), 0), out: round(mean(tokensOut), 0), requests: round(mean(requests), 1) }, // prettier-ignore
    },
  ];
}

/** What a minute of such questions and answers costs, by stage, against the same without drafts. */
function costsOf(result: Result, withoutDrafts: Result, prices: Prices): Figure[] {
  const stages = {
    LLM: ({ tokensIn, tokensOut }: Result) =>
      (mean(tokensIn) * prices.tokensIn + mean(tokensOut) * prices.tokensOut) / 1e6,
    transcriber: ({ transcribedS }: Result) => (mean(transcribedS) / 60) * prices.transcribedMinute,
    voice: ({ chars }: Result) => (mean(chars) * prices.chars) / 1e6,
  };
  return Object.entries(stages).map(([stage, cost]) => ({
    name: `cost of a session-minute, ${stage}, ${result.name}`,
    value: round(ANSWERS_PER_MINUTE * cost(result), 5),
    unit: 'USD',
    baseline: { name: WITHOUT_DRAFTS, value: round(ANSWERS_PER_MINUTE * cost(withoutDrafts), 5) },
    conditions: { n: result.tokensIn.length, answers: ANSWERS_PER_MINUTE, prices },
  }));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
