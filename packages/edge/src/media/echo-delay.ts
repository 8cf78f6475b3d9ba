/** What is compared is thinned out to this: speech tells one moment from another by what it has below 1 kHz. */
const RATE_HZ = 2_000;
const PER_MS = RATE_HZ / 1000;
/** Bluetooth, a television: no echo that could be one is later. */
export const MAX_ECHO_MS = 500;
const LAGS = MAX_ECHO_MS * PER_MS;
/** How much of the evidence is kept from one micro-turn to the next: about a second of it counts. */
const KEPT = 0.8;
/** Of the highest likeness, over its whole: what is less is no echo, or one under somebody's voice. */
const LIKENESS = 0.3;
/** Two estimates in a row that agree to this are believed. */
const AGREE_MS = 4;
/** Quieter than this there is nothing to compare, RMS. */
const AUDIBLE = 1e-4;

/**
 * Finds out how much later than at the listener's ear, as far as the edge knows it, the agent's voice comes back through
 * their microphone: the loudspeaker's and the microphone's own delays, the room, a headset's radio. Holds what it found
 * until it finds something else; without an echo it finds nothing.
 */
export class EchoDelay {
  readonly #step: number;
  readonly #likeness = new Float32Array(LAGS);
  #nearPower = 0;
  #farPower = 0;
  #candidateMs = -1;
  #delayMs: number | undefined;

  /** @param rateHz a multiple of 2000 */
  constructor(rateHz: number) {
    if (rateHz % RATE_HZ !== 0) throw new RangeError(`expected a multiple of ${RATE_HZ} Hz, got ${rateHz}`);
    this.#step = rateHz / RATE_HZ;
  }

  /** Undefined while no echo was heard. */
  get delayMs(): number | undefined {
    return this.#delayMs;
  }

  /**
   * Compares one micro-turn.
   * @param near what the microphone heard
   * @param far  what the agent played, from `MAX_ECHO_MS` before `near` to its end
   */
  push(near: Float32Array, far: Float32Array): void {
    const heard = this.#thin(near);
    const played = this.#thin(far);
    const nearPower = power(heard);
    if (nearPower < AUDIBLE ** 2 * heard.length || power(played) < AUDIBLE ** 2 * played.length) return;
    this.#nearPower = this.#nearPower * KEPT + nearPower;
    this.#farPower = this.#farPower * KEPT + (power(played) * heard.length) / played.length;
    for (let lag = 0; lag < LAGS; lag++) {
      const start = played.length - heard.length - lag;
      let product = 0;
      for (let i = 0; i < heard.length; i++) product += heard[i]! * played[start + i]!;
      this.#likeness[lag] = this.#likeness[lag]! * KEPT + product;
    }
    this.#believe(this.#likeliest());
  }

  /** Another microphone, or another loudspeaker: what was known of the way is not known any more. */
  reset(): void {
    this.#likeness.fill(0);
    this.#nearPower = 0;
    this.#farPower = 0;
    this.#candidateMs = -1;
    this.#delayMs = undefined;
  }

  #believe(ms: number | undefined): void {
    if (ms === undefined) return;
    if (this.#candidateMs >= 0 && Math.abs(ms - this.#candidateMs) <= AGREE_MS) this.#delayMs = ms;
    this.#candidateMs = ms;
  }

  #likeliest(): number | undefined {
    let best = 0;
    for (let lag = 1; lag < LAGS; lag++) {
      // A loudspeaker may turn the sound round.
      if (Math.abs(this.#likeness[lag]!) > Math.abs(this.#likeness[best]!)) best = lag;
    }
    const likeness = Math.abs(this.#likeness[best]!) / Math.sqrt(this.#nearPower * this.#farPower);
    return likeness >= LIKENESS ? best / PER_MS : undefined;
  }

  /** At 2 kHz, each sample the mean of those in its place, less most of the one before: the lowest tones would drown the rest. */
  #thin(pcm: Float32Array): Float32Array {
    const out = new Float32Array(Math.floor(pcm.length / this.#step));
    let before = 0;
    for (let i = 0; i < out.length; i++) {
      let sum = 0;
      for (let j = 0; j < this.#step; j++) sum += pcm[i * this.#step + j]!;
      const mean = sum / this.#step;
      out[i] = mean - 0.9 * before;
      before = mean;
    }
    return out;
  }
}

function power(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return sum;
}
