import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EdgeProcess } from '../test/support/edge-process.js';
import { IdleSockets } from '../test/support/idle-sockets.js';
import { root } from '../test/support/root.js';
import type { Benchmark } from './lib/benchmark.js';
import { rssBytes } from './lib/process-figures.js';
import { median, round, theilSen } from './lib/stats.js';

const SOCKETS = 2_000;
/** Less than half of what one address may have: the edge may not have seen yet that those before are gone. */
const OF_ONE_ADDRESS = 100;
/** What grows with the first sockets is not theirs. */
const WARM_UP = 500;
/** Fewer than this say nothing. */
const LEAST = 400;
const RATIO_BUDGET = 1.5;
const KB = 1e3;

/**
 * What: resident memory that a socket takes in the edge which is open and has not joined.
 * How: 2000 of them from twenty addresses, after 500 that came and went; the Theil-Sen slope of the edge's RSS over how many
 * are open, as they come and until the edge closes the first (it does after 10 s); several runs, each with a fresh edge.
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
  const points: { x: number; y: number }[] = [];
  using sockets = await IdleSockets.open({
    url,
    count: SOCKETS,
    perAddress: OF_ONE_ADDRESS,
    onUpgrade: ({ open, closed }) => {
      if (closed === 0 && open % 10 === 0) points.push({ x: open, y: rssBytes(pid) });
    },
  });
  const most = Math.max(...points.map(({ x }) => x));
  if (most < LEAST) throw new Error(`${most} sockets were open at most (${sockets.refused} were refused)`);
  return theilSen(points).slope;
}
