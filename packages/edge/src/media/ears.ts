import { Listener } from './listener.js';
import type { Heard, HeardReport } from './types.js';
import type { Voice } from './voice.js';

type Audience = HeardReport['audience'];

/** What one caller hears of the agent: the room's voice and, where it is open, the one that is theirs alone. */
export class Ears {
  readonly #listeners = new Map<Audience, Listener>();
  readonly #voices = new Map<Audience, Voice>();

  listen(audience: Audience, voice: Voice): void {
    const listener = new Listener(voice.downlink);
    this.#listeners.set(audience, listener);
    this.#voices.set(audience, voice);
    voice.listeners.add(listener);
  }

  /** As `Listener.report`, of the voice that the report is about; nothing where that is not open. */
  report(report: HeardReport, nowMs: number): Heard[] {
    return this.#listeners.get(report.audience)?.report(report, nowMs) ?? [];
  }

  /** As `Listener.play`, of any voice. */
  play(...when: Parameters<Listener['play']>): 0 | 1 {
    return [...this.#listeners.values()].some((listener) => listener.play(...when)) ? 1 : 0;
  }

  /** As `Listener.ref`: a microphone picks up all of it. */
  ref(...when: Parameters<Listener['ref']>): Float32Array | undefined {
    return [...this.#listeners.values()].map((listener) => listener.ref(...when)).reduce(together);
  }

  /** Hears no voice any more. */
  close(): void {
    for (const [audience, listener] of this.#listeners) this.#voices.get(audience)?.listeners.delete(listener);
    this.#listeners.clear();
    this.#voices.clear();
  }
}

function together(a: Float32Array | undefined, b: Float32Array | undefined): Float32Array | undefined {
  return a && b ? a.map((sample, i) => sample + b[i]!) : (a ?? b);
}
