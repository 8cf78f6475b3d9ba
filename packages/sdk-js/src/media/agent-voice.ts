import type { Clock } from '../clock.js';
import type { ReceivedTrack } from '../connection/transport.js';
import { StateSource } from '../state.js';
import { HeardReporter, type HeardNotice, type HeardPosition } from './heard-reporter.js';

export interface AgentVoiceParts {
  readonly clock: Clock;
  /** How far the ear is behind the mixer. */
  outputLatencyMs(): number;
  /** Whether the loudspeaker renders sound now. */
  audible(): boolean;
  notify(message: HeardNotice): void;
}

/** For so long after a cut, sound from before it may still be on its way: what follows comes behind it, and later than that. */
const STALE_MS = 80;

/** The agent's track: mutes it the moment the agent is cut, and tells the edge what was heard of it. */
export class AgentVoice {
  readonly track = new StateSource<MediaStreamTrack | undefined>(undefined);
  readonly #parts: AgentVoiceParts;
  readonly #heard: HeardReporter;
  #received: ReceivedTrack | undefined;
  #speaking = false;
  #silenced = false;
  #silencedAtMs = -Infinity;
  #stopWaiting: (() => void) | undefined;

  constructor(parts: AgentVoiceParts) {
    this.#parts = parts;
    this.#heard = new HeardReporter({
      clock: parts.clock,
      played: () => this.#received?.playedRtpTimestamp(),
      outputLatencyMs: parts.outputLatencyMs,
      notify: parts.notify,
    });
  }

  /** Where the listener is now; undefined where nothing was played yet. */
  get position(): HeardPosition | undefined {
    return this.#heard.position;
  }

  /** Whether the listener hears a response, as far as is known here. */
  get audible(): boolean {
    return this.#speaking && !this.#silenced && this.#parts.audible();
  }

  receive(received: ReceivedTrack): void {
    this.#received = received;
    this.track.set(received.track);
    if (this.audible) this.#heard.start();
  }

  drop(id: string): void {
    if (this.#received?.id === id) this.release();
  }

  /** A response that this listener hears begins. */
  begin(): void {
    this.#speaking = true;
    this.#silenced = false;
    this.#enable();
    this.follow(this.#parts.audible());
  }

  /** Everything has been said; it may still be on its way. */
  end(): void {
    this.#speaking = false;
    this.#heard.end();
  }

  /** At once, and until the next response begins. */
  silence(): void {
    // Anew where the edge cuts what was silenced here before: until then it sent on.
    this.#silencedAtMs = this.#parts.clock.now();
    this.#stopWaiting?.();
    // Told once: what plays on unheard is not to be counted.
    if (this.#silenced) return;
    this.#silenced = true;
    if (this.#received) this.#received.track.enabled = false;
    this.#heard.mute(this.#speaking);
  }

  /** The loudspeaker begins, or ceases, to render sound. */
  follow(audible: boolean): void {
    if (!this.#speaking || this.#silenced) return;
    if (audible) this.#heard.start();
    else this.#heard.mute(true);
  }

  /** The call is over. */
  release(): void {
    this.#speaking = false;
    this.#silenced = false;
    this.#silencedAtMs = -Infinity;
    this.#stopWaiting?.();
    this.#heard.stop();
    this.#received = undefined;
    this.track.set(undefined);
  }

  /** Plays the track, once nothing from before the last cut can come of it. */
  #enable(): void {
    this.#stopWaiting?.();
    const enable = () => {
      if (this.#received) this.#received.track.enabled = true;
    };
    const waitMs = this.#silencedAtMs + STALE_MS - this.#parts.clock.now();
    if (waitMs > 0) this.#stopWaiting = this.#parts.clock.after(waitMs, enable);
    else enable();
  }

  close(): void {
    this.release();
    this.track.close();
  }
}
