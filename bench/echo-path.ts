import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark, Context, Figure } from './lib/benchmark.js';
import { EchoProbe } from './lib/echo.js';
import { Janus, hasJanus } from './lib/janus.js';
import { MeasuredEdge, total, used } from './lib/measured-edge.js';
import { NodeCaller } from './lib/node-caller.js';
import { cpuMs } from './lib/process-figures.js';
import { median, quantile, round } from './lib/stats.js';

const SETTLE_MS = 3_000;

/**
 * What: how long sound takes from one caller's microphone through the edge's SFU to a listener, p50 and p99; and the CPU time
 * that the server takes for it.
 * How: libwebrtc sends a burst of tone every 0.37 s and hears it again, with Opus, DTLS and its jitter buffer on both sides,
 * which are most of the time; blocks in ABBA order, a call on one server at a time. On our side two participants of one room, one
 * listening to the other; both also talk with an agent, whose engine is in `edgeCpuMsPerSecond` and not in that of the worker.
 * Against: Janus's echo test (Debian's `janus`), the same probe in the same process; left out where it is not installed.
 */
export const echoPath: Benchmark = {
  name: 'echo-path',
  about: 'sound from one caller through the SFU to another, beside Janus’s echo test',
  async run(context) {
    if (!hasJanus) {
      context.note('left out: it needs Janus (apt-get install janus)');
      return [];
    }
    await using edge = await MeasuredEdge.start();
    await using janus = await Janus.start();
    const order = context.quick ? 'OJ' : 'OJJOOJJO';
    const blocks = { O: [] as Block[], J: [] as Block[] };
    for (const [i, who] of [...order].entries()) {
      context.note(`block ${i + 1} of ${order.length}: ${who === 'O' ? 'the edge' : 'Janus'}`);
      blocks[who as 'O' | 'J'].push(
        await (who === 'O' ? throughEdge(context, edge, `echo-${i}`) : throughJanus(context, janus)),
      );
    }
    const trips = (who: 'O' | 'J') => blocks[who].flatMap(({ roundTripsMs }) => roundTripsMs);
    const cpu = (who: 'O' | 'J') => median(blocks[who].map(({ forwardCpu }) => forwardCpu));
    const conditions = {
      n: trips('O').length,
      blocks: blocks.O.length,
      janusN: trips('J').length,
      edgeCpuMsPerSecond: round(median(blocks.O.map(({ allCpu }) => allCpu))),
    };
    const path = (share: number): Figure => ({
      name: `mic-to-ear through the SFU p${share * 100}`,
      value: round(quantile(trips('O'), share), 1),
      unit: 'ms',
      baseline: { name: `Janus’s echo test, p${share * 100}`, value: round(quantile(trips('J'), share), 1) },
      conditions,
    });
    return [
      path(0.5),
      path(0.99),
      {
        name: 'CPU of the mediasoup worker, one way',
        value: round(cpu('O')),
        unit: 'ms',
        baseline: { name: 'CPU of Janus’s echo test', value: round(cpu('J')) },
        conditions: { ...conditions, per: 'second of sound', packetsPerSecond: 50 },
      },
    ];
  },
};

interface Block {
  readonly roundTripsMs: readonly number[];
  /** CPU time a second, ms, of the process that forwards, and of all that the server is. */
  readonly forwardCpu: number;
  readonly allCpu: number;
}

async function throughEdge({ quick }: Context, edge: MeasuredEdge, room: string): Promise<Block> {
  const probe = new EchoProbe();
  const token = (identity: string) => edge.process.token({ room, identity });
  const onEvent = () => undefined;
  const callers = [
    await NodeCaller.join({ url: edge.url, token: await token('speaker'), onEvent, microphone: probe.track }),
    await NodeCaller.join({
      url: edge.url,
      token: await token('listener'),
      onEvent,
      hear: { source: 'microphone', onTrack: (track) => probe.listen(track) },
    }),
  ];
  try {
    return await measure(probe, quick, async () => {
      const parts = await edge.cpuMs();
      return { forward: parts['worker'] ?? 0, all: total(used({}, parts)) };
    });
  } finally {
    for (const caller of callers) caller.leave();
    probe.close();
  }
}

async function throughJanus({ quick }: Context, janus: Janus): Promise<Block> {
  const probe = new EchoProbe();
  const call = await janus.echo(probe.track);
  probe.listen(call.track);
  try {
    return await measure(probe, quick, async () => ({ forward: cpuMs(janus.pid), all: cpuMs(janus.pid) }));
  } finally {
    call.close();
    probe.close();
  }
}

async function measure(
  probe: EchoProbe,
  quick: boolean,
  cpu: () => Promise<{ forward: number; all: number }>,
): Promise<Block> {
  const seconds = quick ? 3 : 15;
  await sleep(SETTLE_MS);
  probe.collect();
  const before = await cpu();
  await sleep(seconds * 1000);
  const after = await cpu();
  const roundTripsMs = probe.collect();
  if (roundTripsMs.length < seconds) throw new Error(`only ${roundTripsMs.length} bursts came back`);
  return {
    roundTripsMs,
    forwardCpu: (after.forward - before.forward) / seconds,
    allCpu: (after.all - before.all) / seconds,
  };
}
