import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { questions, type Question } from '../fixtures/questions.js';
import { hearAll } from '../support/asking.js';
import { root } from '../support/root.js';
import type { Heard } from '../support/turn-harnesses.js';

const QUESTIONS = 10;
/** From a silence's first moment to the draft for what was said before it: words and an LLM of usual speed. */
const WRITTEN_MS = 600;
const PATIENCE_MS = 1_000;
const bundle = join(root, 'models/nano/bundle');

let close: () => Promise<void>;
let inOneBreath: readonly Asked[];
let withPause: readonly Asked[];

interface Asked {
  readonly question: Question;
  readonly heard: Heard;
}

beforeAll(async () => {
  const asked = [...(await questions(QUESTIONS, [0, 0])), ...(await questions(QUESTIONS, [1_200, 1_800]))];
  const hearing = await hearAll(bundle, asked);
  ({ close } = hearing);
  const both = asked.map((question, i) => ({ question, heard: hearing.heard[i]! }));
  [inOneBreath, withPause] = [both.slice(0, QUESTIONS), both.slice(QUESTIONS)];
}, 120_000);
afterAll(() => close());

/** How many micro-turns of those before `untilMs` have a commit, where a draft is told of from `toldMs` on. */
async function commits({ heard }: Asked, toldMs: number, untilMs: number): Promise<number> {
  const live = heard.rehear!();
  const { microTurnMs } = heard.info;
  let count = 0;
  for (let index = 0; (index + 1) * microTurnMs <= untilMs; index++) {
    if (index === Math.ceil(toldMs / microTurnMs)) live.tell('draft');
    if ((await live.decide(index)).acts.includes('commit')) count++;
  }
  live.close();
  return count;
}

/** Of the words before the comma. */
function pauseOf({ question: { text, words, pauseMs } }: Asked): { readonly fromMs: number; readonly toMs: number } {
  const fromMs = words[text.split(/(?<=,) /)[0]!.split(' ').length - 1]!.endMs;
  return { fromMs, toMs: fromMs + pauseMs };
}

it('commits a draft that comes after the end of most questions', async () => {
  let committed = 0;
  for (const one of inOneBreath) {
    const toldMs = one.question.endMs + WRITTEN_MS;
    if ((await commits(one, toldMs, toldMs + PATIENCE_MS)) > 0) committed++;
  }
  expect(committed).toBeGreaterThanOrEqual(0.6 * QUESTIONS);
});

it('takes no draft that comes into a pause for a sign that the pause is the end', async () => {
  let committed = 0;
  for (const one of withPause) {
    const { fromMs, toMs } = pauseOf(one);
    if ((await commits(one, fromMs + WRITTEN_MS, toMs)) > 0) committed++;
  }
  expect(committed).toBeLessThanOrEqual(0.3 * QUESTIONS);
});

it('commits nothing where there is no draft', async () => {
  for (const one of inOneBreath) expect(await commits(one, Infinity, one.question.endMs + 2_000)).toBe(0);
});
