const RATE_HZ = 16_000;
/** Four seconds: the longest way to a listener's ear and back, the latest echo, and a micro-turn. */
const CAPACITY = 2 ** 16;

/** The agent's newest sound, by the time it was due: what a listener's microphone may pick up again. */
export class SentAudio {
  readonly #pcm = new Float32Array(CAPACITY);
  #end = 0;

  write(dueMs: number, pcm: Float32Array, rateHz: number): void {
    const samples = Math.round((pcm.length * RATE_HZ) / rateHz);
    const place = Math.round((dueMs * RATE_HZ) / 1000);
    for (let i = 0; i < samples; i++) this.#pcm[(place + i) % CAPACITY] = sampleAt(pcm, (i * rateHz) / RATE_HZ);
    this.#end = Math.max(this.#end, place + samples);
  }

  /** Copies the sound from `fromMs` on into `into`, at its own rate. What is no longer held stays as it is. */
  read(fromMs: number, into: Float32Array, rateHz: number): void {
    for (let i = 0; i < into.length; i++) {
      const at = (fromMs / 1000 + i / rateHz) * RATE_HZ;
      const left = Math.floor(at);
      if (left < this.#end - CAPACITY || left >= this.#end) continue;
      const a = this.#pcm[left % CAPACITY]!;
      const b = left + 1 < this.#end ? this.#pcm[(left + 1) % CAPACITY]! : a;
      into[i] = a + (b - a) * (at - left);
    }
  }
}

function sampleAt(pcm: Float32Array, at: number): number {
  const left = Math.floor(at);
  const a = pcm[left] ?? 0;
  return a + ((pcm[left + 1] ?? a) - a) * (at - left);
}
