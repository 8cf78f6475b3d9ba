import type { ResponseWord } from '@microturn/protocol';
import { locateEnd, type Spurt } from './sent-audio.js';
import type { TimedEvent } from './timed-event.js';

/**
 * A sample is sound of a response when it is louder than this. A track carries digital silence otherwise, but a response has a
 * quiet head and tail, and a codec rings on after it.
 */
export const SOUND_DBFS = -50;
const SOUND = 10 ** (SOUND_DBFS / 20);
/** Silence that a response's first sound has in front of it, and that follows its last one. */
const EDGE_MS = 40;
/** How far from where the events put it a response's first sound is looked for. */
const SEARCH_BEFORE_MS = 160;
const SEARCH_AFTER_MS = 320;
/** From the edge's word that a response starts to its sound, where no report of what was heard says more. */
const START_DELAY_MS = 120;
/** By how much Opus sound lags behind the packets that carry it. */
const OPUS_LAG_MS = 6.5;
/** How much of a response's last sound is looked up in what was sent: less, where the browser has stretched or filled in more. */
const MATCH_MS = [240, 160, 100] as const;
const MATCH_WITHIN_MS = 400;
/** A packet may overtake the event that announces its response. */
const PACKET_BEFORE_EVENT_MS = 80;
const PACKET_AFTER_EVENT_MS = 1_500;
/** How long sound may go on after the page was told to mute, or that a response is complete. */
const AFTER_END_MS = 400;

/** What a response was, by its events. Times without `received` are in the response's own audio. */
export interface ResponseRecord {
  readonly responseId: string;
  readonly kind: string;
  readonly startedMs: number;
  readonly words: readonly ResponseWord[];
  /** Pairs of when it was told, and how much had been heard. */
  readonly reports: readonly { readonly receivedMs: number; readonly heardMs: number }[];
  readonly cutMs?: number;
  readonly end?: {
    readonly receivedMs: number;
    readonly heardMs: number;
    /** Undefined where it came to its end. */
    readonly by?: 'user' | 'client' | 'agent';
  };
}

/** Where a response was played, ms on the recording's clock, to the millisecond. */
export interface PlayedResponse {
  readonly record: ResponseRecord;
  /** First and last sound of it; absent where nothing of it can be told from what was played around it. */
  readonly sound?: { readonly startMs: number; readonly endMs: number };
  /** Where its audio's time 0 lies, by its first sound or else by its events. */
  readonly zeroMs: number;
  /** How much of the response's own audio was played, and what of that the edge says was heard: both to their last sound. */
  readonly content?: { readonly playedMs: number; readonly heardMs: number };
}

/** Gathers the events of each response, in order of their starts. */
export function collectResponses(events: readonly TimedEvent[]): ResponseRecord[] {
  const records = new Map<string, ResponseRecord>();
  const change = (id: string, fields: (record: ResponseRecord) => Partial<ResponseRecord>) => {
    const record = records.get(id);
    if (record) records.set(id, { ...record, ...fields(record) });
  };
  for (const event of events) {
    const { receivedMs } = event;
    switch (event.type) {
      case 'response.started': {
        const { responseId, kind } = event;
        records.set(responseId, { responseId, kind, startedMs: receivedMs, words: [], reports: [] });
        break;
      }
      case 'response.text':
        change(event.responseId, ({ words }) => ({ words: [...words, ...event.words] }));
        break;
      case 'response.heard':
        change(event.responseId, ({ reports }) => ({ reports: [...reports, { receivedMs, heardMs: event.heardMs }] }));
        break;
      case 'response.cut':
        change(event.responseId, () => ({ cutMs: receivedMs }));
        break;
      case 'response.completed':
        change(event.responseId, () => ({ end: { receivedMs, heardMs: event.heardMs } }));
        break;
      case 'response.interrupted':
        change(event.responseId, () => ({ end: { receivedMs, heardMs: event.heardMs, by: event.by } }));
        break;
      default:
    }
  }
  return [...records.values()];
}

/**
 * Finds each response in the received audio. Events only say where to look; what is measured is sound.
 * @param received in [-1, 1]
 * @param spurts   what was sent, by itself
 */
export function findPlayed(
  records: readonly ResponseRecord[],
  received: Float32Array,
  rateHz: number,
  spurts: readonly Spurt[] = [],
): PlayedResponse[] {
  let used = -Infinity;
  return findSounds(records, received, rateHz).map((response, i) => {
    const { record, sound } = response;
    // A response that follows another without a pause shares its spurt, and where it begins in there is not known.
    const earliestMs = Math.max(used, record.startedMs - PACKET_BEFORE_EVENT_MS);
    const spurt = spurts.find(
      ({ receivedMs }) => receivedMs > earliestMs && receivedMs < record.startedMs + PACKET_AFTER_EVENT_MS,
    );
    const before = records[i - 1];
    if (!spurt || (before && (before.cutMs ?? before.end?.receivedMs ?? Infinity) > spurt.receivedMs)) return response;
    used = spurt.receivedMs;
    const playedMs = sound && playedOf(sound, spurt.samples, received, rateHz);
    if (playedMs === undefined || !record.end) return response;
    const heardMs = new SoundMap(spurt.samples, rateHz).soundTo(record.end.heardMs + OPUS_LAG_MS);
    return { ...response, content: { playedMs: playedMs - OPUS_LAG_MS, heardMs: heardMs - OPUS_LAG_MS } };
  });
}

