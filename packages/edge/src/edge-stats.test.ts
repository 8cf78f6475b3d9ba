import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MicroturnError } from '@microturn/protocol';
import { EdgeStats } from './edge-stats.js';
import { EdgeMetrics, silentLog } from './telemetry/index.js';
import { ManualClock } from './testing/manual-clock.js';

const uplinks = { packets: 0, lost: 0, late: 0, duplicates: 0, malformed: 0, refused: 0, concealedMs: 0 };
const mediaStats = {
  endpoints: [{ endpoint: 'e', rttMs: 20 }],
  uplinks,
  placeP99Ms: 1,
  sendP99Ms: 1,
  tickLateP99Ms: 1,
  heapUsedBytes: 1,
  heapHeldBytes: 2,
};
const load = { leases: 1, capacity: 2, lateShare: 0, lagP99Ms: 1 };

let metrics: EdgeMetrics;
let clock: ManualClock;
const request = vi.fn<(...asked: unknown[]) => Promise<unknown>>();
const noteStats = vi.fn();
let stats: EdgeStats;

beforeEach(() => {
  metrics = new EdgeMetrics();
  clock = new ManualClock();
  vi.resetAllMocks();
  stats = new EdgeStats({
    media: { request },
    engine: { load, stats: () => Promise.resolve({ heapUsedBytes: 1, heapHeldBytes: 2 }) },
    recorder: { degraded: false },
    metrics,
    log: silentLog,
    calls: new Map([['a', { session: { endpoint: 'e', noteStats } }]]),
    rooms: { size: 1 },
    clock,
  } as unknown as ConstructorParameters<typeof EdgeStats>[0]);
});
afterEach(() => metrics.close());

describe('fault 47, however often it is asked how an edge fares', () => {
  it('its media thread is asked one question at a time, and no more than two a second', async () => {
    let answer = () => {};
    request.mockImplementation(() => new Promise((resolve) => (answer = () => resolve(mediaStats))));
    const scrapes = Array.from({ length: 2000 }, () => stats.refreshGauges());
    clock.advance(5000);
    scrapes.push(stats.refreshGauges(), stats.refresh());
    expect(request).toHaveBeenCalledOnce();
    answer();
    await Promise.all(scrapes);
    expect(noteStats).toHaveBeenCalledOnce();
    for (let ms = 0; ms < 2000; ms += 10) {
      const asked = stats.refresh();
      answer();
      await asked;
      clock.advance(10);
    }
    expect(request).toHaveBeenCalledTimes(5);
  });

  it('one that does not answer is asked again, and does not hide the rest', async () => {
    request.mockRejectedValueOnce(new MicroturnError('edge/worker-died'));
    await stats.refreshGauges();
    expect(await metrics.registry.metrics()).toContain('microturn_rooms 1');
    request.mockResolvedValue(mediaStats);
    clock.advance(1000);
    await stats.refresh();
    expect(noteStats).toHaveBeenCalledWith({ endpoint: 'e', rttMs: 20 });
  });
});
