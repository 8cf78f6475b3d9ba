import { Resampler } from '../pcm/resampler.js';

/** What Opus takes without resampling. */
const OPUS_HZ: ReadonlySet<number> = new Set([8000, 12_000, 16_000, 24_000, 48_000]);
const OTHER_HZ = 24_000;
/** -60 dBFS: what a synthesiser leaves before and after speech. */
const SILENCE = 0.001;
/** Kept of the silence at the beginning, so that no plosive loses its start. */
const LEAD_MS = 10;
const TAIL_MS = 30;

/** 16-bit PCM as it streams in, to what can be sent: at a rate of Opus, in whole milliseconds, without silence at its ends. */
export class PcmStream {
  readonly rateHz: number;
  readonly #sourceHz: number;
  readonly #resampler: Resampler | undefined;
  #received = 0;
  #odd: number | undefined;
  #pending = new Float32Array(0);
  #begun = false;

  /** @throws {RangeError} where the rate is none */
  constructor(sourceHz: number) {
    this.#sourceHz = sourceHz;
    this.rateHz = OPUS_HZ.has(sourceHz) ? sourceHz : OTHER_HZ;
    this.#resampler = OPUS_HZ.has(sourceHz) ? undefined : new Resampler(sourceHz, OTHER_HZ);
  }

  /** Of all that came, silence too. */
  get receivedMs(): number {
    return (this.#received * 1000) / this.#sourceHz;
  }

  /** @returns what can be sent now, which may be nothing. Silence is held back until sound follows it. */
  push(bytes: Uint8Array): Float32Array {
    const pcm = this.#toFloat(bytes);
    this.#received += pcm.length;
    return this.#take(this.#resampler ? this.#resampler.push(pcm) : pcm, false);
  }
  /** The rest, without the silence at its end. */
  flush(): Float32Array {
    return this.#take(this.#resampler ? this.#resampler.flush() : new Float32Array(0), true);
  }

  #toFloat(bytes: Uint8Array): Float32Array {
    const all = this.#odd === undefined ? bytes : Buffer.concat([Uint8Array.of(this.#odd), bytes]);
    this.#odd = all.length % 2 === 1 ? all[all.length - 1] : undefined;
    const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
    return Float32Array.from({ length: all.length >> 1 }, (_, i) => view.getInt16(2 * i, true) / 0x8000);
  }

  #take(pcm: Float32Array, last: boolean): Float32Array {
    const joined = new Float32Array(this.#pending.length + pcm.length);
    joined.set(this.#pending);
    joined.set(pcm, this.#pending.length);
    const perMs = this.rateHz / 1000;
    let from = 0;
    if (!this.#begun) {
      const first = joined.findIndex((sample) => Math.abs(sample) > SILENCE);
      // All silence so far: only as much as the lead is kept of it.
      from = Math.max(0, (first < 0 ? joined.length : first) - LEAD_MS * perMs);
      this.#begun = first >= 0;
    }
    const sound = joined.findLastIndex((sample) => Math.abs(sample) > SILENCE) + 1;
    let to = this.#begun ? Math.max(from, sound) : from;
    if (last && this.#begun) to = Math.min(joined.length, to + TAIL_MS * perMs);
    to = from + Math.floor((to - from) / perMs) * perMs;
    this.#pending = joined.slice(to);
    return joined.slice(from, to);
  }
}
