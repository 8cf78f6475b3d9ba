import { OPUS_LOOKAHEAD_MS } from './opus.js';
import type { SentRun } from './playout-map.js';
import type { Heard, HeardReport } from './types.js';

/** From the edge to a listener's ear and back, before any report: a browser's jitter buffer and its output. */
const START_DELAY_MS = 60;
const MAX_DELAY_MS = 1500;
/** How far a new report moves the estimate. */
const DELAY_GAIN = 0.2;
/** Speech shorter than this in a micro-turn does not make the agent audible in it. */
const AUDIBLE_MS = 10;
/** How much of the packet that is named at a mute has been handed out: half of it at least, measured 10.5 ms. */
const MUTE_AHEAD_MS = 10;

/** What a listener needs to know of the voice it hears. Times are monotonic ms at which sound was due. */
export interface HeardVoice {
  readonly played: {
    readonly runs: readonly SentRun[];
    lengthAt(responseId: string, atMs: number): number | undefined;
  };
  readonly sent: { read(fromMs: number, into: Float32Array, rateHz: number): void };
  readonly sentUntilMs: number;
  dueMsOf(rtpTicks: number): number;
}

/**
 * One listener of one voice: how much of each response they have heard, and what they hear at a given time.
 *
 * A report names the packet that is being played by its first sample. Measured in Chromium, a packet is named from 4 to
 * 19 ms before its sound comes out, for 20 ms: so on average its first sample is what is heard, and nothing is added.
 * What is subtracted is the output's latency, and the encoder's look-ahead, by which decoded sound lags.
 *
 * A mute is another matter. It acts before the output, and what is in the output is still heard, so no latency is
 * subtracted; and by then the browser has handed out 10 to 20 ms of the packet that it names (it takes 10 ms at a time).
 */
export class Listener {
  readonly #voice: HeardVoice;
  readonly #heardMs = new Map<string, number>();
  /** Where on the voice's timeline a response ended for this listener: as they said, and as it was cut here. */
  readonly #mutedAtMs = new Map<string, number>();
  readonly #cutAtMs = new Map<string, number>();
  #delayMs = START_DELAY_MS;
  #lastTicks: number | undefined;
  #lastTicksSinceMs = 0;
  /** How far on the voice's timeline reports have come: runs that end before have been counted in full. */
  #advancedMs = -Infinity;
  #oldestRunMs: number | undefined;

  constructor(voice: HeardVoice) {
    this.#voice = voice;
  }

