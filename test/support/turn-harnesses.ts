import type { SessionEvent, SessionEventOf } from '@microturn/protocol';
import { CompositeEngine, type ChatSource } from '../../packages/edge/src/composite/index.js';
import { systemPrompt, toMessages } from '../../packages/edge/src/composite/prompt.js';
import { speakableTo } from '../../packages/edge/src/composite/speakable.js';
import type { Eagerness } from '../../packages/edge/src/composite/types.js';
import type { Decision, ModelInfo } from '../../packages/edge/src/engine/types.js';
import type { SessionEngine } from '../../packages/edge/src/session/index.js';
import { Budget, type LanguageModels } from '../../packages/edge/src/llm/index.js';
import { silentLog } from '../../packages/edge/src/telemetry/index.js';
import { TRANSCRIBE_HZ, type Transcriber, type Transcription } from '../../packages/edge/src/transcribe/index.js';
import type { Voice } from '../../packages/edge/src/voice/index.js';
import { FRAME, trackOf } from '../eval/silero-listener.js';
import type { Rehearing } from './rehearing.js';

/** One recording as everything hears it that decides whose turn it is; what they decide of it is known in advance. */
export interface Heard {
  /** 16 kHz. */
  readonly mic: Int16Array;
  readonly info: ModelInfo;
  readonly decisions: readonly Decision[];
  /** Of speech, by Silero's frames. */
  readonly probabilities: Float32Array;
  /** Decides as a call does, where a draft is told of; absent where the bundle is told of none. */
  readonly rehear?: () => Rehearing;
}

/** A call in real time: session time 0 is the recording's first sample. */
export interface Playing {
  readonly llm: CountedChat;
  readonly transcriber: Transcriber;
  readonly heard: Heard;
  readonly clock: CallClock;
  readonly mouth: Mouth;
  /** Where the time of an answer went, by whoever keeps account of it. */
  readonly onLatency: (latency: Latency) => void;
}

export type Latency = Pick<SessionEventOf<'response.latency'>, 'floorMs' | 'wordsMs' | 'llmMs' | 'voiceMs'>;

/** What of an answer's gap is neither the floor's decision nor what the voice takes to its first sound; less than nothing where that is hidden too. */
export function beyondFloorAndVoice({ wordsMs, llmMs, voiceMs }: Latency, firstAudioMs: number): number {
  return wordsMs + llmMs + voiceMs - firstAudioMs;
}

/** Takes the turns of a call until it is given up. */
export type Harness = (playing: Playing) => () => void;

const FRAME_MS = (FRAME * 1000) / TRANSCRIBE_HZ;
const MAX_OUTPUT_TOKENS = 300;
/** Sound before the first frame of speech that is transcribed with it. */
const PAD_MS = 300;

/** Session time, and what is due in it. */
export interface CallClock {
  /** How late this machine ran what was due, ms. */
  readonly lateMs: readonly number[];
  now(): number;
  /** Nothing more is due. */
  stop(): void;
  /** Runs `step` at each of the times, in order. */
  each(timesMs: readonly number[], step: (index: number) => void): void;
  /** In virtual time none goes by meanwhile. */
  working<T>(work: () => Promise<T>): Promise<T>;
}

/** In real time. */
export class PlayClock implements CallClock {
  readonly lateMs: number[] = [];
  readonly #zeroMs = performance.now();
  #stopped = false;

