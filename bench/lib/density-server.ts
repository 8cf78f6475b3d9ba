import { loadBundle } from '../../packages/edge/src/engine/bundle.js';
import { lanePhaseMs } from '../../packages/edge/src/engine/lane-phase.js';
import { OnnxModel } from '../../packages/edge/src/engine/onnx-model.js';
import type { InteractionStream } from '../../packages/edge/src/engine/types.js';
import type { DensityReport, DensityRequest } from './density-messages.js';
import { quantile } from './stats.js';
import { nanoBundle, speechLike } from './steppers.js';

const MICRO_TURN_MS = 200;

interface Row {
  readonly stream: InteractionStream;
  readonly lease: number;
  dueMs: number;
  index: number;
}

/**
 * Carries sessions in real time: each row's micro-turns are pushed when they are due, on the phase of its lane.
 * @param phaseMs of the first lane: processes that begin at once do not step at once
 */
export async function serve({
  rows,
  laneSize,
  phaseMs,
}: {
  rows: number;
  laneSize: number;
  phaseMs: number;
}): Promise<void> {
  const now = () => Number(process.hrtime.bigint()) / 1e6;
  const model = await OnnxModel.load(await loadBundle(nanoBundle), { rows, laneSize, clock: { now } });
  const sounds = speechLike();
  const open: Row[] = [];
  let carried = 0;
  let lags: number[] = [];

  const carry = (count: number) => {
    while (open.length < count) {
      const lease = open.length + 1;
      const stream = model.open(lease, ({ lagMs }) => lags.push(lagMs));
      open.push({ stream, lease, dueMs: 0, index: 0 });
    }
    // Those that were carried keep their time; the others begin, on the phase of their lane.
    for (let row = carried; row < count; row++) {
      const lanePhase = lanePhaseMs(0, Math.floor(row / laneSize), MICRO_TURN_MS);
      open[row]!.dueMs =
        (Math.floor(now() / MICRO_TURN_MS) + 2) * MICRO_TURN_MS + ((phaseMs + lanePhase) % MICRO_TURN_MS);
    }
    carried = count;
  };
  const feed = () => {
    const nowMs = now();
    let nextMs = nowMs + MICRO_TURN_MS;
    for (const row of open.slice(0, carried)) {
      for (; row.dueMs <= nowMs; row.dueMs += MICRO_TURN_MS) {
        const pcm = sounds[(row.index + row.lease) % sounds.length]!;
        row.stream.push({ lease: row.lease, index: row.index++, pcm, lost: 0, play: 0, dueMs: row.dueMs });
      }
      nextMs = Math.min(nextMs, row.dueMs);
    }
    setTimeout(feed, Math.max(0, nextMs - now()));
  };

  const handle = async (request: DensityRequest): Promise<DensityReport | undefined> => {
    if (request.do === 'carry') {
      carry(request.rows);
      return undefined;
    }
    lags = [];
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, request.ms));
    const { user, system } = process.cpuUsage(before);
    return {
      turns: lags.length,
      late: lags.filter((ms) => ms > MICRO_TURN_MS).length,
      lagP99Ms: lags.length > 0 ? quantile(lags, 0.99) : 0,
      cpuMs: (user + system) / 1000,
    };
  };
  process.on('message', async (request: DensityRequest) => process.send!({ report: await handle(request) }));
  // The benchmark is gone.
  process.on('disconnect', () => process.exit());
  feed();
  process.send!({});
}
