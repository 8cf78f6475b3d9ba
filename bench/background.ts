import type { SessionEvent } from '@microturn/protocol';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpenAiServer, type ChatScript } from '../packages/edge/src/testing/openai-server.js';
import { TemporaryFolder } from '../test/support/temporary-folder.js';
import type { Benchmark, Figure } from './lib/benchmark.js';
import { Load } from './lib/load.js';
import { MeasuredEdge } from './lib/measured-edge.js';
import { NodeCaller } from './lib/node-caller.js';
import { median, quantile, ratioWithInterval, round, spread } from './lib/stats.js';

const CALLERS = 5;
const TASKS_EACH = 10;
const TOKENS_PER_SECOND = 20;
const MICRO_TURN_MS = 200;
const LATE_RATIO_BUDGET = 1.05;
/** After the agent's last word: the floor is free again. */
const FREE_AFTER_MS = 1_200;
const SETTLE_MS = 1_000;
const PATIENCE_MS = 15_000;

const LONG_ANSWER = Array.from({ length: 6_000 }, (_, i) => (i % 12 === 11 ? ' end.' : ' word'));
/** Questions of the load get an answer without an end, any other a short one. */
const answers: ChatScript = ({ messages }) =>
  JSON.stringify(messages.at(-1)).includes('now asks: Question')
    ? { text: LONG_ANSWER, tokensPerSecond: TOKENS_PER_SECOND }
    : { text: 'It is four.' };

/**
 * What: what background tasks cost the conversation. Late micro-turns and their lag on main with 50 streaming tasks; and from
 * the moment that a result is there, with the floor free, to the first packet of the voice that says it.
 * How: a real edge; the tasks' answers come from a server of the OpenAI wire format in this process. 5 libwebrtc callers who talk
 * have 10 tasks each, of 20 tokens a second, in half of the blocks (ABBA); what they find is said as in any call. Then one
 * silent caller asks one thing after the other, each long after the agent's last word, and gets its answer at once; the
 * clock runs from the `task.completed` that the caller receives.
 * Against: the blocks without tasks, same run; half a micro-turn, which is what a decision that is made on the grid is waited for.
 */
export const background: Benchmark = {
  name: 'background',
  about: 'what 50 streaming tasks cost the micro-turns; from a result to its voice',
  async run({ quick, note }) {
    const server = await OpenAiServer.start({ chat: answers });
    try {
      await using folder = await TemporaryFolder.create();
      const config = folder.file('microturn.yaml');
      await writeFile(
        config,
        JSON.stringify({
          llm: { models: { scripted: { provider: 'openai-compatible', baseUrl: server.url, model: 'm' } } },
          // Noise asks nothing.
          background: { concurrent: TASKS_EACH, delegate: 'act' },
        }),
      );
      await using edge = await MeasuredEdge.start({ path: true, args: ['--config', config] });
      const relay = await relayFigure(edge, quick ? 2 : 6, note);
      return [...(await lateFigures(edge, server, quick ? 'AB' : 'ABBAABBA', quick ? 2_000 : 3_000, note)), relay];
    } finally {
      await server.close();
    }
  },
};

interface Turns {
  readonly turns: number;
  readonly late: number;
}

interface Block extends Turns {
  readonly lagMs: readonly number[];
}

