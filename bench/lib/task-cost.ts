import type { Figure } from './benchmark.js';
import { Load } from './load.js';
import { total, used, type MeasuredEdge } from './measured-edge.js';
import { cpuMs } from './process-figures.js';
import type { ScriptedLlm } from './scripted-llm.js';
import { STREAMED_QUESTION, TOKENS_PER_SECOND, WHOLE_QUESTION } from './scripted-llm-messages.js';
import { median, quantile, ratioWithInterval, round, spread } from './stats.js';
import { turnTimes, type TurnTimes } from './turn-times.js';
import { until } from './until.js';

const CALLERS = 10;
const TASKS_EACH = 5;
const TASKS = CALLERS * TASKS_EACH;
const MICRO_TURN_MS = 200;
const RATIO_BUDGET = 1.05;
const SETTLE_MS = 1_000;
const BASELINE = 'as many results that came at once, same run';
/** Below so many late ones, their ratio is that of two accidents. */
const ENOUGH_LATE = 20;

type Kind = 'A' | 'B';

interface Block {
  readonly fromMs: number;
  readonly toMs: number;
  /** When it was settled, and what is counted begins. */
  readonly settledMs: number;
  readonly tokens: number;
  /** ms of CPU in a second, by thread. */
  readonly cpu: Readonly<Record<string, number>>;
}

/**
 * What streaming tasks cost the micro-turns: the lateness of every one, in blocks in which 50 tasks stream (B), and in which as
 * many results were there at once (A). Both are said, so that the agents speak as much.
 */
export async function taskCost(
  edge: MeasuredEdge,
  llm: ScriptedLlm,
  { order, blockMs, note }: { order: string; blockMs: number; note: (text: string) => void },
): Promise<Figure[]> {
  await using load = await Load.start(edge);
  await load.growTo(CALLERS);
  await load.run(2_000);
  const blocks: Record<Kind, Block[]> = { A: [], B: [] };
  const untilAllStreamMs: number[] = [];
  for (const [i, kind] of [...order].entries()) {
    note(`block ${i + 1} of ${order.length}: ${TASKS} tasks that ${kind === 'A' ? 'are done' : 'stream'}`);
    const fromMs = nowMs();
    await load.ask(TASKS_EACH, kind === 'A' ? WHOLE_QUESTION : STREAMED_QUESTION);
    if (kind === 'B') {
      await until(async () => (await llm.report()).streaming === TASKS, 'all tasks to stream');
      untilAllStreamMs.push(nowMs() - fromMs);
    }
    // What it costs to begin 50 at once is counted apart from what they cost.
    await load.settle(SETTLE_MS);
    const settledMs = nowMs();
    const before = { cpu: await cpuOf(edge, llm), ...(await llm.report()) };
    await load.run(blockMs);
    const toMs = nowMs();
    const after = { cpu: await cpuOf(edge, llm), ...(await llm.report()) };
    const seconds = (toMs - settledMs) / 1000;
    const cpu = Object.entries(used(before.cpu, after.cpu)).map(([role, ms]) => [role, ms / seconds]);
    blocks[kind as Kind].push({
      fromMs,
      settledMs,
      toMs,
      tokens: after.tokens - before.tokens,
      cpu: Object.fromEntries(cpu) as Record<string, number>,
    });
    await load.cancelTasks();
    await until(async () => (await llm.report()).streaming === 0, 'the tasks to end');
  }
  const { problems } = await llm.report();
  if (problems.length > 0) throw new Error(`the scripted language model was asked out of order: ${problems[0]}`);
  const tokensPerSecond = sum(blocks.B.map(({ tokens, settledMs, toMs }) => (tokens / (toMs - settledMs)) * 1000));
  const turns = await turnTimes(edge);
  return figuresOf(blocks, turns, {
    blocks: order,
    callers: CALLERS,
    tasks: TASKS,
    tokensPerSecond: round(tokensPerSecond / blocks.B.length, 0),
    tokensPerSecondWanted: TASKS * TOKENS_PER_SECOND,
    untilAllStreamMs: spread(untilAllStreamMs),
  });
}

