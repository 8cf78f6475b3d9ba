import { floors } from '@microturn/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { acts, marks, type Decision, type InteractionModel, type LeaseId, type MicroTurn } from '../engine/types.js';
import { ManualClock } from './manual-clock.js';

/** One micro-turn of a soft hum, a different one for each lease. */
export function hum({ info }: InteractionModel, lease: LeaseId, index: number, dueMs = 0): MicroTurn {
  const length = (info.microTurnMs * info.inputHz) / 1000;
  const pcm = Float32Array.from({ length }, (_, i) => 0.1 * Math.sin((index * length + i) * 0.02 * (1 + (lease % 7))));
  return { lease, index, pcm, lost: 0, play: 0, dueMs };
}

/**
 * What every interaction model keeps to, whatever it decides.
 * @param create makes a model with `rows` rows on the given clock
 */
export function interactionModelContract(
  name: string,
  create: (rows: number, clock: ManualClock) => Promise<InteractionModel>,
): void {
  describe(`${name}: the contract of an interaction model`, () => {
    let clock: ManualClock;
    let model: InteractionModel;
    beforeEach(async () => {
      clock = new ManualClock();
      model = await create(2, clock);
    });
    afterEach(() => model.close());

    const until = (decisions: readonly Decision[], count: number) =>
      vi.waitFor(() => expect(decisions.length).toBe(count), { interval: 1 });
    const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

    it('decides once for every micro-turn, in order, under its lease', async () => {
      const decisions: Decision[] = [];
      const stream = model.open(7, (decision) => decisions.push(decision));
      for (let index = 0; index < 6; index++) {
        stream.push(hum(model, 7, index));
        await until(decisions, index + 1);
      }
      expect(decisions.map(({ lease, index }) => [lease, index])).toEqual([0, 1, 2, 3, 4, 5].map((i) => [7, i]));
    });

    it('makes decisions of the declared shape', async () => {
      const decisions: Decision[] = [];
      model.open(1, (decision) => decisions.push(decision)).push(hum(model, 1, 0));
      await until(decisions, 1);
      const { floor, confidence, words, say, acts: done, stepMs } = decisions[0]!;
      expect(floors).toContain(floor);
      expect(confidence).toBeGreaterThanOrEqual(0);
      expect(confidence).toBeLessThanOrEqual(1);
      expect(typeof say).toBe('string');
      expect(done.every((act) => acts.includes(act))).toBe(true);
      expect(words.every(({ endMs }) => endMs >= 0)).toBe(true);
      expect(stepMs).toBeGreaterThanOrEqual(0);
    });

    it('measures lag from when the micro-turn was due', async () => {
      const decisions: Decision[] = [];
      clock.advance(1000);
      model.open(1, (decision) => decisions.push(decision)).push(hum(model, 1, 0, 970));
      await until(decisions, 1);
      expect(decisions[0]!.lagMs).toBe(30);
    });

    it('may be told anything, whether or not it reads, and decides on', async () => {
      const decisions: Decision[] = [];
      const stream = model.open(1, (decision) => decisions.push(decision));
      stream.perceive({ type: 'typed', text: 'hello' });
      stream.perceive({ type: 'heard', text: 'hello' });
      for (const mark of marks) stream.perceive({ type: 'mark', mark });
      stream.perceive({ type: 'age', seconds: 60, text: 'remind me in a minute' });
      for (let index = 0; index < 3; index++) {
        stream.push(hum(model, 1, index));
        await until(decisions, index + 1);
      }
      expect(decisions.map(({ index }) => index)).toEqual([0, 1, 2]);
    });

    it('keeps the index of what follows a missed micro-turn', async () => {
      const decisions: Decision[] = [];
      const stream = model.open(1, (decision) => decisions.push(decision));
      stream.push(hum(model, 1, 0));
      stream.push(hum(model, 1, 5));
      await until(decisions, 2);
      expect(decisions.map(({ index }) => index)).toEqual([0, 5]);
    });

    it('never tells one stream what another decided', async () => {
      const one: Decision[] = [];
      const two: Decision[] = [];
      const first = model.open(1, (decision) => one.push(decision));
      const second = model.open(2, (decision) => two.push(decision));
      for (let index = 0; index < 4; index++) {
        first.push(hum(model, 1, index));
        second.push(hum(model, 2, index));
        await until(two, index + 1);
        await until(one, index + 1);
      }
      expect(one.every(({ lease }) => lease === 1)).toBe(true);
      expect(two.every(({ lease }) => lease === 2)).toBe(true);
    });

    it('refuses PCM that is not one micro-turn long, and goes on', async () => {
      const decisions: Decision[] = [];
      const stream = model.open(1, (decision) => decisions.push(decision));
      const turn = hum(model, 1, 0);
      expect(() => stream.push({ ...turn, pcm: turn.pcm.subarray(1) })).toThrow(RangeError);
      expect(() => stream.push({ ...turn, pcm: new Float32Array() })).toThrow(RangeError);
      stream.push(turn);
      await until(decisions, 1);
    });

    it('says that it is full, and lends a row again that was given back', () => {
      const stream = model.open(1, () => {});
      model.open(2, () => {});
      expect(() => model.open(3, () => {})).toThrow(expect.objectContaining({ code: 'edge/full' }));
      stream.close();
      model.open(3, () => {});
      stream.close(); // closing twice is harmless: it does not close the new owner's row
      expect(() => model.open(4, () => {})).toThrow(expect.objectContaining({ code: 'edge/full' }));
    });

    it('decides nothing for a closed stream, even of a micro-turn that was on its way', async () => {
      const decisions: Decision[] = [];
      const stream = model.open(1, (decision) => decisions.push(decision));
      const turn = hum(model, 1, 0);
      stream.push(turn);
      stream.close();
      await settle();
      expect(decisions).toEqual([]);
      expect(() => stream.push(turn)).toThrow(expect.objectContaining({ code: 'engine/failed' }));
    });

    it('refuses a lease that is open already', () => {
      model.open(1, () => {});
      expect(() => model.open(1, () => {})).toThrow(RangeError);
    });

    it('closes its streams with itself, twice without harm, and opens no more', async () => {
      const decisions: Decision[] = [];
      const stream = model.open(1, (decision) => decisions.push(decision));
      stream.push(hum(model, 1, 0));
      await model.close();
      await model.close();
      await settle();
      expect(decisions.length).toBeLessThanOrEqual(1);
      expect(() => model.open(2, () => {})).toThrow(expect.objectContaining({ code: 'engine/failed' }));
    });
  });
}
