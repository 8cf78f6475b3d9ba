import { loadBundle } from '../../packages/edge/src/engine/bundle.js';
import { OnnxModel } from '../../packages/edge/src/engine/onnx-model.js';
import type { LanguageModels } from '../../packages/edge/src/llm/index.js';
import { HttpTranscriber, TRANSCRIBE_HZ } from '../../packages/edge/src/transcribe/index.js';
import type { Voice } from '../../packages/edge/src/voice/index.js';
import { resample } from '../call/resample.js';
import { toInt16 } from '../call/wav.js';
import { Streams } from '../eval/bundle-listener.js';
import { Silero } from '../eval/silero-listener.js';
import { SAMPLES_PER_TURN } from '../eval/test-sets.js';
import type { Question } from '../fixtures/questions.js';
import { PerfectEars } from './perfect-ears.js';
import { Rehearing } from './rehearing.js';
import { CountedChat, Mouth, type CallClock, type Harness, type Heard, type Latency } from './turn-harnesses.js';
import { VirtualClock, virtualChat, virtualTranscription, virtualVoice, type ServiceSpeeds } from './virtual-call.js';

/** After the last sample of a question: an answer that begins later is none. */
export const PATIENCE_MS = 5_000;
export const ANSWER = 'Yes, that is fine. I would do it early, and take a coat.';
/** Of the bundle, in virtual time. */
const STEP_MS = 5;
/** Of the same questions by several harnesses at the same time. */
const REHEARD_AT_ONCE = 32;

export interface Outcome {
  /** From the question's last sample; negative is a false start. */
  readonly gapMs: number | undefined;
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly requests: number;
  /** Characters that the voice is given: in advance, in vain, and for the answer to its end, which is not waited for. */
  readonly chars: number;
  /** Sound that the transcriber was sent, again where it was sent again; counted in virtual time. */
  readonly transcribedS?: number;
  readonly lateMs: readonly number[];
  /** Of the answer that sounded, by the composite's account. */
  readonly latency: Latency | undefined;
}

export interface Services {
  readonly clock: CallClock;
  readonly transcriber: HttpTranscriber;
  readonly llm: Pick<LanguageModels, 'stream' | 'firstTokenMs'>;
  readonly voice: Voice;
}

/** What bundle and VAD make of each recording, as fast as they can. The bundle is at hand until it is closed. */
export async function hearAll(
  folder: string,
  asked: readonly Question[],
): Promise<{ heard: readonly Heard[]; close(): Promise<void> }> {
  const sounds = asked.map(({ pcm, endMs }) => {
    const { samples } = resample(pcm, TRANSCRIBE_HZ);
    const turns = Math.ceil(((endMs + PATIENCE_MS) * TRANSCRIBE_HZ) / 1000 / SAMPLES_PER_TURN);
    const mic = new Int16Array(turns * SAMPLES_PER_TURN);
    mic.set(toInt16(samples));
    return { mic, ref: new Int16Array(mic.length), play: new Uint8Array(turns) };
  });
  const bundle = await loadBundle(folder);
  const listener = await OnnxModel.load(bundle, { rows: sounds.length, laneSize: 1 });
  const decisions = await new Streams(listener, sounds.length).hear(sounds);
  await listener.close();
  const isTold = bundle.manifest.inputs.text?.marks?.draft !== undefined;
  const model = await OnnxModel.load(bundle, { rows: REHEARD_AT_ONCE, laneSize: 1 });
  let lease = 0;
  const silero = await Silero.load();
  const heard: Heard[] = [];
  for (const [i, { mic }] of sounds.entries()) {
    const [probabilities] = await silero.probabilities([mic]);
    const recorded = { mic, decisions: decisions[i]!, model };
    heard.push({
      mic,
      info: model.info,
      decisions: decisions[i]!,
      probabilities: probabilities!,
      ...(isTold && { rehear: () => new Rehearing({ ...recorded, lease: lease++ }) }),
    });
  }
  await silero.close();
  return { heard, close: () => model.close() };
}

/** One question in virtual time, before services that are exactly as fast as they should be. */
export async function askVirtually(
  takes: Harness,
  {
    question,
    heard: hearing,
    speeds,
    ears = new PerfectEars(question.pcm, question.words),
  }: { question: Question; heard: Heard; speeds: ServiceSpeeds; ears?: Pick<PerfectEars, 'transcribe'> },
): Promise<Outcome> {
  // How long this machine took to decide is of this machine.
  const decisions = hearing.decisions.map((decision) => ({ ...decision, stepMs: STEP_MS }));
  const clock = new VirtualClock();
  let transcribedS = 0;
  const onSound = (seconds: number) => (transcribedS += seconds);
  const fetch = virtualTranscription(clock, ears, { speeds, onSound });
  const now = () => clock.now();
  const services = {
    clock,
    transcriber: new HttpTranscriber({ baseUrl: 'http://virtual', model: 'stt', everyMs: speeds.everyMs, fetch, now }),
    llm: virtualChat(clock, { answer: ANSWER, asked: question.text, speeds }),
    voice: virtualVoice(clock, speeds),
  };
  const run = { question, heard: { ...hearing, decisions }, services };
  return { ...(await answerOf(takes, run, (isOver) => clock.run(isOver))), transcribedS };
}

/** @param until lets time go by */
export async function answerOf(
  takes: Harness,
  { question, heard, services }: { question: Question; heard: Heard; services: Services },
  until: (isOver: () => boolean) => Promise<void>,
): Promise<Outcome> {
  const { clock, transcriber, voice } = services;
  const llm = new CountedChat(services.llm);
  let soundedAtMs: number | undefined;
  let over = false;
  const mouth = new Mouth(voice, () => {
    soundedAtMs ??= clock.now();
    over = true;
  });
  let latency: Latency | undefined;
  const giveUp = takes({ heard, clock, mouth, llm, transcriber, onLatency: (one) => (latency ??= one) });
  clock.each([question.endMs + PATIENCE_MS], () => (over = true));
  await until(() => over);
  clock.stop();
  // What was asked is paid for to its end.
  await until(() => llm.idle);
  giveUp();
  mouth.stop();
  transcriber.close();
  await voice.close();
  const gapMs = soundedAtMs === undefined ? undefined : soundedAtMs - question.endMs;
  const { tokensIn, tokensOut, requests } = llm;
  const chars = mouth.chars + (soundedAtMs === undefined ? 0 : ANSWER.length - mouth.said.length);
  return { gapMs, tokensIn, tokensOut, requests, chars, lateMs: clock.lateMs, latency };
}
