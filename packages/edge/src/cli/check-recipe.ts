import { MicroturnError } from '@microturn/protocol';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemPrompt } from '../composite/index.js';
import type { EdgeConfig } from '../config.js';
import { EngineHost, loadBundle, modelInfo, type EngineHostOptions } from '../engine/index.js';
import { Resampler } from '../pcm/resampler.js';
import {
  BUNDLE_ALONE,
  openTranscriber,
  resolveRecipes,
  toVoiceSpec,
  type Environment,
  type RecipeConfig,
} from '../recipes/index.js';
import { silentLog } from '../telemetry/index.js';
import { TRANSCRIBE_HZ, type Transcriber, type Transcript } from '../transcribe/index.js';
import { openVoice } from '../voice/index.js';
import { askOneWord } from './check-language-model.js';
import { toFailure, type CheckResult } from './check-result.js';
import { timeFloor } from './time-floor.js';

const QUESTION = 'What time is the next train to London?';
/** Whoever says it to the bundle: some ends it takes for pauses, and of some voices more. */
const VOICES = ['slt', 'rms', 'awb'] as const;
/** As a caller's sound arrives. */
const PIECE_MS = 200;
/** Of 16-bit samples: what is not louder is no sound of a voice any more. */
const AUDIBLE = 300;

/** What one stage of a recipe says of itself; without `ms` it adds nothing to a budget that could be trusted. */
interface Measured {
  readonly result: CheckResult;
  readonly ms: number | undefined;
}

type Stage = 'floor' | 'words' | 'LLM' | 'voice';

/**
 * Asks every stage of a recipe once, as a call would, and adds up how long each lets the user wait. It costs a few
 * tokens, a few seconds of transcription and one sentence of speech.
 * @throws {MicroturnError} `edge/config` where there is no such recipe
 */
export async function* checkRecipe(
  config: EdgeConfig,
  name: string,
  env: Environment,
  startEngine: (options: EngineHostOptions) => Promise<EngineHost> = EngineHost.start,
): AsyncGenerator<readonly [check: string, result: CheckResult], void, void> {
  if (name === BUNDLE_ALONE) {
    yield [`recipe ${name}`, { status: 'ok', detail: 'the bundle alone: it has no other stages' }];
    return;
  }
  const recipe = resolveRecipes({ recipes: config.recipes, recipe: name }).byName.get(name)!;
  const microTurnMs = await microTurnOf(config);
  const stages: readonly (readonly [stage: Stage, measure: () => Measured | Promise<Measured>])[] = [
    ['floor', () => floor(recipe, config.engine, startEngine)],
    ['words', () => words(name, recipe, microTurnMs, env)],
    ['LLM', () => languageModel(name, recipe, env)],
    ['voice', () => voice(name, recipe, env)],
  ];
  const budget: (readonly [stage: Stage, ms: number])[] = [];
  for (const [stage, measure] of stages) {
    const { result, ms } = await settle(measure);
    if (ms !== undefined) budget.push([stage, Math.round(ms)]);
    yield [`${name}, ${stage}`, result];
  }
  if (budget.length < stages.length) return;
  const sum = budget.reduce((total, [, ms]) => total + ms, 0);
  const terms = budget.map(([stage, ms]) => `${stage} ${ms}`).join(' + ');
  const detail = `${terms} = ${sum} ms from the last word to the first sound; a draft that fits hides the LLM’s part`;
  yield [`${name}, latency budget`, { status: 'ok', detail }];
}

async function settle(measure: () => Measured | Promise<Measured>): Promise<Measured> {
  try {
    return await measure();
  } catch (cause) {
    return { result: toFailure(cause), ms: undefined };
  }
}

async function microTurnOf({ engine }: EdgeConfig): Promise<number> {
  return modelInfo((await loadBundle(engine.bundle)).manifest).microTurnMs;
}

/** The bundle hears the sentence, and the silence after it, faster than anybody says it: what counts is its own clock. */
async function floor(
  { eagerness }: RecipeConfig,
  { bundle: bundleDir, provider }: EdgeConfig['engine'],
  startEngine: (options: EngineHostOptions) => Promise<EngineHost>,
): Promise<Measured> {
  const engine = await startEngine({ bundleDir, rows: 1, provider, log: silentLog });
  try {
    const times: number[] = [];
    for (const name of VOICES) {
      const ms = await timeFloor(engine, await sayQuestion(name), eagerness === 'patient' ? 2 : 1);
      if (ms !== undefined) times.push(Math.round(ms));
    }
    const { name, version } = engine.info;
    const ms = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
    if (ms === undefined) {
      const detail = `${name} ${version} took the end of a sentence for a pause, of ${VOICES.length} voices, and did not yield`;
      const fix =
        'a bundle misses some ends, as its model card says: `longestPauseMs` bounds how long a user waits then';
      return { result: { status: 'warn', detail, fix }, ms };
    }
    const did = eagerness === 'patient' ? 'yielded twice in a row' : 'yielded';
    const missed = times.length < VOICES.length ? '; it takes the others for pauses' : '';
    const detail = `${name} ${version} ${did} ${ms} ms after the end of the sound (${times.join(', ')}: ${times.length} of ${VOICES.length} voices${missed})`;
    return { result: { status: 'ok', detail }, ms };
  } finally {
    await engine.close();
  }
}

