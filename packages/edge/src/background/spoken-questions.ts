import { MicroturnError } from '@microturn/protocol';
import type { Clip } from '../media/types.js';
import type { Turnstile } from './turnstile.js';
import type { Utterance } from './utterances.js';

/** Makes words of the sound of an utterance. */
export type Hear = (clip: Clip, signal: AbortSignal) => Promise<string>;

export interface SpokenQuestionsParts {
  readonly hear: Hear | undefined;
  /** Whoever works on it takes the sound itself. */
  readonly takesAudio: () => boolean;
  readonly clip: (fromMs: number, toMs: number) => Promise<Clip>;
  /** To encode a clip takes time, so one of all sessions is sent in each turn of the event loop. */
  readonly sends: Turnstile;
}

/** What is asked: its words, or where nobody makes words of it, its sound. */
export type HeardQuestion = { readonly words: string; readonly fromMs: number } | { readonly clip: Clip };

/** Questions that were spoken, by task, until their words are known. */
export class SpokenQuestions {
  readonly #parts: SpokenQuestionsParts;
  readonly #utterances = new Map<string, Utterance>();

  constructor(parts: SpokenQuestionsParts) {
    this.#parts = parts;
  }

  /** Somebody understands words that the model has no name for. */
  get understood(): boolean {
    return this.#parts.hear !== undefined || this.#parts.takesAudio();
  }

  add(taskId: string, utterance: Utterance): void {
    this.#utterances.set(taskId, utterance);
  }

  has(taskId: string): boolean {
    return this.#utterances.has(taskId);
  }

  delete(taskId: string): void {
    this.#utterances.delete(taskId);
  }

  /** Forgets those of tasks that need them no more. */
  keep(needed: (taskId: string) => boolean): void {
    for (const taskId of this.#utterances.keys()) if (!needed(taskId)) this.#utterances.delete(taskId);
  }

  clear(): void {
    this.#utterances.clear();
  }

  /**
   * @returns undefined where there was nothing to be heard
   * @throws {MicroturnError} `task/unheard` where nobody could make it out; what the transcriber says is wrong
   */
  async listen(taskId: string, signal: AbortSignal): Promise<HeardQuestion | undefined> {
    const utterance = this.#utterances.get(taskId);
    if (!utterance) return undefined;
    const { hear, takesAudio, clip: clipOf, sends } = this.#parts;
    const { fromMs, toMs } = utterance;
    const clip = this.understood ? await clipOf(fromMs, toMs) : undefined;
    if (clip) await sends.pass();
    signal.throwIfAborted();
    if (clip && hear) {
      const words = (await hear(clip, signal)).trim();
      return words === '' ? undefined : { words, fromMs };
    }
    const words = utterance.words.includes('<unk>') ? '' : utterance.words.join(' ');
    if (words !== '') return { words, fromMs };
    if (clip && takesAudio()) return { clip };
    throw new MicroturnError('task/unheard');
  }
}
