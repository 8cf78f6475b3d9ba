import type { SessionEvent } from '@microturn/protocol';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Figure } from './benchmark.js';
import type { MeasuredEdge } from './measured-edge.js';
import { NodeCaller } from './node-caller.js';
import { median, quantile, round, spread } from './stats.js';
import { until } from './until.js';

const MICRO_TURN_MS = 200;
/** After the agent's last word: the floor is free again. */
const FREE_AFTER_MS = 1_200;
const CALLERS = 3;

/** From a result that is there, with the floor free, to the first packet of the voice that says it. */
export async function relayDelay(
  edge: MeasuredEdge,
  asks: number,
  note: (text: string) => void,
): Promise<readonly Figure[]> {
  const delays = await Promise.all(
    Array.from({ length: CALLERS }, (_, i) => askedBy(edge, i, asks, i === 0 ? note : () => {})),
  );
  const tookMs = delays.flat();
  const figure = (name: string, value: number): Figure => ({
    name: `result there and floor free to its first audio, ${name}`,
    value: round(value, 1),
    unit: 'ms',
    baseline: { name: 'half a micro-turn', value: MICRO_TURN_MS / 2 },
    conditions: { callers: CALLERS, ...spread(tookMs) },
  });
  return [figure('p50', median(tookMs)), figure('p95', quantile(tookMs, 0.95))];
}

/** One silent caller asks one thing after the other. */
async function askedBy(
  edge: MeasuredEdge,
  number: number,
  asks: number,
  note: (text: string) => void,
): Promise<readonly number[]> {
  const events: { event: SessionEvent; atMs: number }[] = [];
  const caller = await NodeCaller.join({
    url: edge.url,
    token: await edge.process.token({ room: `relay-${number}` }),
    onEvent: (event) => events.push({ event, atMs: monotonicMs() }),
  });
  const silence = new Int16Array(480);
  const microphone = setInterval(() => caller.feed(silence), 10);
  const tookMs: number[] = [];
  try {
    for (let i = 0; i < asks; i++) {
      note(`result ${i + 1} of ${asks}`);
      // At another place of the grid each time.
      await sleep(FREE_AFTER_MS + ((i * 70) % MICRO_TURN_MS));
      const taskId = await caller.ask('what is two and two');
      const about = (type: SessionEvent['type']) =>
        events.find(({ event }) => event.type === type && 'taskId' in event && event.taskId === taskId);
      await until(() => about('task.woven') !== undefined, 'the result to be said');
      const begun = about('response.started')!.event as SessionEvent & { responseId: string };
      const sent = (await edge.stations()).find(
        (station) => station.is === 'sent' && station.responseId === begun.responseId,
      ) as { atMs: number };
      tookMs.push(sent.atMs - about('task.completed')!.atMs);
    }
  } finally {
    clearInterval(microphone);
    caller.leave();
  }
  return tookMs;
}

/** By the clock that the probe in the edge has too. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
