import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { loadBundle } from '../../packages/edge/src/engine/bundle.js';
import { EngineHost } from '../../packages/edge/src/engine/engine-host.js';
import { OnnxModel } from '../../packages/edge/src/engine/onnx-model.js';
import type { Decision, InteractionStream, MicroTurn } from '../../packages/edge/src/engine/types.js';
import { silentLog } from '../../packages/edge/src/telemetry/log.js';
import { root } from '../../test/support/root.js';
import { nanoBundle, speechLike } from './steppers.js';

const MICRO_TURN_MS = 200;
const WARM_UP_MS = 1_000;

/** Rows that are fed from a thread of their own, in real time, and decide on this one. */
export interface EngineLoad {
  /** Lets it run so long; what it decided in that time. */
  run(ms: number): Promise<readonly Decision[]>;
  close(): Promise<void>;
}

/** The engine as the edge has it: on its own thread, the built one. */
export async function engineOnThread(rows: number): Promise<EngineLoad> {
  const threadUrl = pathToFileURL(join(root, 'packages/edge/dist/engine-thread.js'));
  const host = await EngineHost.start({ bundleDir: nanoBundle, rows, log: silentLog, threadUrl });
  const decisions: Decision[] = [];
  const leases = Array.from({ length: rows }, () =>
    host.lease(
      (decision) => decisions.push(decision),
      () => undefined,
    ),
  );
  return feed(
    host.connect(),
    leases.map(({ id }) => id),
    decisions,
    () => host.close(),
  );
}

/** The control: the same model, where sockets and sessions live. */
export async function engineOnMain(rows: number): Promise<EngineLoad> {
  const model = await OnnxModel.load(await loadBundle(nanoBundle), { rows });
  const decisions: Decision[] = [];
  const streams = new Map<number, InteractionStream>();
  for (let lease = 1; lease <= rows; lease++)
    streams.set(
      lease,
      model.open(lease, (decision) => decisions.push(decision)),
    );
  const { port1, port2 } = new MessageChannel();
  port2.on('message', (turn: MicroTurn) => streams.get(turn.lease)?.push(turn));
  return feed(port1, [...streams.keys()], decisions, async () => {
    port2.close();
    await model.close();
  });
}

async function feed(
  port: MessagePort,
  leases: readonly number[],
  decisions: Decision[],
  close: () => Promise<void>,
): Promise<EngineLoad> {
  const feeder = new Worker(join(root, 'bench/lib/turn-feeder.mjs'), {
    workerData: { port, leases, microTurnMs: MICRO_TURN_MS, pcm: speechLike() },
    transferList: [port],
  });
  await sleep(WARM_UP_MS);
  return {
    async run(ms) {
      decisions.length = 0;
      await sleep(ms);
      return decisions.slice();
    },
    async close() {
      const exited = new Promise((resolve) => feeder.once('exit', resolve));
      feeder.postMessage('stop');
      await exited;
      await close();
    },
  };
}
