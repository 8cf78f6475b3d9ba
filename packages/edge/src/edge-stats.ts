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
  readonly calls: ReadonlyMap<string, Call>;
  readonly rooms: RoomRegistry<Call>;
}

/** Asks the media thread how its endpoints fare, and tells their sessions. */
export async function refreshStats({ media, metrics, calls }: StatsParts): Promise<void> {
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

/** Brings every gauge up to date, for whoever reads the metrics. */
export async function refreshMetrics(parts: StatsParts): Promise<void> {
  const { engine, metrics, recorder, log, calls, rooms } = parts;
  metrics.sessions.set(calls.size);
  metrics.rooms.set(rooms.size);
  metrics.noteEngine(engine.load);
  metrics.storeDegraded.set(recorder.degraded ? 1 : 0);
  // What a thread cannot tell any more must not hide the rest.
  await Promise.all([
    refreshStats(parts).catch((error: unknown) => log.warn({ err: error }, 'no media stats')),
    engine.stats().then(
      (stats) => metrics.noteHeap('engine', stats),
      (error: unknown) => log.warn({ err: error }, 'no engine stats'),
    ),
  ]);
}
