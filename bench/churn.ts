import { MicroturnError } from '@microturn/protocol';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SocketClient } from '../test/support/socket-client.js';
import { SeededRandom } from '../test/support/random.js';
import type { Benchmark, Figure } from './lib/benchmark.js';
import { MeasuredEdge } from './lib/measured-edge.js';
import { median, round, theilSen } from './lib/stats.js';

const CALLERS = 6;
/** Calls that end with a lost network and not with a word. */
const DROPPED = 0.1;
const SAMPLE_MS = 1_000;
/** Share of the run in which caches fill and heaps find their size. */
const WARM_UP = 0.3;
/** Heaps are looked at where they have just been collected: at the least of so many samples. */
const LEAST_OF = 5;
/** What is loaded with the first calls is not theirs. */
const WARM_UP_CALLS = 12;
/** Sessions that the control keeps open, or as many as the edge lets in: on a busy machine it refuses some. */
const KEPT = 48;
/** How long a caller who was refused waits. */
const REFUSED_MS = 500;
/** Calls that may fail, where a busy machine answers later than a caller waits. One more, and the edge is what fails. */
const FAILED = 100;
const MB = 1e6;

interface Sample {
  readonly joins: number;
  readonly heapMb: number;
  readonly rssMb: number;
  readonly handles: number;
}

/**
 * What: what a thousand calls leave behind in the edge when they are over: heap, resident memory of edge and worker, open
 * files and sockets.
 * How: a real edge; six callers who join, stay for up to 0.2 s and leave, one in ten without a word, as fast as the edge lets
 * them, for a minute and a half (`--minutes 60` for an hour). Theil-Sen slopes over joins, of the least of five
 * samples, after the first third.
 * Against: the control, which must be larger: the memory that as many calls take that do not end, measured over 48 in the
 * same run, before the others. Where it is not, `holds` is false.
 */
export const churn: Benchmark = {
  name: 'churn',
  about: 'joins and leaves without a pause: what a thousand of them leave in heap, memory and handles',
  async run({ quick, note, minutes = 1.5 }) {
    const ms = quick ? 6_000 : minutes * 60_000;
    await using edge = await MeasuredEdge.start({ args: ['--rows', '64', '--resume-seconds', '1'] });
    const random = new SeededRandom(5);
    let joins = 0;
    let refused = 0;
    let failed = 0;
    const call = async (caller: number) => {
      using client = await join(edge, { room: `churn-${caller}`, identity: `caller-${caller}-${joins}` });
      if (!client) {
        refused++;
        await sleep(REFUSED_MS);
        return;
      }
      joins++;
      await sleep(random.integer(0, 200));
      if (random.next() < DROPPED) client.drop();
      else {
        client.leave();
        await client.untilClosed();
      }
    };
    const callAgain = async (caller: number) => {
      try {
        await call(caller);
      } catch (error) {
        if (++failed > FAILED) throw error;
        note(String(error));
        await sleep(REFUSED_MS);
      }
    };
    const look = async (): Promise<Sample> => ({
      joins,
      heapMb: (await edge.process.metrics()).get('nodejs_heap_size_used_bytes')! / MB,
      rssMb: edge.rssBytes() / MB,
      handles: readdirSync(`/proc/${edge.process.pid}/fd`).length,
    });

    for (let i = 0; i < WARM_UP_CALLS; i++) await call(0);
    const kept = await memoryOfKept(edge, look);
    joins = 0;
    const first = await look();
    const untilMs = performance.now() + ms;
    const samples: Sample[] = [];
    const callers = Array.from({ length: CALLERS }, async (_, caller) => {
      while (performance.now() < untilMs) await callAgain(caller);
    });
    while (performance.now() < untilMs) {
      await sleep(SAMPLE_MS);
      samples.push(await look());
      if (samples.length % 10 === 0) note(`${joins} joins`);
    }
    await Promise.all(callers);
    await sleep(4_000); // longer than those who were dropped are waited for
    const last = await look();
    const left = (await edge.process.metrics()).get('microturn_sessions')!;

    const settled = samples.slice(Math.floor(samples.length * WARM_UP));
    const per1000 = (of: keyof Sample) =>
      1000 * theilSen(leastOfEach(settled, of).map((sample) => ({ x: sample.joins, y: sample[of] }))).slope;
    const conditions = {
      n: joins,
      refused,
      failed,
      minutes: round(ms / 60_000, 1),
      sessionsLeft: left,
      heapMb: [first.heapMb, last.heapMb].map((mb) => round(mb, 1)),
      rssMb: [first.rssMb, last.rssMb].map((mb) => round(mb, 1)),
      joinsPerSecond: round((joins * 1000) / ms, 1),
    };
    const figure = (name: string, of: 'heapMb' | 'rssMb'): Figure => ({
      name,
      value: round(per1000(of), 2),
      unit: 'MB',
      baseline: { name: 'control: 1000 calls that do not end', value: round(1000 * kept[of], 0) },
      conditions: { ...conditions, holds: 1000 * kept[of] > per1000(of), keptInControl: kept.count },
    });
    return [
      figure('heap that 1000 calls leave', 'heapMb'),
      figure('RSS that 1000 calls leave', 'rssMb'),
      {
        name: 'handles that are left after churn',
        value: last.handles - first.handles,
        unit: 'count',
        baseline: { name: 'before the first call', value: first.handles },
        conditions,
      },
    ];
  },
};

/** Of one call, by what some that stay add. */
async function memoryOfKept(
  edge: MeasuredEdge,
  look: () => Promise<Sample>,
): Promise<Pick<Sample, 'heapMb' | 'rssMb'> & { readonly count: number }> {
  const before = await lowest(look);
  const clients: SocketClient[] = [];
  for (let i = 0; i < KEPT; i++) {
    const client = await join(edge, { room: `kept-${i}`, identity: `kept-${i}` });
    if (!client) break;
    clients.push(client);
  }
  const count = clients.length;
  if (count === 0) throw new Error('the edge let nobody in');
  const after = await lowest(look);
  for (const client of clients) client.leave();
  await Promise.all(clients.map((client) => client.untilClosed()));
  return { count, heapMb: (after.heapMb - before.heapMb) / count, rssMb: (after.rssMb - before.rssMb) / count };
}

/** Undefined where the edge has no room for them now. */
async function join(
  edge: MeasuredEdge,
  as: { readonly room: string; readonly identity: string },
): Promise<SocketClient | undefined> {
  const client = await SocketClient.open(edge.process.webSocketUrl);
  try {
    await client.join(await edge.process.token(as));
    return client;
  } catch (error) {
    client.close();
    if (MicroturnError.from(error, 'net/closed').code === 'edge/full') return undefined;
    throw error;
  }
}

async function lowest(look: () => Promise<Sample>): Promise<Pick<Sample, 'heapMb' | 'rssMb'>> {
  const samples: Sample[] = [];
  for (let i = 0; i < LEAST_OF; i++) {
    await sleep(300);
    samples.push(await look());
  }
  return { heapMb: Math.min(...samples.map(({ heapMb }) => heapMb)), rssMb: median(samples.map(({ rssMb }) => rssMb)) };
}

function leastOfEach(samples: readonly Sample[], of: keyof Sample): Sample[] {
  const least: Sample[] = [];
  for (let i = 0; i + LEAST_OF <= samples.length; i += LEAST_OF) {
    least.push(samples.slice(i, i + LEAST_OF).reduce((a, b) => (b[of] < a[of] ? b : a)));
  }
  return least.length > 1 ? least : [...samples];
}
