import { readFileSync } from 'node:fs';
import { monotonicClock } from '../clock.js';

/** A moment that another process can place on clocks of its own. */
export interface Stamp {
  readonly wallMs: number;
  readonly monotonicMs: number;
  /** Since when the machine runs: the monotonic clock is one and the same until it starts again. */
  readonly bootId?: string | undefined;
}

/** This moment. */
export function stampNow(): Stamp {
  return { wallMs: Date.now(), monotonicMs: monotonicClock.now(), bootId: thisBoot };
}

/**
 * Ms from `since` to `now`, never negative: by the monotonic clock where both were taken since the machine was started,
 * so that a corrected wall clock moves nothing; else by the wall clock.
 */
export function elapsedMs(since: Stamp, now: Stamp): number {
  const sameBoot = since.bootId !== undefined && since.bootId === now.bootId;
  return Math.max(0, sameBoot ? now.monotonicMs - since.monotonicMs : now.wallMs - since.wallMs);
}

const thisBoot = readBootId();

/** Linux alone tells it. */
function readBootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}