/** A sentence, as fast as somebody would say it: what counts is the time after its end. */
async function words(
  name: string,
  { transcriber: config }: RecipeConfig,
  microTurnMs: number,
  env: Environment,
): Promise<Measured> {
  const transcriber = openTranscriber(name, config, env);
  if (!transcriber) {
    const detail = `the bundle’s own, one micro-turn late: ${microTurnMs} ms`;
    return { result: { status: 'ok', detail }, ms: microTurnMs };
  }
  try {
    const { text, ms } = await transcribe(transcriber, await sayQuestion());
    const said = `“${text.slice(0, 60)}” from ${transcriber.name}, ${Math.round(ms)} ms after the end of the sound`;
    if (text !== '') return { result: { status: 'ok', detail: said }, ms };
    const fix = 'check that the model transcribes, and its language: the sound was clear English speech';
    return { result: { status: 'warn', detail: `it heard nothing: ${said}`, fix }, ms: undefined };
  } finally {
    transcriber.close();
  }
}

function transcribe(transcriber: Transcriber, pcm: Int16Array): Promise<{ text: string; ms: number }> {
  return new Promise((resolve, reject) => {
    const lengthMs = (pcm.length * 1000) / TRANSCRIBE_HZ;
    let settledAtMs: number | undefined;
    const onTranscript = ({ words: heard, coveredMs }: Transcript) => {
      if (settledAtMs === undefined || coveredMs < lengthMs) return;
      resolve({ text: heard.join(' '), ms: performance.now() - settledAtMs });
    };
    const transcription = transcriber.start(0, { onTranscript, onFailed: reject });
    const push = async () => {
      const piece = (PIECE_MS * TRANSCRIBE_HZ) / 1000;
      for (let from = 0; from < pcm.length; from += piece) {
        await sleep(PIECE_MS);
        const samples = pcm.subarray(from, from + piece);
        transcription.push(samples, ((from + samples.length) * 1000) / TRANSCRIBE_HZ);
      }
      settledAtMs = performance.now();
      transcription.settle();
    };
    push().catch(reject);
  });
}

/** Said by Flite: 16-bit samples at `TRANSCRIBE_HZ`, to the last that can be heard. */
async function sayQuestion(name?: (typeof VOICES)[number]): Promise<Int16Array> {
  const flite = await openVoice({ provider: 'flite', name });
  const pcm: number[] = [];
  try {
    for await (const clause of flite.speak(QUESTION)) {
      for (const sample of new Resampler(clause.rateHz, TRANSCRIBE_HZ).push(clause.pcm)) pcm.push(sample * 0x7fff);
    }
  } finally {
    await flite.close();
  }
  return Int16Array.from(pcm.slice(0, pcm.findLastIndex((sample) => Math.abs(sample) > AUDIBLE) + 1));
}

async function languageModel(name: string, { llm, instructions }: RecipeConfig, env: Environment): Promise<Measured> {
  const { result, firstTokenMs } = await askOneWord(name, llm, env, systemPrompt(instructions));
  return { result, ms: firstTokenMs };
}

async function voice(name: string, { voice: config }: RecipeConfig, env: Environment): Promise<Measured> {
  const opened = await openVoice(toVoiceSpec(name, config, env));
  let problem: MicroturnError | undefined;
  const onProblem = (error: MicroturnError) => (problem ??= error);
  const abort = new AbortController();
  try {
    const beganMs = performance.now();
    for await (const { pcm } of opened.speak(QUESTION, { onProblem, signal: abort.signal })) {
      // Flite would stand in for it in a call, and would here.
      if (problem) throw problem;
      if (pcm.length === 0) continue;
      const ms = performance.now() - beganMs;
      return { result: { status: 'ok', detail: `${opened.name}, first sound after ${Math.round(ms)} ms` }, ms };
    }
    throw problem ?? new MicroturnError('voice/failed', 'no sound came');
  } finally {
    abort.abort();
    await opened.close();
  }
}
