import type { Clock } from '../clock.js';
import { ONSET_FRAME_MS, OnsetDetector } from './onset-detector.js';
import type { MediaPlatform } from './platform.js';
import { openMeters } from './track-meter.js';

export interface DuckingOptions {
  /** By how much the agent is lowered, dB in [0, 60]; 12 unless told otherwise. */
  readonly depthDb?: number;
  /** How long it stays so where the edge says nothing, ms in [0, 10 000]; 600 unless told otherwise. */
  readonly holdMs?: number;
}

export interface DuckerParts extends DuckingOptions {
  readonly media: MediaPlatform;
  readonly clock: Clock;
  /** Whether the listener hears the agent now. */
  speaking(): boolean;
  /** Sets the gain of the agent's voice, in (0, 1]. */
  lower(gain: number): void;
}

/** Down in 30 ms, and back in 100. */
const RAMP_DOWN_FRAMES = 3;
const RAMP_UP_FRAMES = 10;
/** The newest 10 ms, at 48 kHz. */
const WINDOW_SAMPLES = 512;

/**
 * Lowers the agent's voice at the moment the user begins to speak, long before the model has decided what that was: so the
 * user is never shouted down, and a backchannel costs nothing. It stops nothing: the edge and the model do not know of it,
 * and the voice comes back when the model goes on.
 */
export class Ducker {
  readonly #parts: DuckerParts;
  readonly #depthDb: number;
  readonly #holdMs: number;
  #gainDb = 0;
  #duckedUntilMs: number | undefined;
  /** Whether the edge, too, heard somebody since the onset. */
  #confirmed = false;

  /** @throws {RangeError} for a depth or a time that cannot be */
  constructor(parts: DuckerParts) {
    const { depthDb = 12, holdMs = 600 } = parts;
    if (!(depthDb >= 0 && depthDb <= 60)) throw new RangeError(`ducking: expected 0 to 60 dB, got ${depthDb}`);
    if (!(holdMs >= 0 && holdMs <= 10_000)) throw new RangeError(`ducking: expected 0 to 10000 ms, got ${holdMs}`);
    this.#parts = parts;
    this.#depthDb = depthDb;
    this.#holdMs = holdMs;
  }

  /** Listens to the microphone beside the agent's track; the returned function ends it. */
  watch(microphone: MediaStreamTrack, agent: MediaStreamTrack): () => void {
    const stop = this.#whenAllowed(() => this.#listen(microphone, agent));
    return () => {
      stop();
      this.#restore();
      this.#setGain(0);
    };
  }

  /** The edge hears the user, too. */
  confirm(): void {
    this.#confirmed = true;
  }

  /** The model goes on, or nothing is being said any more: the voice comes back. */
  release(): void {
    this.#confirmed = true;
    this.#restore();
  }

  /** Before the user has acted, the browser plays nothing that could be lowered, and warns of a context. */
  #whenAllowed(start: () => () => void): () => void {
    const { media, clock } = this.#parts;
    if (media.userHasActed()) return start();
    let stop = clock.every(ONSET_FRAME_MS, () => {
      if (!media.userHasActed()) return;
      stop();
      stop = start();
    });
    return () => stop();
  }

  #listen(microphone: MediaStreamTrack, agent: MediaStreamTrack): () => void {
    const { media, clock } = this.#parts;
    const meters = openMeters(media, [microphone, agent], WINDOW_SAMPLES);
    if (!meters) return () => undefined;
    const onset = new OnsetDetector();
    const stop = clock.every(ONSET_FRAME_MS, () => {
      const [near = 0, far = 0] = meters.read();
      this.#step(onset, near, far);
    });
    return () => {
      stop();
      meters.close();
    };
  }

  #step(detector: OnsetDetector, near: number, far: number): void {
    const nowMs = this.#parts.clock.now();
    const onset = detector.push(near, far);
    if (onset && this.#parts.speaking()) {
      this.#confirmed = false;
      this.#duckedUntilMs = nowMs + this.#holdMs;
    } else if (this.#duckedUntilMs !== undefined && nowMs >= this.#duckedUntilMs) {
      if (!this.#confirmed) detector.mistaken();
      this.#restore();
    }
    this.#ramp();
  }

  #restore(): void {
    this.#duckedUntilMs = undefined;
  }

  #ramp(): void {
    if (this.#duckedUntilMs !== undefined) {
      this.#setGain(Math.max(-this.#depthDb, this.#gainDb - this.#depthDb / RAMP_DOWN_FRAMES));
    } else this.#setGain(Math.min(0, this.#gainDb + this.#depthDb / RAMP_UP_FRAMES));
  }

  #setGain(gainDb: number): void {
    // Steps that add up to nothing, to a hundredth.
    const db = Math.round(gainDb * 100) / 100 + 0;
    if (db === this.#gainDb) return;
    this.#gainDb = db;
    this.#parts.lower(10 ** (db / 20));
  }
}
