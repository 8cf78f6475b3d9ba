import { MicroturnError } from '@microturn/protocol';
import type { Grant } from './auth.js';

/** As of LiveKit: whoever mints tokens may have a clock that is ahead of this one. */
const LEEWAY_SECONDS = 60;
const MOST = 4096;

/**
 * Who was removed from a room: the tokens that they hold do not let them back in, and a newer one does. Bound: the latest
 * 4096 removals, `dropOldest`, for as long as the process lives.
 */
export class Removals {
  readonly #wallMs: () => number;
  /** By room and identity: the Unix seconds from which on a token is good again. */
  readonly #goodFrom = new Map<string, number>();

  constructor(wallMs: () => number = Date.now) {
    this.#wallMs = wallMs;
  }

  /** @param goodFrom Unix seconds: tokens that were good before that are revoked; LiveKit's `revoke_token_ts` */
  note(room: string, identity: string, goodFrom = Math.floor(this.#wallMs() / 1000) + LEEWAY_SECONDS): void {
    const key = keyOf(room, identity);
    this.#goodFrom.delete(key); // so that the newest is last
    this.#goodFrom.set(key, goodFrom);
    const [oldest] = this.#goodFrom.keys();
    if (this.#goodFrom.size > MOST && oldest !== undefined) this.#goodFrom.delete(oldest);
  }

  /** @throws {MicroturnError} `session/removed` where the token is from before the removal */
  assertMayJoin({ room, identity, notBefore }: Pick<Grant, 'room' | 'identity' | 'notBefore'>): void {
    if (notBefore < (this.#goodFrom.get(keyOf(room, identity)) ?? -Infinity)) {
      throw new MicroturnError('session/removed', 'with a token from before that');
    }
  }
}

function keyOf(room: string, identity: string): string {
  return JSON.stringify([room, identity]);
}
