import { describe, expect, it } from 'vitest';
import { DeskStage, settle } from './fixtures/desk-stage.js';
import { phrases } from './phrases.js';

/** A desk in another process, with the events of one that is gone: the last of them may not have been saved. */
function takeUp(
  before: DeskStage,
  parts?: ConstructorParameters<typeof DeskStage>[0],
  events = before.events,
): DeskStage {
  const after = new DeskStage(parts);
  after.clock.advance(before.clock.now() + 5000);
  after.desk.restore(events, before.desk.spent);
  return after;
}
const ask = (stage: DeskStage, text: string) => stage.desk.ask({ text, origin: 'text' }).taskId;

describe('tasks of a process that is gone', () => {
  it('begin again where they were not finished, with what was added to them', async () => {
    const before = new DeskStage();
    ask(before, 'find a recipe');
    await settle();
    before.desk.amend('task-1', 'make it vegetarian');
    await settle();
    before.provider.of('find a recipe').io.delta('Take a ');
    await before.turns(1, 'speaking');
    const after = takeUp(before);
    await settle();
    expect(after.provider.runs.map(({ brief }) => brief.task)).toMatchObject([
      { prompt: 'find a recipe', amendments: ['make it vegetarian'], revision: 3, text: '' },
    ]);
    expect(ask(after, 'another')).toBe('task-2');
  });

  it('are said once where they were done and not said, and not again where they were', async () => {
    const before = new DeskStage();
    ask(before, 'a');
    await settle();
    before.provider.of('a').io.delta('Said already.');
    before.provider.of('a').done();
    await before.turns(20, 'silent');
    ask(before, 'b');
    await settle();
    before.provider.of('b').io.delta('Not said yet.');
    before.provider.of('b').done();
    await before.turns(2, 'speaking');
    expect(before.desk.tasks.map(({ status }) => status)).toEqual(['woven', 'done']);
    const after = takeUp(before);
    await after.turns(30, 'silent');
    expect(after.heard).toEqual(['Not said yet.']);
    expect(after.desk.tasks.map(({ status }) => status)).toEqual(['woven', 'woven']);
    expect(after.provider.runs).toEqual([]);
  });

  it('go on from the sentence that was not heard to its end, however it was cut off', async () => {
    const before = new DeskStage({ progressMs: 1000 });
    ask(before, 'q');
    await settle();
    await before.turns(20, 'silent');
    expect(before.heard).toEqual([phrases.progress[0]]);
    before.provider.of('q').io.delta('**It’s** far, 3 km. Take the bus — or walk. ');
    await before.turns(10, 'silent');
    before.provider.of('q').io.delta('Mind the dog.');
    before.provider.of('q').done();
    await before.turns(1, 'silent');
    expect(before.heard.at(-1)).toMatch(/^It’s far, 3 km\. Take/);
    const unfinished = takeUp(before);
    await unfinished.turns(30, 'silent');
    expect(unfinished.heard).toEqual(['Take the bus — or walk. Mind the dog.']);
    await before.turn('barge-in', { acts: ['stop'] });
    await before.turns(2, 'speaking');
    const interrupted = takeUp(before);
    await interrupted.turns(30, 'silent');
    expect(interrupted.heard).toEqual(['Take the bus — or walk. Mind the dog.']);
    expect(interrupted.task().status).toBe('woven');
  });

  it('are over where all of them was heard, though nobody had noted it', async () => {
    const before = new DeskStage();
    ask(before, 'q');
    await settle();
    before.provider.of('q').io.delta('It is far.');
    before.provider.of('q').done();
    await before.turns(20, 'silent');
    const ended = before.events.findIndex(({ type }) => type === 'response.completed');
    const after = takeUp(before, {}, before.events.slice(0, ended));
    expect(after.task().status).toBe('woven');
    await after.turns(20, 'silent');
    expect(after.heard).toEqual([]);
  });

  it('are told of where they were spoken, and their words not made out: their sound is gone', async () => {
    const before = new DeskStage({ hear: () => new Promise<string>(() => undefined) });
    await before.utter(['<unk>', '<unk>'], 6);
    expect(before.task().status).toBe('running');
    const after = takeUp(before);
    await after.turns(20, 'silent');
    expect(after.task().failure).toMatchObject({ code: 'task/unheard' });
    expect(after.heard).toEqual([phrases.unheard]);
    expect(after.provider.runs).toEqual([]);
  });

  it('have spent of the session’s budget what they spent: tokens, cost and tasks', async () => {
    const before = new DeskStage();
    ask(before, 'a');
    await settle();
    before.provider.of('a').io.budget.spend({ tokensIn: 80, tokensOut: 15, cost: 0.5 });
    before.provider.of('a').done();
    await before.turns(20, 'silent');
    const after = takeUp(before, { budget: { tokens: 100, tasks: 2 } });
    expect(after.desk.spent).toEqual({ tokensIn: 80, tokensOut: 15, cost: 0.5, tasks: 1 });
    ask(after, 'b');
    await settle();
    const { io } = after.provider.of('b');
    expect(io.budget.tokensLeft).toBe(5);
    io.budget.spend({ tokensIn: 5, tokensOut: 0, cost: 0.1 });
    expect(() => io.budget.assertLeft()).toThrow(expect.objectContaining({ code: 'llm/budget' }));
    expect(after.desk.spent).toMatchObject({ tokensIn: 85, cost: 0.6 });
    expect(() => ask(after, 'c')).toThrow(expect.objectContaining({ code: 'llm/budget' }));
  });

  it('stay over where they were called off, failed or were superseded', async () => {
    const before = new DeskStage();
    before.desk.ask({ text: 'a', subject: 'x', origin: 'text' });
    before.desk.ask({ text: 'b', subject: 'x', origin: 'text' });
    ask(before, 'c');
    await settle();
    before.desk.cancel('task-2', 'client');
    before.provider.of('c').fail(new Error('away'));
    await settle();
    const after = takeUp(before);
    await after.turns(30, 'silent');
    expect(after.desk.tasks.map(({ status }) => status)).toEqual(['stale', 'cancelled', 'failed']);
    expect(after.provider.runs).toEqual([]);
    expect(after.heard).toEqual([phrases.failed]);
  });

  it('that failed are not apologised for again', async () => {
    const before = new DeskStage();
    for (const text of ['a', 'b']) {
      ask(before, text);
      await settle();
      if (text === 'b') before.provider.of('b').io.delta('It is ');
      before.provider.of(text).fail(new Error('away'));
      await before.turns(20, 'silent');
    }
    const told = before.heard;
    expect(told[0]).toBe(phrases.failed);
    const after = takeUp(before);
    await after.turns(40, 'silent');
    expect(after.heard).toEqual([]);
    expect(after.desk.tasks.map(({ status }) => status)).toEqual(['failed', 'failed']);
  });
});
