/** Zero crossings of the sinc on either side: enough for speech, with its alias 60 dB down. */
const CROSSINGS = 16;
/** The pass band ends a little below the lower Nyquist frequency. */
const ROLLOFF = 0.94;

/** Changes the rate of a stream of PCM, by a windowed sinc. The output lags by nothing: it waits for what it needs. */
export class Resampler {
  readonly #up: number;
  readonly #down: number;
  readonly #reach: number;
  /** For each phase of the output, the weights of the inputs around it. */
  readonly #phases: readonly Float32Array[];
  /** Input that is still needed; the first sample is number `#from` of the stream. */
  #pending = new Float32Array(0);
  #from = 0;
  /** Number of the next output sample. */
  #next = 0;
  #ended = false;

  /** @throws {RangeError} where a rate is not a positive integer */
  constructor(fromHz: number, toHz: number) {
    for (const hz of [fromHz, toHz]) {
      if (!Number.isInteger(hz) || hz <= 0) throw new RangeError(`rate: expected a positive integer, got ${hz}`);
    }
    const common = gcd(fromHz, toHz);
    this.#up = toHz / common;
    this.#down = fromHz / common;
    const cutoff = Math.min(1, toHz / fromHz) * ROLLOFF;
    this.#reach = Math.ceil(CROSSINGS / cutoff);
    this.#phases = Array.from({ length: this.#up }, (_, phase) => weights(phase / this.#up, cutoff, this.#reach));
    this.#pending = new Float32Array(this.#reach);
    this.#from = -this.#reach;
  }

  /** @param pcm what follows in the stream. @returns as much as can be told of the output; any cut gives the same whole */
  push(pcm: Float32Array): Float32Array {
    if (this.#ended) throw new TypeError('the stream has ended');
    return this.#advance(pcm);
  }
  /** The rest. Nothing follows. */
  flush(): Float32Array {
    if (this.#ended) return new Float32Array(0);
    const samples = this.#from + this.#pending.length;
    const out = this.#advance(new Float32Array(this.#reach + 1), Math.ceil((samples * this.#up) / this.#down));
    this.#ended = true;
    return out;
  }

  #advance(pcm: Float32Array, upTo = Infinity): Float32Array {
    const input = new Float32Array(this.#pending.length + pcm.length);
    input.set(this.#pending);
    input.set(pcm, this.#pending.length);
    const known = this.#from + input.length;
    const out: number[] = [];
    for (; this.#next < upTo; this.#next++) {
      const at = Math.floor((this.#next * this.#down) / this.#up);
      if (at + this.#reach >= known) break;
      const kernel = this.#phases[(this.#next * this.#down) % this.#up]!;
      const first = at - this.#reach + 1 - this.#from;
      let sum = 0;
      for (let i = 0; i < kernel.length; i++) sum += kernel[i]! * input[first + i]!;
      out.push(sum);
    }
    const needed = Math.floor((this.#next * this.#down) / this.#up) - this.#reach + 1;
    const drop = Math.min(input.length, Math.max(0, needed - this.#from));
    this.#pending = input.slice(drop);
    this.#from += drop;
    return Float32Array.from(out);
  }
}

/** @param fraction how far the output lies behind the input at its left, in input samples */
function weights(fraction: number, cutoff: number, reach: number): Float32Array {
  const kernel = new Float32Array(2 * reach);
  for (let i = 0; i < kernel.length; i++) {
    const x = i - reach + 1 - fraction;
    const window = Math.abs(x) < reach ? 0.5 + 0.5 * Math.cos((Math.PI * x) / reach) : 0;
    const angle = Math.PI * x * cutoff;
    kernel[i] = cutoff * (angle === 0 ? 1 : Math.sin(angle) / angle) * window;
  }
  return kernel;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
