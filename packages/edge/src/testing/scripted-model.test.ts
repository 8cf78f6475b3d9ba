import { describe, expect, it, vi } from 'vitest';
import type { Decision } from '../engine/types.js';
import { hum, interactionModelContract } from './interaction-model.contract.js';
import { ManualClock } from './manual-clock.js';
import { ScriptedModel } from './scripted-model.js';

interactionModelContract(
  'ScriptedModel',
  async (rows, clock) => new ScriptedModel({ rows, clock, script: { 2: { floor: 'yielded', say: 'hello' } } }),
);

describe('ScriptedModel', () => {
  it('decides what the script says of an index, and silence elsewhere', async () => {
    const model = new ScriptedModel({
      script: { 1: { floor: 'yielded', confidence: 0.9, say: 'hello', acts: ['commit'] } },
    });
    const decisions: Decision[] = [];
    const stream = model.open(1, (decision) => decisions.push(decision));
    for (const index of [0, 1, 2]) stream.push(hum(model, 1, index));
    await vi.waitFor(() => expect(decisions).toHaveLength(3));
    expect(decisions[1]).toMatchObject({ floor: 'yielded', confidence: 0.9, say: 'hello', acts: ['commit'] });
    expect(decisions[2]).toMatchObject({ floor: 'silent', say: '', words: [], acts: [] });
  });

  it('follows a function of the micro-turn, and shows what it was given', async () => {
    const model = new ScriptedModel({ script: ({ play }) => (play > 0 ? { acts: ['stop'] } : undefined) });
    const decisions: Decision[] = [];
    const stream = model.open(1, (decision) => decisions.push(decision));
    stream.push(hum(model, 1, 0));
    stream.push({ ...hum(model, 1, 1), play: 1 });
    await vi.waitFor(() => expect(decisions).toHaveLength(2));
    expect(decisions.map(({ acts }) => acts)).toEqual([[], ['stop']]);
    expect(model.turns.map(({ play }) => play)).toEqual([0, 1]);
  });

  it('fails a stream where a test wants it to', () => {
    const model = new ScriptedModel();
    const failed = vi.fn();
    const stream = model.open(1, () => {}, { onFailed: failed });
    model.fail(1);
    model.fail(1);
    expect(failed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'engine/failed' }));
    expect(() => stream.push(hum(model, 1, 0))).toThrow(expect.objectContaining({ code: 'engine/failed' }));
  });
});

describe('ManualClock', () => {
  it('fires timers in the order in which they are due, at their time', () => {
    const clock = new ManualClock(100);
    const fired: [string, number][] = [];
    const timer = (name: string, ms: number) => clock.after(ms, () => fired.push([name, clock.now()]));
    timer('b', 20);
    timer('a', 10);
    timer('c', 30)();
    clock.advance(15);
    expect(fired).toEqual([['a', 110]]);
    clock.advance(100);
    expect(fired).toEqual([
      ['a', 110],
      ['b', 120],
    ]);
    expect([clock.now(), clock.pending]).toEqual([215, 0]);
  });

  it('fires a timer that another sets on the way', () => {
    const clock = new ManualClock();
    const fired: number[] = [];
    clock.after(10, () => clock.after(10, () => fired.push(clock.now())));
    clock.advance(25);
    expect(fired).toEqual([20]);
  });
});
