import { MicroturnError } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { DeskStage, limits, settle } from './fixtures/desk-stage.js';
import { phrases } from './phrases.js';
import type { TaskIo } from './provider.js';

const ask = (stage: DeskStage, text: string) => stage.desk.ask({ text, origin: 'text' }).taskId;

describe('a task', () => {
  it('that takes long is told of, twice, and then not again', async () => {
    const stage = new DeskStage();
    ask(stage, 'q');
    await stage.turns(25, 'silent');
    expect(stage.heard).toEqual([]);
    await stage.turns(250, 'silent');
    expect(stage.heard).toEqual([...phrases.progress]);
  });

  it('that fails is told of, in words for the ear', async () => {
    const stage = new DeskStage();
    ask(stage, 'q');
    await settle();
    stage.provider.of('q').fail(new MicroturnError('llm/unavailable', 'HTTP 503'));
    await stage.turns(30, 'silent');
    expect(stage.heard).toEqual([phrases.failed]);
    expect(stage.of('task.failed')).toMatchObject([{ code: 'llm/unavailable', retryable: true }]);
  });

  it('fault 29: one that fails before anything was said begins again when its provider may be asked', async () => {
    const stage = new DeskStage({ limits: { ...limits, retries: 2 } });
    stage.desk.ask({ text: 'how high', origin: 'text' });
    await settle();
    stage.provider.runs[0]!.io.delta('It is');
    stage.provider.runs[0]!.fail(new MicroturnError('llm/unavailable', 'HTTP 429', { retryAfterMs: 4000 }));
    await stage.turns(19, 'silent');
    expect(stage.provider.runs).toHaveLength(1);
    // As long as it was told to, and up to a tenth more.
    await stage.turns(4, 'silent');
    expect(stage.provider.runs).toHaveLength(2);
    stage.provider.runs[1]!.io.delta('It is high.');
    stage.provider.runs[1]!.done();
    await stage.turns(15, 'silent');
    expect(stage.task()).toMatchObject({ status: 'woven', text: 'It is high.', revision: 2 });
    expect(stage.events.some(({ type }) => type === 'task.failed')).toBe(false);
  });

  it('that failed or ended with nothing to say after tries is said to be worked on no more', async () => {
    const stage = new DeskStage({ limits: { ...limits, retries: 1 } });
    stage.desk.ask({ text: 'fails', origin: 'text' });
    stage.desk.ask({ text: 'ends', origin: 'text' });
    await settle();
    for (const prompt of ['fails', 'ends'])
      stage.provider.of(prompt).fail(new MicroturnError('llm/unavailable', 'HTTP 503', { retryAfterMs: 10 }));
    await stage.turns(2, 'silent');
    expect(stage.provider.runs).toHaveLength(4);
    stage.provider.of('fails').fail(new MicroturnError('llm/unavailable', 'HTTP 503', { retryAfterMs: 10 }));
    stage.provider.of('ends').done();
    await stage.turns(250, 'silent');
    expect(stage.heard).toEqual([phrases.failed]);
  });

  it.each([
    ['it asked the user something', async (io: TaskIo) => void (await io.ask('Which one?'))],
    ['it was given leave to change something', async (io: TaskIo) => void (await io.approve('pay', {}))],
  ])('does not begin again where %s', async (_name, act) => {
    const stage = new DeskStage({ limits: { ...limits, retries: 2 } });
    const { taskId } = stage.desk.ask({ text: 'how high', origin: 'text' });
    await settle();
    const acted = act(stage.provider.runs[0]!.io);
    await settle();
    stage.desk.answer(taskId, true, stage.task().question!.id);
    await acted;
    stage.provider.runs[0]!.fail(new MicroturnError('llm/unavailable', 'gone', { retryAfterMs: 10 }));
    await stage.turns(10, 'silent');
    expect(stage.task()).toMatchObject({ status: 'failed', revision: 1 });
    expect(stage.provider.runs).toHaveLength(1);
  });

  it.each([
    ['its failure is none that passes', new MicroturnError('llm/denied')],
    ['nobody knows what failed', new Error('a bug')],
  ])('does not begin again where %s', async (_name, error) => {
    const stage = new DeskStage({ limits: { ...limits, retries: 2 } });
    stage.desk.ask({ text: 'how high', origin: 'text' });
    await settle();
    stage.provider.runs[0]!.fail(error);
    await stage.turns(10, 'silent');
    expect(stage.task()).toMatchObject({ status: 'failed', revision: 1 });
  });

  it('fault 28: one that hangs is ended in time, told of, and holds nobody else up', async () => {
    const stage = new DeskStage();
    ask(stage, 'hangs');
    ask(stage, 'works');
    await settle();
    const { io, done } = stage.provider.of('works');
    io.delta('Here.');
    done();
    await stage.turns(20, 'silent');
    expect(stage.heard).toEqual(['Here.']);
    await stage.turns(320, 'silent');
    expect(stage.provider.of('hangs').io.signal.aborted).toBe(true);
    expect(stage.heard.at(-1)).toBe(phrases.late);
  });

  it('asks the user, and goes on with what they type or say', async () => {
    const stage = new DeskStage();
    ask(stage, 'book a table');
    await settle();
    const { io } = stage.provider.of('book a table');
    const answers = [io.ask('For how many?'), io.ask('At what time?')];
    await stage.turns(20, 'silent');
    expect(stage.heard).toEqual(['For how many?']);
    stage.desk.answer('task-1', 'four');
    await expect(answers[0]).resolves.toBe('four');
    await stage.turns(20, 'silent');
    expect(stage.heard.at(-1)).toBe('At what time?');
    await stage.utter(['eight', 'thirty']);
    await expect(answers[1]).resolves.toBe('eight thirty');
  });

  it.each<[string, (stage: DeskStage) => Promise<void>]>([
    ['the model came in on', (stage) => stage.turn('yielded', { say: 'three' })],
    ['was stopped before a word of it was heard', (stage) => stage.turn('barge-in', { acts: ['stop'] })],
  ])('asks the user again what %s', async (_name, interrupt) => {
    const stage = new DeskStage();
    ask(stage, 'book a table');
    await settle();
    const answered = stage.provider.of('book a table').io.ask('For how many?');
    while (stage.of('response.started').length === 0) await stage.turn('silent');
    await interrupt(stage);
    await stage.turns(30, 'silent');
    expect(stage.heard.filter((text) => text === 'For how many?')).toHaveLength(1);
    stage.desk.answer('task-1', 'four');
    await expect(answered).resolves.toBe('four');
  });

  it.each([
    ['yes', true],
    ['no', false],
  ])('a spoken %s to a question for approval is %s', async (word, expected) => {
    const stage = new DeskStage();
    ask(stage, 'send it');
    await settle();
    const approved = stage.provider.of('send it').io.approve('send_mail', { to: 'bob' });
    await stage.turns(20, 'silent');
    expect(stage.of('task.question')).toMatchObject([{ approval: { tool: 'send_mail', arguments: { to: 'bob' } } }]);
    await stage.utter([word]);
    await expect(approved).resolves.toBe(expected);
  });

  it('of two that ask for approval the one whose question was said is answered, and the other asks on', async () => {
    const stage = new DeskStage();
    ask(stage, 'send it');
    ask(stage, 'delete it');
    await settle();
    const sent = stage.provider.of('send it').io.approve('send_mail', {});
    const deleted = stage.provider.of('delete it').io.approve('delete_account', {});
    await stage.turns(10, 'silent');
    expect(stage.heard).toEqual(['May I use send mail?']);
    await stage.turn('speaking', { words: ['yes'] });
    await stage.turns(4, 'yielded');
    await expect(sent).resolves.toBe(true);
    // Nobody heard what a second yes would allow.
    await stage.utter(['yes'], 1);
    expect(stage.desk.tasks.map(({ status }) => status)).toEqual(['running', 'asking']);
    await stage.turns(20, 'silent');
    expect(stage.heard.at(-1)).toBe('May I use delete account?');
    await stage.utter(['no']);
    await expect(deleted).resolves.toBe(false);
  });

  it.each<[string, (stage: DeskStage, approve: () => void) => Promise<void>]>([
    [
      'was begun before there was a question',
      async (stage, approve) => {
        await stage.turns(2, 'speaking');
        approve();
        await stage.turn('speaking', { words: ['yes'] });
        await stage.turns(5, 'yielded');
      },
    ],
    [
      'was begun before the question sounded',
      async (stage, approve) => {
        approve();
        await stage.turn('silent');
        await stage.utter(['yes']);
      },
    ],
    [
      'was begun with the first word of the question',
      async (stage, approve) => {
        approve();
        while (stage.of('response.started').length === 0) await stage.turn('silent');
        await stage.turn('speaking', { words: ['yes'] });
        await stage.turns(5, 'yielded');
      },
    ],
  ])('is not allowed by a yes that %s', async (_when, say) => {
    const stage = new DeskStage();
    ask(stage, 'send it');
    await settle();
    let approved: Promise<boolean> | undefined;
    await say(stage, () => (approved = stage.provider.of('send it').io.approve('send_mail', {})));
    expect(stage.task().status).toBe('asking');
    await stage.turns(20, 'silent');
    await stage.utter(['yes', 'please']);
    await expect(approved).resolves.toBe(true);
  });

  it('is not allowed by a yes where nothing of its question was heard', async () => {
    const stage = new DeskStage();
    ask(stage, 'send it');
    await settle();
    void stage.provider.of('send it').io.approve('send_mail', {});
    while (stage.of('response.started').length === 0) await stage.turn('silent');
    await stage.turn('silent');
    // What the model says itself comes first, and may be what the yes is for.
    await stage.turn('yielded', { say: 'three' });
    await stage.utter(['yes']);
    expect(stage.task().status).toBe('asking');
  });

  it('an answer is to one question, however often it is given', async () => {
    const stage = new DeskStage();
    const taskId = ask(stage, 'send it');
    await settle();
    const { io } = stage.provider.of('send it');
    const sent = io.approve('send_mail', {});
    const deleted = io.approve('delete_account', {});
    await settle();
    const [question] = stage.of('task.question');
    const refused = expect.objectContaining({ code: 'task/unknown' });
    expect(() => stage.desk.answer(taskId, true)).toThrow(refused);
    stage.desk.answer(taskId, true, question!.questionId);
    expect(() => stage.desk.answer(taskId, true, question!.questionId)).toThrow(refused);
    await expect(sent).resolves.toBe(true);
    await settle();
    // As with a double click: the next question is there by now.
    expect(() => stage.desk.answer(taskId, true, question!.questionId)).toThrow(refused);
    expect(() => stage.desk.answer(taskId, true)).toThrow(refused);
    expect(stage.task()).toMatchObject({ status: 'asking', question: { approval: { tool: 'delete_account' } } });
    // To refuse is safe, whichever is meant.
    stage.desk.answer(taskId, false);
    await expect(deleted).resolves.toBe(false);
  });

  it('can be refused before its question is said', async () => {
    const stage = new DeskStage();
    ask(stage, 'send it');
    await settle();
    const approved = stage.provider.of('send it').io.approve('send_mail', {});
    await stage.turns(2, 'silent');
    await stage.utter(['no', 'wait']);
    await expect(approved).resolves.toBe(false);
  });

  it('that goes on is amended by what the user adds', async () => {
    const stage = new DeskStage();
    ask(stage, 'find a recipe');
    await settle();
    const first = stage.provider.of('find a recipe');
    await stage.utter(['make', 'it', 'vegetarian']);
    expect(first.io.signal.aborted).toBe(true);
    expect(stage.provider.runs.at(-1)!.brief.task).toMatchObject({ revision: 2, amendments: ['make it vegetarian'] });
  });

  it('is told the conversation with its times, and of the agent what was heard', async () => {
    const stage = new DeskStage();
    await stage.turn('speaking', { words: ['hello'] });
    await stage.turns(3, 'yielded');
    await stage.turn('yielded', { say: 'one two three four five six' });
    await stage.turns(3, 'silent');
    await stage.turn('barge-in', { acts: ['stop'] });
    await stage.turns(3, 'silent');
    stage.typed('q');
    await settle();
    expect(stage.provider.of('q').brief.conversation).toMatchObject([
      { who: 'ann', text: 'hello', atMs: 200 },
      { who: 'agent', text: 'one two three', unheard: 'four five six', atMs: 1000 },
      { who: 'ann', text: 'q' },
    ]);
    await stage.turn('speaking', { words: ['and'] });
    stage.typed('r');
    await settle();
    expect(stage.provider.of('r').brief.conversation.slice(2)).toMatchObject([
      { who: 'ann', text: 'q' },
      { who: 'ann', text: 'and' },
      { who: 'ann', text: 'r' },
    ]);
  });
});
