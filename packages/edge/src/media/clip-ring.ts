/** What was said lately, of one microphone, for whoever has to hear it again: 16-bit, so half the size of the PCM. */
export interface Clip {
  /** [samples] mono, 16-bit linear, at `rateHz`. Zeros where nothing was received. */
  readonly pcm: Int16Array;
  readonly rateHz: number;
  /** Session ms of the first sample, and of the end: what was asked for, as far as it is kept. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** The last stretch of a row's sound by the session clock. Bound: `keptMs`, `dropOldest`. */
export class ClipRing {
  readonly #rateHz: number;
  readonly #pcm: Int16Array;
  /** The place after the newest sample, and that of the oldest one kept; counted from session time 0. */
  #end: number;
  #start: number;

  constructor({ rateHz, keptMs, firstSample }: { rateHz: number; keptMs: number; firstSample: number }) {
    this.#rateHz = rateHz;
    this.#pcm = new Int16Array(Math.ceil((keptMs * rateHz) / 1000));
    this.#end = firstSample;
    this.#start = firstSample;
  }

  /** Takes the samples of one micro-turn. Places rise; what is left out is silence. */
  push(place: number, pcm: Float32Array): void {
    const { length } = this.#pcm;
    const silentFrom = Math.max(this.#end, place - length);
    for (let at = silentFrom; at < place; at++) this.#pcm[at % length] = 0;
    for (let i = 0; i < pcm.length; i++) this.#pcm[(place + i) % length] = toInt16(pcm[i]!);
    this.#end = place + pcm.length;
    this.#start = Math.max(this.#start, this.#end - length);
  }

  /** A copy of what is kept between two session times; empty where nothing is. */
  read(fromMs: number, toMs: number): Clip {
    const from = clamp(Math.round((fromMs * this.#rateHz) / 1000), this.#start, this.#end);
    const to = clamp(Math.round((toMs * this.#rateHz) / 1000), from, this.#end);
    const pcm = new Int16Array(to - from);
    for (let at = from; at < to; at++) pcm[at - from] = this.#pcm[at % this.#pcm.length]!;
    return { pcm, rateHz: this.#rateHz, fromMs: this.#toMs(from), toMs: this.#toMs(to) };
  }

  #toMs(place: number): number {
    return (place * 1000) / this.#rateHz;
  }
}

function toInt16(sample: number): number {
  return Math.round(clamp(sample, -1, 1) * 0x7fff);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
