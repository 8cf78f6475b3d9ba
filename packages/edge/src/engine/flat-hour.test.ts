import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { loadBundle, type Bundle } from './bundle.js';
import { collectGarbage } from './fixtures/collect-garbage.js';
import { tinyDecoder } from './fixtures/decoder-bundle.js';
import { bursts, hasEspeak, seeded, slice, speech } from './fixtures/speech.js';
import { OnnxModel } from './onnx-model.js';
import type { Decision } from './types.js';

const nano = new URL('../../../../models/nano/bundle/', import.meta.url).pathname;
const MICRO_TURN_MS = 200;
const MINUTE = 60_000 / MICRO_TURN_MS;
/** A step that takes longer the more was heard takes several times as long after an hour. */
const MOST_GROWTH = 1.5;

/** What to hear in a minute, again and again. */
type Sound = readonly Float32Array[];

const minuteOf = (pcm: Float32Array, samples: number): Sound =>
  Array.from({ length: MINUTE }, (_, index) => slice(pcm, index, samples));

const essence = ({ index, words, floor, confidence, say, acts }: Decision) => ({
  index,
  words,
  floor,
  confidence,
  say,
  acts,
});
const wordsOf = (decisions: readonly Decision[]) => decisions.flatMap(({ words }) => words.map(({ text }) => text));

/**
 * As many minutes, as fast as they go, of a row that listens to `talk` for all of them. Beside it in its lane, another one is
 * let in the first, the middle and the last minute, and hears `call`.
 */
async function listen(bundle: Bundle, minutes: number, talk: Sound, call: Sound) {
  const clock = new ManualClock();
  const model = await OnnxModel.load(bundle, { rows: 2, laneSize: 2, clock });
  let left = 0;
  let done = () => {};
  let heard: Decision[] = [];
  const into = (decisions: () => Decision[]) => (decision: Decision) => {
    decisions().push(decision);
    if (--left === 0) done();
  };
  const stream = model.open(
    1,
    into(() => heard),
  );
  const visited = new Set([0, minutes >> 1, minutes - 1]);
  const visits: Decision[][] = [];
  const listened: Decision[][] = [];
  const cpuMs: number[] = [];
  const memories: { readonly js: number; readonly rss: number }[] = [];
  for (let minute = 0; minute < minutes; minute++) {
    heard = [];
    const visit: Decision[] = [];
    const lease = 100 + minute;
    const visitor = visited.has(minute)
      ? model.open(
          lease,
          into(() => visit),
        )
      : undefined;
    const before = process.cpuUsage();
    for (let i = 0; i < MINUTE; i++) {
      clock.advance(MICRO_TURN_MS);
      const turn = { lost: 0, play: 0, dueMs: clock.now() };
      const decided = new Promise<void>((resolve) => (done = resolve));
      left = visitor ? 2 : 1;
      stream.push({ ...turn, lease: 1, index: MINUTE * minute + i, pcm: talk[i]! });
      visitor?.push({ ...turn, lease, index: i, pcm: call[i]! });
      await decided;
    }
    const { user, system } = process.cpuUsage(before);
    visitor?.close();
    if (visitor) visits.push(visit);
    else cpuMs.push((user + system) / 1000);
    if (minute === 1 || minute === minutes - 1) listened.push(heard);
    if (minute === 1 || minute === minutes - 2) memories.push(await memory());
  }
  const { stats } = model;
  await model.close();
  return { visits, listened, cpuMs, memories, stats };
}

/** Bytes in use once what can be collected has been. */
async function memory() {
  await collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { js: heapUsed + external, rss };
}

type Run = Awaited<ReturnType<typeof listen>>;

function expectFlatMemory({ memories, stats }: Run, minutes: number): void {
  expect(stats).toMatchObject({ steps: MINUTE * minutes, muted: 0, dropped: 0, late: 0 });
  expect(memories[1]!.js - memories[0]!.js).toBeLessThan(4e6);
  expect(memories[1]!.rss - memories[0]!.rss).toBeLessThan(48e6);
}

/** By the quickest minutes of the first and of the last third: the others tell of what else the machine does. */
function expectFlatTime({ cpuMs }: Run): void {
  const third = Math.floor(cpuMs.length / 3);
  expect(Math.min(...cpuMs.slice(-third)) / Math.min(...cpuMs.slice(0, third))).toBeLessThan(MOST_GROWTH);
}

// `npm run bench flat-hour` is Nano's hour, and `npm run eval` what it hears at the end of one: 18 000 of its steps take a minute.
describe('an engine that listens', () => {
  it('for an hour, with a model of two layers and a ring, decides at its end as at its beginning, in flat memory and time', async () => {
    const minutes = 60;
    const samples = 1600;
    const bundle = await tinyDecoder({ microTurnMs: MICRO_TURN_MS });
    const [talk, call] = [1, 2].map((seed) => minuteOf(bursts(seeded(seed), MINUTE * samples), samples));
    const run = await listen(bundle, minutes, talk!, call!);
    expectFlatMemory(run, minutes);
    expectFlatTime(run);
    const [first, middle, last] = run.visits.map((decisions) => decisions.map(essence));
    expect(middle).toEqual(first);
    expect(last).toEqual(first);
    // All that it remembers was said in this minute. Its ring stands elsewhere, so sums are taken in another order.
    const [early, late] = run.listened.map((decisions) => decisions.slice(MINUTE / 2));
    expect(new Set(early!.map(({ confidence }) => confidence)).size).toBeGreaterThan(100);
    for (const [i, { floor, say, confidence }] of late!.entries()) {
      expect([floor, say]).toEqual([early![i]!.floor, early![i]!.say]);
      expect(confidence).toBeCloseTo(early![i]!.confidence, 4);
    }
  }, 120_000);

  it('for six minutes, with Nano, hears at their end as at their beginning, in flat memory', async () => {
    const minutes = 6; // its longest window is one
    const [talk, call] = [
      'what time is it? a blue river, and the green stone.',
      'count. I saw a horse and a goat.',
    ].map((text) => minuteOf(hasEspeak ? speech(text, 'en-us', 1000) : bursts(seeded(text.length), 20 * 16_000), 3200));
    const run = await listen(await loadBundle(nano), minutes, talk!, call!);
    expectFlatMemory(run, minutes);
    const [first, middle, last] = run.visits.map((decisions) => decisions.map(essence));
    expect(middle).toEqual(first);
    expect(last).toEqual(first);
    // What was said minutes ago may still count for the floor; what is said now is heard alike.
    expect(wordsOf(run.listened[1]!)).toEqual(wordsOf(run.listened[0]!));
    if (hasEspeak) expect(wordsOf(run.listened[0]!)).not.toEqual([]);
  }, 240_000);
});