  now(): number {
    return performance.now() - this.#zeroMs;
  }
  stop(): void {
    this.#stopped = true;
  }
  working<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }
  each(timesMs: readonly number[], step: (index: number) => void): void {
    const next = (index: number) => {
      const dueMs = timesMs[index];
      if (dueMs === undefined || this.#stopped) return;
      setTimeout(
        () => {
          if (this.#stopped) return;
          this.lateMs.push(this.now() - dueMs);
          step(index);
          next(index + 1);
        },
        Math.max(0, dueMs - this.now()),
      );
    };
    next(0);
  }
}

/** The agent's first sound, unless it is stopped before. */
export class Mouth {
  readonly #voice: Voice;
  /** Called with the first sound, the latest of them first. */
  readonly #listeners: (() => void)[];
  #speaking: AbortController | undefined;
  /** Given to the voice, also in advance and in vain; what was given in advance is not given again. */
  chars = 0;
  /** What it was last told to say. */
  said = '';
  readonly #rehearsed = new Set<string>();

  constructor(voice: Voice, onSound: () => void) {
    this.#voice = voice;
    this.#listeners = [onSound];
  }
  get speaks(): boolean {
    return this.#speaking !== undefined;
  }
  onSound(listener: () => void): void {
    this.#listeners.unshift(listener);
  }
  say(text: string): void {
    if (text.trim() === '' || this.speaks) return;
    this.#speaking = new AbortController();
    this.said = text;
    if (!this.#rehearsed.has(text)) this.chars += text.length;
    void this.#speak(text, this.#speaking.signal);
  }
  rehearse(text: string): void {
    if (!this.#voice.rehearse || this.#rehearsed.has(text)) return;
    this.#rehearsed.add(text);
    this.chars += text.length;
    this.#voice.rehearse(text);
  }
  stop(): void {
    this.#speaking?.abort();
    this.#speaking = undefined;
  }
  async #speak(text: string, signal: AbortSignal): Promise<void> {
    try {
      for await (const _ of this.#voice.speak(text, { signal })) {
        if (!signal.aborted) for (const listener of this.#listeners) listener();
        return;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/** An LLM whose tokens are counted; where one is asked in vain, as many as it was sent and had written by then. */
export class CountedChat implements ChatSource {
  readonly #llm: Pick<LanguageModels, 'stream' | 'firstTokenMs'>;
  #open = 0;
  tokensIn = 0;
  tokensOut = 0;
  requests = 0;

  constructor(llm: Pick<LanguageModels, 'stream' | 'firstTokenMs'>) {
    this.#llm = llm;
  }
  get firstTokenMs(): number | undefined {
    return this.#llm.firstTokenMs;
  }
  get idle(): boolean {
    return this.#open === 0;
  }
  async *stream(request: Parameters<ChatSource['stream']>[0]): ReturnType<ChatSource['stream']> {
    this.#open++;
    this.requests++;
    const asked = request.messages.reduce((sum, { content }) => sum + content.length, request.system.length);
    let written = 0;
    let usage: { readonly tokensIn: number; readonly tokensOut: number } | undefined;
    try {
      for await (const part of this.#llm.stream(request)) {
        if (part.type === 'text') written += part.text.length;
        if (part.type === 'done') usage = part.usage;
        yield part;
      }
    } finally {
      this.tokensIn += usage?.tokensIn ?? Math.ceil(asked / 4);
      this.tokensOut += usage?.tokensOut ?? Math.ceil(written / 4);
      this.#open--;
    }
  }
}

/** Microturn: the composite of the edge, behind what the bundle decided of this recording, when it decided it. */
export function composite(options: {
  readonly drafting: boolean | 'auto';
  readonly eagerness: Eagerness;
  readonly everyMs?: number;
  readonly longestPauseMs?: number;
}): Harness {
  const { eagerness, longestPauseMs, everyMs = 2_000 } = options;
  const drafting = { enabled: options.drafting, everyMs, perUtterance: 12, tokensPerMinute: 20_000 };
  return ({ heard, clock, mouth, llm, transcriber, onLatency }) => {
    const { info, decisions, mic } = heard;
    const floor: SessionEngine = {
      info,
      assertRoom: () => undefined,
      lease(onDecision) {
        const dueMs = decisions.map(({ index, stepMs }) => (index + 1) * info.microTurnMs + stepMs);
        const live = heard.rehear?.();
        clock.each(dueMs, (index) => {
          if (live) void clock.working(async () => onDecision(await live.decide(index)));
          else onDecision(decisions[index]!);
        });
        return {
          id: 1,
          engine: 0,
          zeroMs: 0,
          perceive: (perceived) => perceived.type === 'mark' && live?.tell(perceived.mark),
          release: () => {
            clock.stop();
            live?.close();
          },
        };
      },
    };
    const engine = new CompositeEngine(floor, {
      llm,
      transcriber,
      clip: async (fromMs, toMs) => ({ pcm: clipOf(mic, fromMs, toMs), rateHz: TRANSCRIBE_HZ, toMs }),
      turnTaking: { eagerness, longestPauseMs, drafting },
      maxOutputTokens: MAX_OUTPUT_TOKENS,
      log: silentLog,
    });
    let answers = 0;
    const say = (text: string) => {
      const begins = !mouth.speaks;
      mouth.say(text);
      if (begins && mouth.speaks) row.observe?.(started(`answer-${++answers}`));
    };
    const row = engine.lease(
      ({ acts, say: text }) => {
        if (acts.includes('stop')) mouth.stop();
        say(text);
      },
      (error) => {
        throw error;
      },
      () => undefined,
      {
        nowMs: () => clock.now(),
        more: say,
        rehearse: (text) => mouth.rehearse(text),
        emit: (event) => event.type === 'response.latency' && onLatency(event),
      },
    );
    mouth.onSound(() => row.speechStarted?.(`answer-${answers}`, clock.now()));
    return () => row.release();
  };
}

/** As a session says it. */
function started(responseId: string): SessionEvent {
  return { type: 'response.started', responseId, kind: 'reply', audience: 'room', seq: 1, at: 0, turn: 0 };
}

/** What most voice agents do: after so much silence by Silero's VAD transcribe, ask, speak; speech before that calls it off. */
export function silence(silenceMs: number): Harness {
  return ({ heard, clock, mouth, llm, transcriber }) => {
    const { probabilities, mic } = heard;
    const { yields } = trackOf(probabilities, new Uint8Array(0), silenceMs / 1000);
    const overAt = new Set(yields.map((seconds) => Math.round((seconds * 1000) / FRAME_MS)));
    const ends = Array.from(probabilities, (_, frame) => (frame + 1) * FRAME_MS);
    const onset = probabilities.findIndex((probability) => probability >= 0.5);
    const fromMs = Math.max(0, onset * FRAME_MS - PAD_MS);
    let answering: AbortController | undefined;
    const begin = (toMs: number) => {
      answering = new AbortController();
      void answer({ fromMs, toMs, signal: answering.signal });
    };
    const answer = async (turn: { fromMs: number; toMs: number; signal: AbortSignal }) => {
      const { signal, toMs } = turn;
      const words = await transcribe(transcriber, clipOf(mic, turn.fromMs, toMs), turn);
      if (signal.aborted || words.length === 0) return;
      const messages = toMessages(
        { draftId: '', turns: [], words: words.join(' '), partial: false, typed: [], pictures: [] },
        { sees: false, calls: false },
      );
      const request = {
        purpose: 'reply',
        system: systemPrompt(undefined),
        messages,
        maxOutputTokens: MAX_OUTPUT_TOKENS,
      };
      let text = '';
      try {
        for await (const part of llm.stream({ ...request, budget: new Budget(), signal })) {
          if (signal.aborted) return;
          if (part.type === 'text') text += part.text;
          mouth.say(text.slice(0, speakableTo(text, 0, part.type === 'done')));
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    };
    clock.each(ends, (frame) => {
      const over = overAt.has(frame + 1);
      if (over && !answering) begin(ends[frame]!);
      if (over || !answering) return;
      answering.abort();
      answering = undefined;
      mouth.stop();
    });
    return () => {
      clock.stop();
      answering?.abort();
    };
  };
}

function transcribe(
  transcriber: Transcriber,
  pcm: Int16Array,
  { fromMs, toMs, signal }: { fromMs: number; toMs: number; signal: AbortSignal },
): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const listener = {
      onTranscript: ({ words }: { readonly words: readonly string[] }) => {
        transcription.close();
        resolve(words);
      },
      onFailed: reject,
    };
    const transcription: Transcription = transcriber.start(fromMs, listener);
    signal.addEventListener('abort', () => {
      transcription.close();
      resolve([]);
    });
    transcription.push(pcm, toMs);
    transcription.settle();
  });
}

function clipOf(mic: Int16Array, fromMs: number, toMs: number): Int16Array {
  return mic.slice((fromMs * TRANSCRIBE_HZ) / 1000, (toMs * TRANSCRIBE_HZ) / 1000);
}
