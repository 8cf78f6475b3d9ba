import type { SpeechClause } from './types.js';

/** A clause longer than this share of the cache is not kept: long ones hardly repeat, and would push out many short ones. */
const LARGEST_SHARE = 1 / 32;

/** Clauses said lately, bounded in bytes of sound. The one not asked for longest goes first. */
export class ClauseCache {
  readonly #maxBytes: number;
  readonly #clauses = new Map<string, SpeechClause>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The sound is the cache's own: copy it before it is transferred. */
  get(key: string): SpeechClause | undefined {
    const clause = this.#clauses.get(key);
    if (!clause) return undefined;
    this.#clauses.delete(key);
    this.#clauses.set(key, clause);
    return clause;
  }

  set(key: string, clause: SpeechClause): void {
    this.#drop(key);
    if (clause.pcm.byteLength > this.#maxBytes * LARGEST_SHARE) return;
    this.#clauses.set(key, clause);
    this.#bytes += clause.pcm.byteLength;
    for (const oldest of this.#clauses.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest);
    }
  }

  clear(): void {
    this.#clauses.clear();
    this.#bytes = 0;
  }

  #drop(key: string): void {
    this.#bytes -= this.#clauses.get(key)?.pcm.byteLength ?? 0;
    this.#clauses.delete(key);
  }
}
