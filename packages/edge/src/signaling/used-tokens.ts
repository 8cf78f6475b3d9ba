import { MicroturnError } from '@microturn/protocol';
import type { Grant } from './auth.js';

/** Past its expiry a token is still tolerated for as long as clocks may differ; it is remembered well beyond that. */
const KEPT_SECONDS = 300;
const MOST = 65_536;

/**
 * Tokens that are good for one join, and have had it. Bound: 65,536 until they expire, `refuse`: to forget one would let it
 * in again. For as long as the process lives.
 */
export class UsedTokens {
  readonly #wallMs: () => number;
  readonly #most: number;
  /** By key and id: Unix seconds until when it is remembered. */
  readonly #until = new Map<string, number>();

  constructor(wallMs: () => number = Date.now, most = MOST) {
    this.#wallMs = wallMs;
    this.#most = most;
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
    if (this.#until.size >= this.#most) this.#forgetExpired();
    if (this.#until.size >= this.#most) {
      throw new MicroturnError('edge/full', `${this.#most} tokens that are good for one join are remembered`);
    }
    this.#until.set(id, expiresAt + KEPT_SECONDS);
    return () => void this.#until.delete(id);
  }

  #forgetExpired(): void {
    const now = this.#wallMs() / 1000;
    for (const [id, until] of this.#until) if (until < now) this.#until.delete(id);
  }
}
