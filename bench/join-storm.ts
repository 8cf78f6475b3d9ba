import { MicroturnError, type SessionEvent } from '@microturn/protocol';
import { setTimeout as sleep } from 'node:timers/promises';
import { SocketClient } from '../test/support/socket-client.js';
import type { Benchmark, Figure } from './lib/benchmark.js';
import { Load } from './lib/load.js';
import { MeasuredEdge, type StationOf } from './lib/measured-edge.js';
import { median, quantile, round } from './lib/stats.js';

const LIVE = 4;
const MICRO_TURN_MS = 200;
const P99_BUDGET_MS = 1_000;
const WATCHED_MS = 10_000;

/**
 * What: from the opening of a socket to `session.started` when 200 callers join at once, p50 and p99; and the share of late
 * micro-turns among calls that were on before.
 * How: a real edge with lanes of 8, 4 libwebrtc callers who talk, and 200 sockets that are opened in one turn of this process's event loop,
 * each with a token and a room of its own; their media transports are made, and not connected. Lateness is what the engine
 * thread reports for each micro-turn of the 4, for ten seconds from the first join on. An edge that falls behind refuses
 * the rest with edge/full: `refused` counts them, the times are of those that got in.
 * Against: the same joins one after the other, on the same edge; the ten seconds before.
 */
export const joinStorm: Benchmark = {
  name: 'join-storm',
  about: '200 joins at once: time to session.started, and what calls that are on notice of it',
  async run({ quick, note }) {
    const [runs, joins] = quick ? [1, 20] : [3, 200];
    const alone: number[] = [];
    const storm: number[] = [];
    let refused = 0;
    const before: StationOf<'decision'>[] = [];
    const during: StationOf<'decision'>[] = [];
    for (let i = 0; i < runs; i++) {
      note(`run ${i + 1} of ${runs}`);
      await using edge = await MeasuredEdge.start({
        path: true,
        args: ['--rows', String(LIVE + joins), '--lane-size', '8'],
      });
      await using load = await Load.start(edge);
      await load.growTo(LIVE);
      await load.settle(quick ? 1_000 : 3_000);
      const live = new Set((await decisions(edge)).map(({ lease }) => lease));
      const watch = async (act: () => Promise<unknown>) => {
        const fromMs = Number(process.hrtime.bigint()) / 1e6;
        await Promise.all([act(), sleep(quick ? 2_000 : WATCHED_MS)]);
        return (await decisions(edge)).filter(({ lease, atMs }) => live.has(lease) && atMs >= fromMs);
      };

      before.push(...(await watch(async () => {})));
      const names = Array.from({ length: joins }, (_, k) => `storm-${k}`);
      for (const name of names.slice(0, 30)) alone.push(await joinAndLeave(edge, name));
      during.push(
        ...(await watch(async () => {
          const asked = await Promise.allSettled(names.map((name) => join(edge, name)));
          for (const one of asked) {
            if (one.status === 'fulfilled') {
              storm.push(one.value.ms);
              one.value.client.leave();
            } else if (MicroturnError.from(one.reason, 'net/closed').code === 'edge/full') refused++;
            else throw one.reason;
          }
        })),
      );
    }
    const lateShare = (of: readonly StationOf<'decision'>[]) =>
      of.filter(({ lagMs }) => lagMs > MICRO_TURN_MS).length / of.length;
    const conditions = { n: storm.length, runs, joinsAtOnce: joins, refused, live: LIVE };
    const started = (share: number, budget?: number): Figure => ({
      name: `join-storm to session.started p${share * 100}`,
      value: round(quantile(storm, share), 0),
      unit: 'ms',
      baseline: { name: 'the same joins one by one, p50', value: round(median(alone), 1) },
      ...(budget !== undefined && { budget }),
      conditions: { ...conditions, aloneP99Ms: round(quantile(alone, 0.99), 1) },
    });
    return [
      started(0.5),
      started(0.99, P99_BUDGET_MS),
      {
        name: 'late micro-turns of live calls in the storm',
        value: round(lateShare(during), 5),
        unit: 'share',
        baseline: { name: 'before it', value: round(lateShare(before), 5) },
        conditions: {
          ...conditions,
          n: during.length,
          lagP99Ms: round(
            quantile(
              during.map(({ lagMs }) => lagMs),
              0.99,
            ),
            1,
          ),
          lagP99BeforeMs: round(
            quantile(
              before.map(({ lagMs }) => lagMs),
              0.99,
            ),
            1,
          ),
        },
      },
    ];
  },
};

async function decisions(edge: MeasuredEdge): Promise<StationOf<'decision'>[]> {
  return (await edge.stations()).filter((station): station is StationOf<'decision'> => station.is === 'decision');
}

async function join(edge: MeasuredEdge, name: string): Promise<{ ms: number; client: SocketClient }> {
  const token = await edge.process.token({ room: name, identity: name });
  const startMs = performance.now();
  const client = await SocketClient.join(edge.process.webSocketUrl, token);
  await client.until('session.started', (message) => (message as SessionEvent).type === 'session.started');
  return { ms: performance.now() - startMs, client };
}

async function joinAndLeave(edge: MeasuredEdge, name: string): Promise<number> {
  const { ms, client } = await join(edge, name);
  client.leave();
  await client.untilClosed();
  return ms;
}
