import { describe, expect, it } from 'vitest';
import { DeskStage, settle } from './fixtures/desk-stage.js';

it.each([' ', ' \n\t'])('what is typed without a word is refused, and asks nothing', (text) => {
  const stage = new DeskStage();
  const refused = expect.objectContaining({ code: 'protocol/malformed' });
  expect(() => stage.desk.typed({ text })).toThrow(refused);
  expect(() => stage.desk.ask({ text, origin: 'app' })).toThrow(refused);
  expect(stage.events).toEqual([]);
});

describe('what is typed', () => {
  const typed = (stage: DeskStage, text: string) => stage.typed(text);

  it('is a question of its own, unless it is about a task', async () => {
    const stage = new DeskStage();
    expect(typed(stage, 'find a recipe')).toEqual({ taken: 'question', taskId: 'task-1' });
    expect(typed(stage, 'how high is the tower')).toEqual({ taken: 'question', taskId: 'task-2' });
    await settle();
    expect(stage.provider.runs.map(({ brief }) => brief.task.prompt)).toEqual([
      'find a recipe',
      'how high is the tower',
    ]);
  });

  it('“make it vegetarian” amends the task asked last, also when its result is there already', async () => {
    const stage = new DeskStage();
    typed(stage, 'find a recipe');
    await settle();
    stage.provider.of('find a recipe').io.delta('Beef stew. ');
    stage.provider.of('find a recipe').done();
    await settle();
    expect(typed(stage, 'make it vegetarian')).toEqual({ taken: 'amend', taskId: 'task-1' });
    await settle();
    expect(stage.provider.runs.at(-1)!.brief).toMatchObject({
      task: { revision: 2, amendments: ['make it vegetarian'] },
      conversation: [{ text: 'find a recipe' }, { text: 'make it vegetarian' }],
    });
  });

  it('answers what a task asks, in words or with yes and no', async () => {
    const stage = new DeskStage();
    typed(stage, 'book a table');
    await settle();
    const { io } = stage.provider.of('book a table');
    const persons = io.ask('For how many?');
    await settle();
    expect(typed(stage, 'four of us')).toEqual({ taken: 'answer', taskId: 'task-1' });
    await expect(persons).resolves.toBe('four of us');
    const approved = io.approve('book', { persons: 4 });
    await stage.turns(5, 'speaking');
    expect(typed(stage, 'what is the weather')).toEqual({ taken: 'question', taskId: 'task-2' });
    expect(typed(stage, 'Yes, please.')).toEqual({ taken: 'answer', taskId: 'task-1' });
    await expect(approved).resolves.toBe(true);
  });

  it('allows nothing that cannot have been read yet', async () => {
    const stage = new DeskStage();
    typed(stage, 'book a table');
    await settle();
    const { io } = stage.provider.of('book a table');
    const first = io.approve('book', {});
    void io.approve('pay', {});
    await stage.turns(5, 'speaking');
    expect(typed(stage, 'yes')).toEqual({ taken: 'answer', taskId: 'task-1' });
    await expect(first).resolves.toBe(true);
    await stage.turn('speaking');
    expect(typed(stage, 'yes')).toMatchObject({ taken: 'question' });
    expect(stage.task()).toMatchObject({ status: 'asking', question: { approval: { tool: 'pay' } } });
  });

  it('answers none of two that ask, where neither was said', async () => {
    const stage = new DeskStage();
    typed(stage, 'book a table');
    typed(stage, 'pay for it');
    await settle();
    void stage.provider.of('book a table').io.approve('book', {});
    void stage.provider.of('pay for it').io.ask('From which account?');
    await stage.turns(6, 'speaking');
    expect(typed(stage, 'yes')).toMatchObject({ taken: 'question' });
    expect(typed(stage, 'the first one')).toMatchObject({ taken: 'question' });
    expect(stage.desk.tasks.map(({ status }) => status)).toEqual(['asking', 'asking', 'running', 'running']);
  });

  it.each([
    ['Never mind.', { taken: 'cancel', taskId: 'task-2' }, ['running', 'cancelled']],
    ['cancel everything', { taken: 'cancel' }, ['cancelled', 'cancelled']],
    ["let's talk about something else", { taken: 'subject' }, ['stale', 'stale']],
  ])('fault 31: of what “%s” calls off nothing is said', async (text, taken, statuses) => {
    const stage = new DeskStage();
    typed(stage, 'first');
    typed(stage, 'second');
    await settle();
    expect(typed(stage, text)).toEqual(taken);
    for (const { io, done } of stage.provider.runs) {
      io.delta('Nobody wants this. ');
      done();
    }
    await stage.turns(40, 'silent');
    expect(stage.desk.tasks.map(({ status }) => status)).toEqual(
      statuses.map((status) => (status === 'running' ? 'woven' : status)),
    );
    expect(stage.heard).toHaveLength(statuses.filter((status) => status === 'running').length);
  });

  it('“never mind” is no question, also where there is nothing to call off', () => {
    const stage = new DeskStage();
    expect(typed(stage, 'never mind')).toEqual({ taken: 'cancel' });
    expect(stage.desk.tasks).toEqual([]);
  });

  it('with a subject, or asked by the app, is a question whatever its words', () => {
    const stage = new DeskStage();
    typed(stage, 'find a recipe');
    expect(stage.desk.typed({ text: 'make it vegetarian', subject: 'food' })).toMatchObject({ taken: 'question' });
    stage.desk.ask({ text: 'never mind', origin: 'app' });
    expect(stage.desk.tasks.map(({ status }) => status)).toEqual(['running', 'running', 'running']);
  });
});