async function lateFigures(
  edge: MeasuredEdge,
  server: OpenAiServer,
  order: string,
  blockMs: number,
  note: (text: string) => void,
): Promise<Figure[]> {
  await using load = await Load.start(edge);
  await load.growTo(CALLERS);
  await load.run(2_000);
  const blocks: Record<'A' | 'B', Block[]> = { A: [], B: [] };
  const beginnings: Record<'A' | 'B', Turns[]> = { A: [], B: [] };
  const beganMs: number[] = [];
  const streaming = () => server.chats.filter(({ outcome, sent }) => outcome === 'open' && sent > 0).length;
  let tokens = 0;
  for (const [i, kind] of [...order].entries()) {
    note(`block ${i + 1} of ${order.length}: ${kind === 'A' ? 'no tasks' : `${CALLERS * TASKS_EACH} tasks`}`);
    const atRest = await turnsOf(edge);
    const askedAtMs = performance.now();
    if (kind === 'B') {
      await load.ask(TASKS_EACH);
      await until(() => streaming() === CALLERS * TASKS_EACH, 'all tasks to stream');
      beganMs.push(performance.now() - askedAtMs);
    }
    // What it costs to begin 50 at once is counted apart from what they cost.
    await load.settle(SETTLE_MS);
    const sentBefore = sentBy(server);
    const before = await turnsOf(edge);
    beginnings[kind as 'A' | 'B'].push({ turns: before.turns - atRest.turns, late: before.late - atRest.late });
    const { lags } = await load.run(blockMs);
    const after = await turnsOf(edge);
    tokens += sentBy(server) - sentBefore;
    blocks[kind as 'A' | 'B'].push({
      lagMs: lags.map(({ mainMs }) => mainMs),
      turns: after.turns - before.turns,
      late: after.late - before.late,
    });
    await load.cancelTasks();
    await until(() => streaming() === 0, 'the tasks to end');
  }
  const all = (kind: 'A' | 'B') => blocks[kind].flatMap(({ lagMs }) => lagMs);
  const late = { A: sum(blocks.A), B: sum(blocks.B) };
  const lateAtFirst = { A: sum(beginnings.A), B: sum(beginnings.B) };
  const ratio = ratioWithInterval(blocks.B.map(({ lagMs }, i) => median(lagMs) / median(blocks.A[i]!.lagMs)));
  const conditions = {
    n: all('B').length,
    blocks: order,
    callers: CALLERS,
    tasks: CALLERS * TASKS_EACH,
    tokensPerSecond: round((tokens / (blocks.B.length * blockMs)) * 1000, 0),
  };
  return [
    {
      name: 'late micro-turns with 50 streaming tasks',
      value: round(late.B.late / late.B.turns, 5),
      unit: 'share',
      baseline: { name: 'without tasks, same run', value: round(late.A.late / late.A.turns, 5) },
      conditions: { ...conditions, n: late.B.turns, late: late.B.late, lateWithout: late.A.late },
    },
    {
      name: 'late micro-turns while 50 tasks begin at once, and for a second after',
      value: round(lateAtFirst.B.late / lateAtFirst.B.turns, 5),
      unit: 'share',
      baseline: {
        name: 'a second without tasks, same run',
        value: round(lateAtFirst.A.late / Math.max(1, lateAtFirst.A.turns), 5),
      },
      conditions: {
        ...conditions,
        n: lateAtFirst.B.turns,
        late: lateAtFirst.B.late,
        lateWithout: lateAtFirst.A.late,
        untilAllStreamMs: spread(beganMs),
      },
    },
    {
      name: 'micro-turn-lag with 50 streaming tasks over without, p50',
      value: round(ratio.median),
      unit: 'ratio',
      baseline: { name: 'no cost', value: 1 },
      budget: LATE_RATIO_BUDGET,
      conditions: { ...conditions, low: round(ratio.low), high: round(ratio.high), lagMs: spread(all('B')) },
    },
    {
      name: 'micro-turn-lag with 50 streaming tasks, p99',
      value: round(quantile(all('B'), 0.99)),
      unit: 'ms',
      baseline: { name: 'without tasks, same run', value: round(quantile(all('A'), 0.99)) },
      conditions,
    },
  ];
}

function sum(all: readonly Turns[]): Turns {
  return all.reduce((a, b) => ({ turns: a.turns + b.turns, late: a.late + b.late }), { turns: 0, late: 0 });
}

function sentBy(server: OpenAiServer): number {
  return server.chats.reduce((sum, { sent }) => sum + sent, 0);
}

async function turnsOf(edge: MeasuredEdge): Promise<Turns> {
  const metrics = await edge.process.metrics();
  const read = (name: string) => metrics.get(name) ?? 0;
  return { turns: read('microturn_turns_total'), late: read('microturn_turns_late_total') };
}

async function relayFigure(edge: MeasuredEdge, asks: number, note: (text: string) => void): Promise<Figure> {
  const events: { event: SessionEvent; atMs: number }[] = [];
  const caller = await NodeCaller.join({
    url: edge.url,
    token: await edge.process.token({ room: 'relay' }),
    onEvent: (event) => events.push({ event, atMs: monotonicMs() }),
  });
  const silence = new Int16Array(480);
  const microphone = setInterval(() => caller.feed(silence), 10);
  const taken: number[] = [];
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
      taken.push(sent.atMs - about('task.completed')!.atMs);
    }
  } finally {
    clearInterval(microphone);
    caller.leave();
  }
  return {
    name: 'result there and floor free to its first audio, p50',
    value: round(median(taken), 1),
    unit: 'ms',
    baseline: { name: 'half a micro-turn', value: MICRO_TURN_MS / 2 },
    conditions: { ...spread(taken) },
  };
}

/** By the clock that the probe in the edge has too. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${PATIENCE_MS} ms for ${what}`);
    await sleep(20);
  }
}
