import type { ClientMessageOf } from '@microturn/protocol';
import type { Clock } from '../clock.js';

/** A report before it is known of which voice. */
export type HeardNotice = Omit<ClientMessageOf<'heard'>, 'audience'>;

/** How often the played position is read: a packet's length. */
const READ_MS = 20;
const REPORT_MS = 100;
/**
 * The position stands still for this long where a spurt has ended. The end is told twice: the first report may be the
 * one that names the last packet, the second says that it has passed.
 */
const STILL_MS = [60, 160] as const;
/** How long after the end of a response its last packets may still be on their way. */
const TAIL_MS = 2000;

export interface HeardPosition {
  /** Of the packet now being played. */
  readonly rtpTimestamp: number;
  readonly outputLatencyMs: number;
}

export interface HeardParts {
  readonly clock: Clock;
  /** RTP timestamp of the packet now being played; undefined before the first. */
  played(): number | undefined;
  outputLatencyMs(): number;
  notify(message: HeardNotice): void;
}

/**
 * Tells the edge what the listener's device plays: every 100 ms while the agent speaks, and at once when it
 * is muted or comes to its end. Nothing is said while nothing moves.
 */
export class HeardReporter {
  readonly #parts: HeardParts;
  #stop: (() => void) | undefined;
  #last: number | undefined;
  #movedAt = 0;
  #reportedAt = -Infinity;
  /** How often the end of this spurt was told. */
  #endsTold: number = STILL_MS.length;
  #endBy = Infinity;

  constructor(parts: HeardParts) {
    this.#parts = parts;
  }

  /** The agent begins to speak. */
  start(): void {
    this.#endBy = Infinity;
    if (this.#stop) return;
    this.#last = this.#parts.played();
    this.#endsTold = STILL_MS.length;
    this.#stop = this.#parts.clock.every(READ_MS, () => this.#read());
  }

  /** The edge has said all of it: follows what is still on its way, and then rests. */
  end(): void {
    if (!this.#stop || this.#endBy !== Infinity) return;
    this.#endBy = this.#parts.clock.now() + TAIL_MS;
    this.#restIfDone();
  }

  /** From here on nothing is heard: the edge is told where anything was played, or is `said`. */
  mute(said: boolean): void {
    if (said || this.position) this.#report('muted');
    this.stop();
  }

  /** Says nothing more. */
  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  /** Where the listener is now, for an interruption. */
  get position(): HeardPosition | undefined {
    const rtpTimestamp = this.#parts.played();
    return rtpTimestamp === undefined ? undefined : { rtpTimestamp, outputLatencyMs: this.#parts.outputLatencyMs() };
  }

  #read(): void {
    const now = this.#parts.clock.now();
    const played = this.#parts.played();
    if (played !== undefined && played !== this.#last) {
      this.#last = played;
      this.#movedAt = now;
      this.#endsTold = 0;
      // Half a reading early rather than a whole one late.
      if (now - this.#reportedAt >= REPORT_MS - READ_MS / 2) this.#report('playing');
    } else if (now - this.#movedAt >= (STILL_MS[this.#endsTold] ?? Infinity)) {
      this.#report('playing');
      this.#endsTold++;
    }
    this.#restIfDone();
  }

  #restIfDone(): void {
    if (this.#endBy === Infinity) return;
    const told = this.#endsTold === STILL_MS.length;
    if (told || this.#parts.clock.now() >= this.#endBy) this.stop();
  }

  #report(state: 'playing' | 'muted'): void {
    this.#reportedAt = this.#parts.clock.now();
    this.#parts.notify({ type: 'heard', ...(this.position ?? { outputLatencyMs: 0 }), state });
  }
}
