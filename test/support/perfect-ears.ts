import { parseWav, type Pcm } from '../call/wav.js';
import type { TimedWord } from '../fixtures/questions.js';

const FRAME_MS = 20;
/** Of a clip that is looked for in the recording: its first second and a half of sound. */
const LOOKED_AT = 75;
const AUDIBLE = 0.015;

/**
 * A transcriber that hears perfectly: it finds a clip in the recording by its loudness over time, and tells the words that
 * ended in it.
 */
export class PerfectEars {
  readonly #envelope: readonly number[];
  readonly #words: readonly TimedWord[];
  /** A clip that grows begins as it did. */
  #found: { readonly part: readonly number[]; readonly at: number } | undefined;

  constructor(recording: Pcm, words: readonly TimedWord[]) {
    this.#envelope = envelopeOf(recording);
    this.#words = words;
  }

  /** @param wav of what was sent to be transcribed */
  transcribe(wav: Uint8Array): string {
    const clip = parseWav(Buffer.from(wav));
    const envelope = envelopeOf(clip);
    const onset = envelope.findIndex((level) => level > AUDIBLE);
    if (onset < 0) return '';
    const place = this.#find(envelope.slice(onset, onset + LOOKED_AT));
    const fromMs = (place - onset) * FRAME_MS;
    const toMs = fromMs + (clip.samples.length * 1000) / clip.rateHz;
    return this.#words
      .filter(({ endMs }) => endMs > fromMs && endMs <= toMs)
      .map(({ text }) => text)
      .join(' ');
  }

  /** The frame of the recording at which it is most like this. */
  #find(part: readonly number[]): number {
    const before = this.#found;
    if (before?.part.length === part.length && part.every((level, i) => level === before.part[i])) return before.at;
    let best = { at: 0, likeness: -1 };
    const norm = Math.hypot(...part);
    for (let at = 0; at < this.#envelope.length; at++) {
      let product = 0;
      let energy = 0;
      for (let i = 0; i < part.length; i++) {
        const level = this.#envelope[at + i] ?? 0;
        product += level * part[i]!;
        energy += level * level;
      }
      const likeness = energy > 0 ? product / (norm * Math.sqrt(energy)) : 0;
      if (likeness > best.likeness) best = { at, likeness };
    }
    this.#found = { part, at: best.at };
    return best.at;
  }
}

function envelopeOf({ samples, rateHz }: Pcm): number[] {
  const frame = (FRAME_MS * rateHz) / 1000;
  return Array.from({ length: Math.floor(samples.length / frame) }, (_, i) => {
    const [from, to] = [Math.round(i * frame), Math.round((i + 1) * frame)];
    let energy = 0;
    for (let at = from; at < to; at++) energy += samples[at]! * samples[at]!;
    return Math.sqrt(energy / (to - from));
  });
}
