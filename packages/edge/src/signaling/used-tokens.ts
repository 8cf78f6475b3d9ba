import { MicroturnError } from '@microturn/protocol';
import type { Grant } from './auth.js';

/** Past its expiry a token is still tolerated for as long as clocks may differ; it is remembered well beyond that. */
const KEPT_SECONDS = 300;
const MOST = 65_536;
/** All of them are looked through so often, and not each at its own time. */
const LOOK_EVERY_SECONDS = 60;

/**
 * Tokens that are good for one join, and have had it. Bound: 65,536 until they expire, `refuse`: to forget one would let it
 * in again. For as long as the process lives.
 */
export class UsedTokens {
  readonly #wallMs: () => number;
  readonly #most: number;
  /** By key and id: Unix seconds until when it is remembered. */
  readonly #until = new Map<string, number>();
  /** Unix seconds. */
  #lookedAt = -Infinity;

  constructor(wallMs: () => number = Date.now, most = MOST) {
    this.#wallMs = wallMs;
    this.#most = most;
  }

  get size(): number {
    return this.#until.size;
  }

  /**
   * Takes the one join that a token is good for; any number where it does not say so.
   * @returns gives it back: nobody came in with it
   * @throws {MicroturnError} `auth/denied` where it was used, `edge/full` where too many are remembered
   */
  use({ key, onceAs, expiresAt }: Pick<Grant, 'key' | 'onceAs' | 'expiresAt'>): () => void {
    if (onceAs === undefined) return () => undefined;
    const id = JSON.stringify([key, onceAs]);
    if (this.#until.has(id)) throw new MicroturnError('auth/denied');
    this.forgetExpired();
    if (this.#until.size >= this.#most) {
      throw new MicroturnError('edge/full', `${this.#most} tokens that are good for one join are remembered`);
    }
    this.#until.set(id, expiresAt + KEPT_SECONDS);
    return () => void this.#until.delete(id);
  }

  /** To be called every few seconds, also where nobody comes: most of the time it does nothing. */
  forgetExpired(): void {
    const now = this.#wallMs() / 1000;
    const isDue = Math.abs(now - this.#lookedAt) >= LOOK_EVERY_SECONDS;
    if (!isDue && this.#until.size < this.#most) return;
    this.#lookedAt = now;
    for (const [id, until] of this.#until) if (until < now) this.#until.delete(id);
  }
}