/** How far into `content` its last sound was, ms: looked up by its waveform, since a jitter buffer stretches time. */
function playedOf(
  { startMs, endMs }: { startMs: number; endMs: number },
  content: Float32Array,
  received: Float32Array,
  rateHz: number,
): number | undefined {
  const perMs = rateHz / 1000;
  for (const matchMs of MATCH_MS) {
    const last = received.subarray(Math.round(Math.max(startMs, endMs - matchMs) * perMs), Math.round(endMs * perMs));
    const playedMs = locateEnd(last, content, endMs - startMs, MATCH_WITHIN_MS);
    if (playedMs !== undefined) return playedMs;
  }
  return undefined;
}

function findSounds(records: readonly ResponseRecord[], received: Float32Array, rateHz: number): PlayedResponse[] {
  const sound = new SoundMap(received, rateHz);
  const guesses = records.map(guessZero);
  let from = 0;
  return records.map((record, i) => {
    const guessMs = guesses[i]!;
    const leadMs = record.words[0]?.startMs ?? 0;
    const startMs = sound.onset(Math.max(from, guessMs - SEARCH_BEFORE_MS), guessMs + SEARCH_AFTER_MS);
    if (startMs === undefined) return { record, zeroMs: guessMs };
    const stopMs = Math.min(record.cutMs ?? Infinity, record.end?.receivedMs ?? Infinity) + AFTER_END_MS;
    // What comes after it was played begins with an onset of its own.
    const next = guesses.slice(i + 1).find((guess) => guess > startMs);
    const nextMs =
      next === undefined
        ? undefined
        : sound.onset(Math.max(startMs + EDGE_MS, next - SEARCH_BEFORE_MS), next + SEARCH_AFTER_MS);
    const endMs = sound.lastBefore(Math.min(stopMs, nextMs ?? Infinity, sound.lengthMs), startMs);
    from = endMs;
    return { record, sound: { startMs, endMs }, zeroMs: startMs - Math.min(leadMs, EDGE_MS) };
  });
}

/** Where a response's time 0 lies, by the reports of what was heard: one can be late, none is early. */
function guessZero({ reports, startedMs }: ResponseRecord): number {
  const zeros = reports.filter(({ heardMs }) => heardMs > 0).map(({ receivedMs, heardMs }) => receivedMs - heardMs);
  return zeros.length > 0 ? Math.min(...zeros) : startedMs + START_DELAY_MS;
}

/** Which milliseconds of a recording have sound in them. */
class SoundMap {
  readonly #sounds: Uint8Array;

  constructor(samples: Float32Array, rateHz: number) {
    const perMs = rateHz / 1000;
    this.#sounds = new Uint8Array(Math.floor(samples.length / perMs));
    for (let i = 0; i < this.#sounds.length * perMs; i++) {
      if (Math.abs(samples[i]!) > SOUND) this.#sounds[Math.floor(i / perMs)] = 1;
    }
  }

  get lengthMs(): number {
    return this.#sounds.length;
  }

  /** The first sound in `[fromMs, toMs)` with silence in front of it. */
  onset(fromMs: number, toMs: number): number | undefined {
    let silentMs = this.#silenceBefore(Math.max(0, Math.round(fromMs)));
    for (let ms = Math.max(0, Math.round(fromMs)); ms < Math.min(toMs, this.lengthMs); ms++) {
      if (!this.#sounds[ms]) silentMs++;
      else if (silentMs >= EDGE_MS) return ms;
      else silentMs = 0;
    }
    return undefined;
  }

  /** The end of the last sound before `beforeMs` that is not earlier than `fromMs`. */
  lastBefore(beforeMs: number, fromMs: number): number {
    for (let ms = Math.min(Math.round(beforeMs), this.lengthMs) - 1; ms > fromMs; ms--)
      if (this.#sounds[ms]) return ms + 1;
    return fromMs + 1;
  }

  /** A moment in sound is itself; one in silence is the end of the sound before it. */
  soundTo(ms: number): number {
    const at = Math.floor(ms);
    return at >= this.lengthMs || this.#sounds[at] ? Math.min(ms, this.lengthMs) : this.lastBefore(at, -1);
  }

  #silenceBefore(ms: number): number {
    let silentMs = 0;
    while (silentMs < EDGE_MS && ms - silentMs - 1 >= 0 && !this.#sounds[ms - silentMs - 1]) silentMs++;
    return ms - silentMs - 1 < 0 ? EDGE_MS : silentMs;
  }
}
