import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { EdgeProcess } from '../test/support/edge-process.js';
import { IdleSockets } from '../test/support/idle-sockets.js';
import { root } from '../test/support/root.js';
import { TemporaryFolder } from '../test/support/temporary-folder.js';
import type { Benchmark } from './lib/benchmark.js';
import { median, round } from './lib/stats.js';

const SOCKETS = 1_000;
/** Less than half of what one address may have: the edge may not have seen yet that those before are gone. */
const OF_ONE_ADDRESS = 100;
/** What grows with the first sockets is not theirs. */
const WARM_UP = 200;
/** Fewer than this say nothing: on a busy machine the first are closed, after 10 s, before the last are open. */
const LEAST = 300;
const RATIO_BUDGET = 1.5;
const ANSWER_MS = 20_000;
const KB = 1e3;
const PROBE = ['--expose-gc', '--import', pathToFileURL(join(root, 'bench/lib/heap-probe.mjs')).href];

/**
 * What: memory that a socket takes in the edge which is open and has not joined.
 * How: a thousand of them from ten addresses; heap and external memory of the edge's main thread after a collection, before
 * and with them, over those that are open then. Resident memory says nothing here: a heap has room for as many, or not.
 * Against: as many in a process that has nothing but `ws`, in the same run.
 */
export const idleSockets: Benchmark = {
  name: 'idle-sockets',
  about: 'memory of a socket that is open and says nothing',
  async run({ quick, note }) {
    const runs = quick ? 1 : 3;
    const ours: number[] = [];
    const bare: number[] = [];
    await using folder = await TemporaryFolder.create();
    for (let i = 0; i < runs; i++) {
      note(`run ${i + 1} of ${runs}`);
      {
        const heap = new Heap(folder.file(`edge-${i}`));
        await using edge = await EdgeProcess.start({ nodeArgs: PROBE, env: heap.env });
        ours.push(await perSocket(edge.webSocketUrl, () => heap.bytes(edge.pid)));
      }
      const heap = new Heap(folder.file(`bare-${i}`));
      const server = fork(join(root, 'bench/lib/bare-ws.mjs'), {
        execArgv: PROBE,
        env: { ...process.env, ...heap.env },
      });
      const [port] = (await once(server, 'message')) as [number];
      bare.push(await perSocket(`ws://127.0.0.1:${port}/`, () => heap.bytes(server.pid!)));
      server.disconnect();
    }
    return [
      {
        name: 'memory of an idle socket',
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

/** What is left of a process's memory after a collection, as `heap-probe.mjs` tells it. */
class Heap {
  readonly #file: string;
  #readings = 0;

  constructor(file: string) {
    this.#file = file;
  }

  get env(): Record<string, string> {
    return { BENCH_HEAP: this.#file };
  }

  async bytes(pid: number): Promise<number> {
    process.kill(pid, 'SIGUSR2');
    this.#readings++;
    for (const deadline = performance.now() + ANSWER_MS; performance.now() < deadline; await sleep(20)) {
      try {
        const { reading, bytes } = JSON.parse(readFileSync(this.#file, 'utf8')) as { reading: number; bytes: number };
        if (reading === this.#readings) return bytes;
      } catch {
        // Not written yet.
      }
    }
    throw new Error(`process ${pid} does not say what its memory is`);
  }
}

async function perSocket(url: string, bytes: () => Promise<number>): Promise<number> {
  (await IdleSockets.open({ url, count: WARM_UP, perAddress: OF_ONE_ADDRESS }))[Symbol.dispose]();
  await sleep(1_000);
  const before = await bytes();
  using sockets = await IdleSockets.open({ url, count: SOCKETS, perAddress: OF_ONE_ADDRESS });
  const openBefore = sockets.open;
  const after = await bytes();
  const open = (openBefore + sockets.open) / 2;
  if (open < LEAST) throw new Error(`${open} sockets are open (${sockets.refused} were refused)`);
  return (after - before) / open;
}
