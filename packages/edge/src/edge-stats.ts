import { monotonicClock, type Clock } from './clock.js';
import type { EngineHost } from './engine/index.js';
import type { MediaHost } from './media/index.js';
import type { RoomRegistry } from './session/index.js';
import type { Call } from './signaling/index.js';
import type { SessionRecorder } from './store/index.js';
import type { EdgeMetrics, Log } from './telemetry/index.js';

export interface StatsParts {
  readonly media: Pick<MediaHost, 'request'>;
  readonly engine: Pick<EngineHost, 'load' | 'stats'>;
  readonly recorder: Pick<SessionRecorder, 'degraded'>;
  readonly metrics: EdgeMetrics;
  readonly log: Log;
  readonly calls: ReadonlyMap<string, Pick<Call, 'session'>>;
  readonly rooms: Pick<RoomRegistry<Call>, 'size'>;
  readonly clock?: Clock;
}

/** The media thread asks its worker for each endpoint: more often than this it does not, whoever reads the metrics. */
const FRESH_MS = 500;

/** How the parts of an edge fare, for its sessions and for whoever reads the metrics. */
export class EdgeStats {
  readonly #parts: StatsParts;
  readonly #clock: Clock;
  #askedAtMs = -Infinity;
  #asking = false;
  #answer: Promise<void> = Promise.resolve();

  constructor({ clock = monotonicClock, ...parts }: StatsParts) {
    this.#parts = parts;
    this.#clock = clock;
  }

  /** Asks the media thread how its endpoints fare, and tells their sessions. One question at a time: who comes meanwhile shares its answer. */
  refresh(): Promise<void> {
    const nowMs = this.#clock.now();
    if (!this.#asking && nowMs - this.#askedAtMs >= FRESH_MS) {
      this.#askedAtMs = nowMs;
      this.#asking = true;
      this.#answer = this.#ask().finally(() => (this.#asking = false));
    }
    return this.#answer;
  }

  /** Brings every gauge up to date, for whoever reads the metrics. */
  async refreshGauges(): Promise<void> {
    const { engine, metrics, recorder, log, calls, rooms } = this.#parts;
    metrics.sessions.set(calls.size);
    metrics.rooms.set(rooms.size);
    metrics.noteEngine(engine.load);
    metrics.storeDegraded.set(recorder.degraded ? 1 : 0);
    // What a thread cannot tell any more must not hide the rest.
    await Promise.all([
      this.refresh().catch((error: unknown) => log.warn({ err: error }, 'no media stats')),
      engine.stats().then(
        (stats) => metrics.noteHeap('engine', stats),
        (error: unknown) => log.warn({ err: error }, 'no engine stats'),
      ),
    ]);
  }

  async #ask(): Promise<void> {
    const { media, metrics, calls } = this.#parts;
    const stats = await media.request('stats', {});
    metrics.place.set(stats.placeP99Ms / 1000);
    metrics.send.set(stats.sendP99Ms / 1000);
    metrics.tickLate.set(stats.tickLateP99Ms / 1000);
    metrics.noteUplinks(stats.uplinks);
    metrics.noteHeap('media', stats);
    const byEndpoint = new Map(stats.endpoints.map((endpoint) => [endpoint.endpoint, endpoint]));
    for (const { session } of calls.values()) {
      const endpoint = byEndpoint.get(session.endpoint);
      if (endpoint) session.noteStats(endpoint);
    }
  }
}