  /** From the moment sound is due at the edge to the moment this listener's report of it arrives: their ear, and the way back. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /**
   * Takes a report; returns each response of which more is known to be heard than before, and last the one that the
   * listener is at, or was at when it fell silent.
   */
  report({ rtpTimestamp, outputLatencyMs, state }: Omit<HeardReport, 'audience'>, nowMs: number): Heard[] {
    const dueMs = this.#voice.dueMsOf(rtpTimestamp);
    // Nobody hears what was not sent: a report from nowhere changes nothing.
    if (dueMs >= this.#voice.sentUntilMs && state === 'playing') return [];
    const moved = rtpTimestamp !== this.#lastTicks;
    if (moved) {
      this.#lastTicks = rtpTimestamp;
      this.#lastTicksSinceMs = nowMs;
    }
    // The last packet stays named when its sound has long passed.
    const passedMs = dueMs + 20 >= this.#voice.sentUntilMs ? nowMs - this.#lastTicksSinceMs : 0;
    const aheadMs = state === 'muted' ? MUTE_AHEAD_MS : -outputLatencyMs;
    const atMs = Math.min(dueMs, this.#voice.sentUntilMs) + passedMs + aheadMs;
    if (moved && state === 'playing') {
      const delayMs = Math.min(MAX_DELAY_MS, Math.max(0, nowMs - atMs));
      this.#delayMs += (delayMs - this.#delayMs) * DELAY_GAIN;
    }
    const heard = this.#advance(atMs - OPUS_LOOKAHEAD_MS);
    if (state === 'muted') this.#mute(atMs);
    return heard;
  }

  /** The edge cut a response: this listener's device is told at the same time, and falls silent. */
  cut(responseId: string, nowMs: number): void {
    this.#cutAtMs.set(responseId, nowMs - this.#delayMs);
    this.#forget();
  }

  /**
   * 1 where the agent is audible to this listener between two times of their microphone.
   * @param placementDelayMs how much later than it was spoken the microphone's sound stands on the same clock
   */
  play(fromMs: number, toMs: number, placementDelayMs: number): 0 | 1 {
    const delayMs = this.#delayMs + placementDelayMs;
    let audibleMs = 0;
    for (const { startMs, endMs } of this.#heardBetween(fromMs - delayMs, toMs - delayMs)) audibleMs += endMs - startMs;
    return audibleMs >= AUDIBLE_MS ? 1 : 0;
  }

  /**
   * The far end as this listener's microphone may hear it, from `fromMs` on, with `placementDelayMs` as in `play`.
   * @returns [samples]; undefined where nothing played
   */
  ref(fromMs: number, samples: number, rateHz: number, placementDelayMs: number): Float32Array | undefined {
    const startMs = fromMs - this.#delayMs - placementDelayMs;
    let ref: Float32Array | undefined;
    for (const heard of this.#heardBetween(startMs, startMs + (samples * 1000) / rateHz)) {
      ref ??= new Float32Array(samples);
      const first = Math.ceil(((heard.startMs - startMs) * rateHz) / 1000);
      const part = ref.subarray(first, Math.ceil(((heard.endMs - startMs) * rateHz) / 1000));
      this.#voice.sent.read(startMs + (first * 1000) / rateHz, part, rateHz);
    }
    return ref;
  }

  /** What of the voice's timeline between two times this listener hears: not what was muted, or cut. */
  *#heardBetween(startMs: number, endMs: number): Iterable<{ readonly startMs: number; readonly endMs: number }> {
    for (const run of this.#voice.played.runs) {
      const silentMs = this.#mutedAtMs.get(run.responseId) ?? this.#cutAtMs.get(run.responseId) ?? Infinity;
      const from = Math.max(run.startMs, startMs);
      const to = Math.min(run.endMs, endMs, silentMs);
      if (from < to) yield { startMs: from, endMs: to };
    }
  }

  #advance(atMs: number): Heard[] {
    const touched = new Set<string>();
    let current: string | undefined;
    for (const { responseId, startMs, endMs } of this.#voice.played.runs) {
      if (startMs > atMs) break;
      current = responseId;
      if (endMs <= this.#advancedMs) continue;
      const known = this.#heardMs.get(responseId) ?? 0;
      const heardMs = this.#mutedAtMs.has(responseId) ? known : (this.#voice.played.lengthAt(responseId, atMs) ?? 0);
      if (heardMs <= known) continue;
      this.#heardMs.set(responseId, heardMs);
      touched.add(responseId);
    }
    // A device may be ahead of what was sent, and what is sent next is still to be counted.
    this.#advancedMs = Math.max(this.#advancedMs, Math.min(atMs, this.#voice.sentUntilMs));
    const oldestRunMs = this.#voice.played.runs[0]?.startMs;
    if (oldestRunMs !== this.#oldestRunMs) this.#forget();
    this.#oldestRunMs = oldestRunMs;
    if (current !== undefined) {
      touched.delete(current);
      touched.add(current);
    }
    return [...touched].map((responseId) => ({ responseId, heardMs: this.#heardMs.get(responseId) ?? 0 }));
  }

  /** Nothing that has begun is heard any further; the next response is. */
  #mute(atMs: number): void {
    for (const run of this.#voice.played.runs) {
      if (!this.#mutedAtMs.has(run.responseId)) this.#mutedAtMs.set(run.responseId, atMs);
    }
  }

  /** Drops what is remembered of responses that the voice has forgotten. */
  #forget(): void {
    const known = new Set(this.#voice.played.runs.map((run) => run.responseId));
    for (const memory of [this.#heardMs, this.#mutedAtMs, this.#cutAtMs]) {
      for (const responseId of memory.keys()) if (!known.has(responseId)) memory.delete(responseId);
    }
  }
}