function figuresOf(blocks: Record<Kind, Block[]>, turns: readonly TurnTimes[], conditions: object): Figure[] {
  const within = (kind: Kind, part: (block: Block) => readonly [number, number]) =>
    blocks[kind].map((block) => {
      const [from, to] = part(block);
      return turns.filter(({ dueMs }) => dueMs >= from && dueMs < to);
    });
  const steady = (kind: Kind) => within(kind, ({ settledMs, toMs }) => [settledMs, toMs]);
  const first = (kind: Kind) => within(kind, ({ fromMs, settledMs }) => [fromMs, settledMs]).flat();
  const [A, B] = [steady('A'), steady('B')];
  const late = (some: readonly TurnTimes[]) => some.filter(({ lagMs }) => lagMs > MICRO_TURN_MS).length;
  const lateShare = (some: readonly TurnTimes[]) => round(late(some) / some.length, 5);
  const common = { n: B.flat().length, ...conditions };
  const lags = (some: readonly TurnTimes[]) => some.map(({ lagMs }) => lagMs);
  const blockLags = (kind: Kind, share: number) => (kind === 'A' ? A : B).map((block) => quantile(lags(block), share));
  /** By pairs of neighbouring blocks, so that what drifts in the machine is in both. */
  const overWithout = (name: string, share: number): Figure => {
    const [without, withStreams] = [blockLags('A', share), blockLags('B', share)];
    const ratio = ratioWithInterval(withStreams.map((lagMs, i) => lagMs / without[i]!));
    // What the blocks without streams differ among themselves: no ratio is known better than that.
    const alike = without.map((lagMs) => round(lagMs / median(without), 2));
    return {
      name: `micro-turn-lag with 50 streaming tasks over without, ${name}`,
      value: round(ratio.median),
      unit: 'ratio',
      baseline: { name: 'no cost', value: 1 },
      budget: RATIO_BUDGET,
      conditions: { ...common, low: round(ratio.low), high: round(ratio.high), without: alike },
    };
  };
  const counted = { late: late(B.flat()), lateWithout: late(A.flat()), nWithout: A.flat().length };
  const lag = (name: string, share: number): Figure => ({
    name: `micro-turn-lag with 50 streaming tasks, ${name}`,
    value: round(quantile(lags(B.flat()), share)),
    unit: 'ms',
    baseline: { name: BASELINE, value: round(quantile(lags(A.flat()), share)) },
    conditions: common,
  });
  /** A part of the lag, with streams and without. */
  const part = (share: number, of: (turn: TurnTimes) => number) =>
    [B, A].map((blocks) => round(quantile(blocks.flat().map(of), share)));
  const began = (share: number) => part(share, ({ beganMs }) => beganMs);
  const cpu = (kind: Kind, role: string) => round(median(blocks[kind].map((block) => block.cpu[role] ?? 0)), 1);
  const roles = Object.keys(blocks.B[0]!.cpu);
  const cpuOfAll = (kind: Kind) => Object.fromEntries(roles.map((role) => [role, cpu(kind, role)]));
  return [
    {
      name: 'late micro-turns with 50 streaming tasks',
      value: lateShare(B.flat()),
      unit: 'share',
      baseline: { name: BASELINE, value: lateShare(A.flat()) },
      conditions: { ...common, ...counted },
    },
    ...(Math.min(counted.late, counted.lateWithout) < ENOUGH_LATE
      ? []
      : [
          {
            name: 'late micro-turns with 50 streaming tasks over without',
            value: round(counted.late / common.n / (counted.lateWithout / counted.nWithout)),
            unit: 'ratio' as const,
            baseline: { name: 'no cost', value: 1 },
            budget: RATIO_BUDGET,
            conditions: { ...common, ...counted },
          },
        ]),
    {
      name: 'late micro-turns while 50 streaming tasks begin at once, and for a second after',
      value: lateShare(first('B')),
      unit: 'share',
      baseline: { name: BASELINE, value: lateShare(first('A')) },
      conditions: { ...common, n: first('B').length, late: late(first('B')), lateWithout: late(first('A')) },
    },
    overWithout('p50', 0.5),
    overWithout('p99', 0.99),
    lag('p50', 0.5),
    lag('p99', 0.99),
    lag('p99.9', 0.999),
    {
      name: 'begin of a step after its micro-turn’s end, with 50 streaming tasks, p99',
      value: began(0.99)[0]!,
      unit: 'ms',
      baseline: { name: BASELINE, value: began(0.99)[1]! },
      conditions: {
        ...common,
        p50: began(0.5),
        p999: began(0.999),
        stepP50: part(0.5, ({ stepMs }) => stepMs),
        toMainP50: part(0.5, ({ lagMs, beganMs, stepMs }) => lagMs - beganMs - stepMs),
      },
    },
    {
      name: 'CPU of the edge’s main thread in a second with 50 streaming tasks',
      value: cpu('B', 'main'),
      unit: 'ms',
      baseline: { name: BASELINE, value: cpu('A', 'main') },
      conditions: { ...common, threads: cpuOfAll('B'), threadsWithout: cpuOfAll('A') },
    },
  ];
}

async function cpuOf(edge: MeasuredEdge, llm: ScriptedLlm): Promise<Readonly<Record<string, number>>> {
  return { ...(await edge.cpuMs()), 'the scripted model': cpuMs(llm.pid) };
}

function sum(values: readonly number[]): number {
  return total(Object.fromEntries(values.entries()));
}

/** By the clock that the edge has too. */
function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
