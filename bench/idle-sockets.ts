import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EdgeProcess } from '../test/support/edge-process.js';
import { IdleSockets } from '../test/support/idle-sockets.js';
import { root } from '../test/support/root.js';
import type { Benchmark } from './lib/benchmark.js';
import { rssBytes } from './lib/process-figures.js';
import { median, round } from './lib/stats.js';

const SOCKETS = 1_000;
/** Below what one address may have. */
const OF_ONE_ADDRESS = 200;
/** What grows with the first sockets is not theirs. */
const WARM_UP = 500;
const RATIO_BUDGET = 1.5;
const KB = 1e3;

/**
 * What: resident memory that a socket takes in the edge which is open and has not joined.
 * How: 1000 of them from five addresses, after 500 that came and went; RSS of the edge's process before and with them, of
 * several runs each with a fresh edge. A run in which the edge closed one meanwhile (it does after 10 s) does not count.
 * Against: as many in a process that has nothing but `ws`, in the same run.
 */
export const idleSockets: Benchmark = {
  name: 'idle-sockets',
  about: 'resident memory of a socket that is open and says nothing',
  async run({ quick, note }) {
    const runs = quick ? 1 : 3;
    const ours: number[] = [];
    const bare: number[] = [];
    for (let i = 0; i < runs; i++) {
      note(`run ${i + 1} of ${runs}`);
      {
        await using edge = await EdgeProcess.start();
        ours.push(await perSocket(edge.webSocketUrl, edge.pid));
      }
      const server = fork(join(root, 'bench/lib/bare-ws.mjs'));
      const [port] = (await once(server, 'message')) as [number];
      bare.push(await perSocket(`ws://127.0.0.1:${port}/`, server.pid!));
      server.disconnect();
    }
    return [
      {
        name: 'RSS of an idle socket',
        value: round(median(ours) / KB, 1),
        unit: 'kB',
        baseline: { name: 'bare ws, same run', value: round(median(bare) / KB, 1) },
        budget: round((RATIO_BUDGET * median(bare)) / KB, 1),
        conditions: {
          n: runs,
          sockets: SOCKETS,
          edgeKb: ours.map((bytes) => round(bytes / KB, 1)),
          bareKb: bare.map((bytes) => round(bytes / KB, 1)),
        },
      },
    ];
  },
};

async function perSocket(url: string, pid: number): Promise<number> {
  {
    using first = await IdleSockets.open({ url, count: WARM_UP, perAddress: OF_ONE_ADDRESS });
    if (first.upgraded !== WARM_UP) throw new Error(`${first.failed} sockets got no upgrade`);
  }
  await sleep(1_000);
  const before = await settledRss(pid);
  using sockets = await IdleSockets.open({ url, count: SOCKETS, perAddress: OF_ONE_ADDRESS });
  const after = await settledRss(pid);
  if (sockets.open !== SOCKETS)
    throw new Error(`${sockets.open} of ${SOCKETS} sockets are open: the machine is too slow`);
  return (after - before) / SOCKETS;
}

async function settledRss(pid: number): Promise<number> {
  const readings: number[] = [];
  for (let i = 0; i < 5; i++) {
    await sleep(100);
    readings.push(rssBytes(pid));
  }
  return median(readings);
}
