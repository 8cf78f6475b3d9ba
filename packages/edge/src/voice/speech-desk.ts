import { MicroturnError } from '@microturn/protocol';
import type { Clock } from '../clock.js';
import type { SpeechMessage, VoiceKey } from '../media/types.js';
import { amplify, plainly, type Manner } from './manner.js';
import type { VoiceReport, VoiceRequest } from './messages.js';
import { NothingToSay } from './nothing-to-say.js';
import type { SpeechClause, Voice } from './types.js';

/**
 * How far ahead of being heard a response is made. It bounds what waits on the media thread, and what is made in vain when
 * somebody interrupts.
 */
const AHEAD_MS = 20_000;
/** Audiences that voices outside this thread speak to at the same time; one more waits. */
const CONCURRENT = 64;

export interface SpeechDeskParts {
  readonly voice: Voice;
  /** Others, by the name that jobs use. */
  readonly speakers?: ReadonlyMap<string, Voice>;
  readonly clock: Clock;
  /** Takes the sound: `pcm` may be transferred. */
  readonly post: (speech: SpeechMessage) => void;
  readonly report: (report: VoiceReport) => void;
  readonly aheadMs?: number;
}

interface Job {
  readonly id: number;
  readonly text: string;
  readonly askedAtMs: number;
  last: boolean;
  readonly speaker: Voice;
  readonly caller: string | undefined;
  readonly manner: Manner;
  clauses: AsyncIterator<SpeechClause> | undefined;
}

interface OpenResponse {
  readonly id: string;
  readonly voice: VoiceKey;
  readonly jobs: Job[];
  readonly cancelled: AbortController;
  lengthMs: number;
  /** How much of it was made here. */
  madeMs: number;
  /** The pause after the newest clause, due only if another clause follows. */
  owedPauseMs: number;
}

/**
 * Makes speech for many responses, a clause at a time. What one audience hears comes in the order in which it was asked for, each response
 * to its end. Between audiences, the one whose sound runs out first is served first: so an answer of one word waits for one clause at most,
 * however long a text somebody else is hearing. Between two clauses the thread takes messages, which is when a cancel takes effect.
 *
 * A pause between clauses is made when the second one is: it costs no time at the end of a response, and none where real time has
 * passed since the first one was heard.
 */
