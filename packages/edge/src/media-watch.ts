import { MicroturnError } from '@microturn/protocol';
import type { Subscription } from 'rxjs';
import type { MediaEvent, MediaHost } from './media/index.js';
import type { RoomRegistry } from './session/index.js';
import type { Call, Connection } from './signaling/index.js';
import type { Log } from './telemetry/index.js';

export interface MediaWatchParts {
  readonly media: Pick<MediaHost, 'events'>;
  readonly log: Log;
  readonly connections: ReadonlySet<Connection>;
  readonly calls: ReadonlyMap<string, Call>;
  readonly rooms: RoomRegistry<Call>;
  /** It is gone for good. */
  readonly onFailed: (error: MicroturnError) => void;
}

const FLOODED = new MicroturnError(
  'protocol/rate',
  'the microphone sent far more packets than one does, and was closed',
);

/**
 * Brings what the media thread says to those it is about, and brings their media back once another thread has taken the
 * place of one that died.
 */
export class MediaWatch {
  readonly #parts: MediaWatchParts;
  #events: Subscription | undefined;
  /** The media thread is lost, and not restored yet. */
  #lost: MicroturnError | undefined;
  /** The mediasoup worker answers nothing now. */
  #stalled: MicroturnError | undefined;

  constructor(parts: MediaWatchParts) {
    this.#parts = parts;
  }

  /** Why it can take nobody now, where that is so. */
  get broken(): MicroturnError | undefined {
    return this.#lost ?? this.#stalled;
  }

  start(): void {
    this.#events = this.#parts.media.events.subscribe((event) => this.#onEvent(event));
  }
  close(): void {
    this.#events?.unsubscribe();
  }

  #onEvent(event: MediaEvent): void {
    switch (event.type) {
      case 'track.added':
      case 'track.removed':
      case 'uplink.stalled':
        for (const connection of this.#parts.connections) {
          if (connection.endpoint === event.endpoint) connection.onMediaEvent(event);
        }
        return;
      case 'uplink.flooded':
        for (const call of this.#parts.calls.values()) {
          if (call.session.endpoint === event.endpoint) call.loseTrack(event.producerId, FLOODED);
        }
        return;
      case 'speech.started':
      case 'speech.sent':
        for (const { session } of this.#parts.calls.values()) {
          session.speechMoved(
            event.type === 'speech.started' ? 'speech-started' : 'speech-sent',
            event.responseId,
            event.atMs,
          );
        }
        return;
      case 'speakers':
        this.#parts.rooms.get(event.room)?.roster.setSpeakers(event.participants);
        return;
      case 'speech.full':
        for (const { session } of this.#parts.calls.values()) session.speechFull(event.responseId);
        return;
      case 'transport.state':
        this.#onTransportState(event);
        return;
      case 'lost':
        this.#onLost(event.message);
        return;
      case 'restored':
        void this.#onRestored();
        return;
      case 'failed':
        this.#parts.onFailed(new MicroturnError('edge/worker-died', event.message));
        return;
      case 'worker.stalled':
        this.#onStalled(event.stalled);
        return;
      case 'worker.died':
      case 'ready':
        return;
      default:
        event satisfies never;
    }
  }

  #onTransportState({ endpoint, state }: MediaEvent & { type: 'transport.state' }): void {
    if (state !== 'failed' && state !== 'closed') return;
    for (const call of this.#parts.calls.values()) {
      if (call.session.endpoint === endpoint) call.drop(new MicroturnError('net/ice-failed'));
    }
  }

  /** Nobody is let in while the worker is silent. It goes on, or is ended and replaced. */
  #onStalled(stalled: boolean): void {
    const { log } = this.#parts;
    if (stalled) log.warn({}, 'the mediasoup worker answers nothing');
    else log.info({}, 'the mediasoup worker answers again');
    this.#stalled = stalled ? new MicroturnError('edge/worker-died', 'it answers nothing') : undefined;
  }

  /** Nothing is heard or said until another thread is up; sessions go on, and their clients come back for new transports. */
  #onLost(message: string): void {
    const lost = new MicroturnError('edge/worker-died', message);
    this.#lost = lost;
    for (const call of this.#parts.calls.values()) call.drop(lost);
  }

  async #onRestored(): Promise<void> {
    const lost = this.#lost;
    // That was another worker.
    this.#stalled = undefined;
    try {
      await this.#parts.rooms.restore();
      await Promise.all([...this.#parts.calls.values()].map((call) => call.restoreMedia()));
      if (lost === this.#lost) this.#lost = undefined;
    } catch (error) {
      // Lost again meanwhile: the next one is restored in its turn.
      if (lost === this.#lost) this.#parts.onFailed(MicroturnError.from(error, 'edge/worker-died'));
    }
  }
}