export class SpeechDesk {
  readonly #parts: SpeechDeskParts;
  readonly #aheadMs: number;
  /** In the order in which they came. */
  readonly #responses = new Map<string, OpenResponse>();
  /** When the sound made for an audience so far runs out, if it was heard from when it was made. */
  readonly #heardUntilMs = new Map<VoiceKey, number>();
  readonly #warm: string[] = [];
  /** Audiences for whom a voice that waits for others is making something. Bound: `CONCURRENT`. */
  readonly #waiting = new Set<VoiceKey>();
  #working = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: SpeechDeskParts) {
    this.#parts = parts;
    this.#aheadMs = parts.aheadMs ?? AHEAD_MS;
  }

  /** Says `texts` to nobody while there is nothing else to do, so that the voice knows them. */
  warmUp(texts: readonly string[]): void {
    this.#warm.push(...texts);
    this.#wake();
  }

  speak(request: Omit<VoiceRequest & { type: 'speak' }, 'type'>): void {
    const { job, voice, responseId, text, last, offsetMs, speaker, caller, manner = plainly } = request;
    const now = this.#parts.clock.now();
    let response = this.#responses.get(responseId);
    if (!response) {
      response = {
        id: responseId,
        voice,
        jobs: [],
        cancelled: new AbortController(),
        lengthMs: offsetMs,
        madeMs: 0,
        owedPauseMs: 0,
      };
      this.#responses.set(responseId, response);
    }
    response.jobs.push({
      id: job,
      text,
      askedAtMs: now,
      last,
      speaker: this.#speaker(speaker),
      caller,
      manner,
      clauses: undefined,
    });
    this.#wake();
  }

  /** What may be said soon, for a voice that makes it elsewhere: nobody here waits for it. */
  rehearse({ text, speaker, caller }: Omit<VoiceRequest & { type: 'rehearse' }, 'type'>): void {
    this.#speaker(speaker).rehearse?.(text, caller);
  }

  /** Ends a response after what is queued for it. */
  end(voice: VoiceKey, responseId: string): void {
    const response = this.#responses.get(responseId);
    const newest = response?.jobs.at(-1);
    if (newest) newest.last = true;
    else this.#finish(voice, responseId);
  }

  /** Drops a response and what is queued for it. A clause in the making is dropped when it is made. */
  cancel(responseId: string): void {
    const response = this.#responses.get(responseId);
    if (!response) return;
    response.cancelled.abort();
    // Nobody asks its voice for more: it is left here, as a loop leaves it.
    for (const { clauses } of response.jobs) clauses?.return?.().catch(() => {});
    this.#responses.delete(responseId);
    // What was made of it is flushed, too; what was made of others is not.
    const heardUntilMs = this.#heardUntilMs.get(response.voice);
    if (heardUntilMs !== undefined) this.#heardUntilMs.set(response.voice, heardUntilMs - response.madeMs);
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const id of this.#responses.keys()) this.cancel(id);
  }

  #wake(): void {
    clearTimeout(this.#timer);
    if (!this.#working) void this.#work();
  }

  async #work(): Promise<void> {
    this.#working = true;
    while (!this.#closed) {
      // Messages first: what they bring may be more urgent, or cancel what is next.
      await new Promise(setImmediate);
      const response = this.#mostUrgent();
      if (response) {
        const waitMs = this.#heardUntil(response.voice) - this.#aheadMs - this.#parts.clock.now();
        if (waitMs > 0) {
          this.#timer = setTimeout(() => this.#wake(), waitMs);
          break;
        }
        const job = response.jobs[0]!;
        if (job.speaker.concurrent && this.#waiting.size < CONCURRENT) this.#stepAside(response, job);
        else await this.#step(response, job);
      } else if (!(await this.#warmUp())) break;
    }
    this.#working = false;
  }

  /** A step of a voice that leaves this thread alone: others are served meanwhile. */
  #stepAside(response: OpenResponse, job: Job): void {
    this.#waiting.add(response.voice);
    void this.#step(response, job).then(() => {
      this.#waiting.delete(response.voice);
      if (!this.#closed) this.#wake();
    });
  }

  #mostUrgent(): OpenResponse | undefined {
    let urgent: OpenResponse | undefined;
    let urgentDueMs = Infinity;
    const served = new Set<VoiceKey>();
    for (const response of this.#responses.values()) {
      if (response.jobs.length === 0 || served.has(response.voice)) continue;
      served.add(response.voice);
      if (this.#waiting.has(response.voice)) continue;
      const dueMs = Math.max(this.#heardUntil(response.voice), response.jobs[0]!.askedAtMs);
      if (dueMs < urgentDueMs) [urgent, urgentDueMs] = [response, dueMs];
    }
    return urgent;
  }

  #speaker(name = ''): Voice {
    return this.#parts.speakers?.get(name) ?? this.#parts.voice;
  }

  #heardUntil(voice: VoiceKey): number {
    return this.#heardUntilMs.get(voice) ?? 0;
  }

  /** One clause of a job, or its end. */
  async #step(response: OpenResponse, job: Job): Promise<void> {
    const { signal } = response.cancelled;
    try {
      const onProblem = (error: MicroturnError) =>
        this.#parts.report({ type: 'problem', job: job.id, error: error.toWire() });
      const options = { signal, onProblem, rate: job.manner.rate, caller: job.caller };
      job.clauses ??= job.speaker.speak(job.text, options)[Symbol.asyncIterator]();
      const next = await job.clauses.next();
      if (signal.aborted) return;
      if (!next.done) {
        if (job.manner.gainDb !== 0) amplify(next.value.pcm, 10 ** (job.manner.gainDb / 20));
        this.#deliver(response, job, next.value);
        return;
      }
      this.#parts.report({ type: 'done', job: job.id, lengthMs: response.lengthMs });
    } catch (error) {
      if (signal.aborted) return;
      const failure = MicroturnError.from(error, 'voice/failed').toWire();
      if (error instanceof NothingToSay && (response.lengthMs > 0 || !job.last)) {
        // Among others it is passed over, as the same words are within one that has more.
        this.#parts.report({ type: 'problem', job: job.id, error: failure });
        this.#parts.report({ type: 'done', job: job.id, lengthMs: response.lengthMs });
      } else this.#parts.report({ type: 'refused', job: job.id, error: failure });
    }
    response.jobs.shift();
    if (job.last) this.#finish(response.voice, response.id);
  }

  #deliver(response: OpenResponse, job: Job, clause: SpeechClause): void {
    const now = this.#parts.clock.now();
    const heardUntilMs = this.#heardUntil(response.voice);
    const quietMs = Math.max(0, now - heardUntilMs);
    const pauseMs = Math.round(Math.max(0, response.owedPauseMs - quietMs));
    const { rateHz, text } = clause;
    const pcm = withPauseBefore(clause.pcm, (pauseMs * rateHz) / 1_000);
    const lengthMs = (pcm.length * 1_000) / rateHz;
    const offsetMs = response.lengthMs;
    const shiftMs = offsetMs + pauseMs;
    const words = clause.words.map((word) => ({
      text: word.text,
      startMs: word.startMs + shiftMs,
      endMs: word.endMs + shiftMs,
    }));
    response.lengthMs += lengthMs;
    response.madeMs += lengthMs;
    this.#heardUntilMs.set(response.voice, Math.max(now, heardUntilMs) + lengthMs);
    response.owedPauseMs = clause.pauseMs;
    // Sound first: main may take its time.
    this.#parts.post({ type: 'speech', voice: response.voice, responseId: response.id, pcm, rateHz, last: false });
    this.#parts.report({ type: 'clause', job: job.id, clause: { text, words, lengthMs, offsetMs } });
  }

  #finish(voice: VoiceKey, responseId: string): void {
    this.#responses.delete(responseId);
    this.#forgetSilent();
    // The rate of no samples is any rate that the other side takes.
    this.#parts.post({ type: 'speech', voice, responseId, pcm: new Float32Array(0), rateHz: 16_000, last: true });
  }

  /** An audience that has heard everything needs no memory of when. */
  #forgetSilent(): void {
    const now = this.#parts.clock.now();
    for (const [voice, untilMs] of this.#heardUntilMs) if (untilMs <= now) this.#heardUntilMs.delete(voice);
  }

  /** Makes the next text to be known in advance; false where there is none. */
  async #warmUp(): Promise<boolean> {
    const text = this.#warm.shift();
    if (text === undefined) return false;
    try {
      for await (const _ of this.#parts.voice.speak(text));
    } catch {
      // A text that cannot be said now is refused when somebody asks for it.
    }
    return true;
  }
}

function withPauseBefore(pcm: Float32Array, samples: number): Float32Array {
  if (samples === 0) return pcm;
  const padded = new Float32Array(samples + pcm.length);
  padded.set(pcm, samples);
  return padded;
}
