import { MicroturnError } from '@microturn/protocol';
import { describe, expect, it, vi } from 'vitest';
import { DeskStage, limits, settle } from './fixtures/desk-stage.js';
import { phrases } from './phrases.js';
import type { TaskIo } from './provider.js';

const ask = (stage: DeskStage, text: string, subject?: string) =>
  stage.desk.ask({ text, subject, origin: 'text' }).taskId;

describe('the result of a task', () => {
  it('is said with `relay` once the floor is free, sentence by sentence as it is written', async () => {
    const stage = new DeskStage();
    await stage.turns(2, 'speaking');
    ask(stage, 'how far is the moon');
    await settle();
    const { io, done } = stage.provider.of('how far is the moon');
    io.delta('It is far. ');
    await stage.turns(5, 'speaking');
    expect(stage.of('response.started')).toEqual([]);
    await stage.turns(4, 'yielded');
    expect(stage.of('response.started')).toMatchObject([{ kind: 'relay', taskId: 'task-1' }]);
    io.delta('It is 384 400 km. And that is');
    await stage.turns(4, 'silent');
    io.delta(' all.');
    done();
    await stage.turns(30, 'silent');
    expect(stage.heard).toEqual(['It is far. It is 384 400 km. And that is all.']);
    expect(stage.of('task.woven')).toHaveLength(1);
    expect(stage.of('response.interrupted')).toEqual([]);
  });

  it('waits while the model or the app speaks, and the model’s own words come first', async () => {
    const stage = new DeskStage();
    ask(stage, 'q');
    await settle();
    const { io, done } = stage.provider.of('q');
    io.delta('One sentence that takes rather long to say aloud. ');
    done();
    await stage.turns(4, 'silent');
    expect(stage.state.responses).toHaveLength(1);
    await stage.turn('yielded', { say: 'three' });
    await stage.turns(40, 'silent');
    expect(stage.heard.filter((text) => text === 'three')).toHaveLength(1);
    expect(stage.heard.at(-1)).toBe('One sentence that takes rather long to say aloud.');
    expect(stage.task().status).toBe('woven');
  });

  it('is taken up again where it was talked over, from the sentence that was cut, and its task goes on', async () => {
    const stage = new DeskStage();
    ask(stage, 'q');
    await settle();
    const { io, done } = stage.provider.of('q');
    io.delta('First part here. Second part comes after that. Third part. ');
    await stage.turns(3 + 6, 'silent');
    await stage.turn('barge-in', { acts: ['stop'] });
    await stage.turns(3, 'speaking');
    expect(stage.task().status).toBe('streaming');
    done();
    await stage.turns(60, 'silent');
    const told = stage.heard;
    expect(told[0]).toMatch(/^First part here\. Second/);
    expect(told[1]).toBe('Second part comes after that. Third part.');
    expect(stage.task().status).toBe('woven');
  });

  describe('where the model decides it by `relay`', () => {
    const byAct = async () => {
      const stage = new DeskStage({ relay: { by: 'act', floors: ['silent', 'yielded'], quietMs: 10_000 } });
      ask(stage, 'q');
      await settle();
      return { stage, ...stage.provider.of('q') };
    };

    it('is offered as soon as there is something to say and again while it waits, and said at its word', async () => {
      const { stage, io, done } = await byAct();
      await stage.turns(3);
      expect(stage.marks).toEqual([]);
      io.delta('It is far. ');
      done();
      await stage.turns(12, 'speaking');
      expect(stage.marks.map(([mark]) => mark)).toEqual(['result', 'result']);
      expect(stage.marks[1]![1] - stage.marks[0]![1]).toBe(10);
      expect(stage.of('response.started')).toEqual([]);
      await stage.turn('holding', { acts: ['relay'] });
      await stage.turns(20, 'speaking');
      expect(stage.heard).toEqual(['It is far.']);
      expect(stage.marks).toHaveLength(2);
      expect(stage.task().status).toBe('woven');
    });

    it('is void once it is not wanted any more, and `relay` says nothing then', async () => {
      const { stage, io } = await byAct();
      io.delta('It is far. ');
      await stage.turns(2);
      stage.desk.cancel('task-1', 'user');
      await stage.turns(2);
      await stage.turn('silent', { acts: ['relay'] });
      await stage.turns(12);
      expect(stage.marks.map(([mark]) => mark)).toEqual(['result', 'dropped']);
      expect(stage.of('response.started')).toEqual([]);
    });

    it('is offered again, and waits for another word, after it was talked over', async () => {
      const { stage, io, done } = await byAct();
      io.delta('First part here. Second part comes after that. ');
      done();
      await stage.turns(2);
      await stage.turn('silent', { acts: ['relay'] });
      await stage.turns(6);
      await stage.turn('barge-in', { acts: ['stop'] });
      await stage.turns(4);
      expect(stage.marks.map(([mark]) => mark)).toEqual(['result', 'result']);
      expect(stage.of('response.started')).toHaveLength(1);
      await stage.turn('silent', { acts: ['relay'] });
      await stage.turns(20);
      expect(stage.heard.at(-1)).toBe('Second part comes after that.');
    });

    it('is said without its word where it leaves it unsaid for long, with the floor free all the while', async () => {
      const { stage, io, done } = await byAct();
      await stage.turns(20);
      io.delta('It is far. ');
      done();
      await stage.turns(49);
      await stage.turn('speaking');
      await stage.turns(49);
      expect(stage.of('response.started')).toEqual([]);
      await stage.turns(20);
      expect(stage.heard).toEqual(['It is far.']);
      expect(stage.task().status).toBe('woven');
    });

    it('is only to be read once the model shows it', async () => {
      const { stage, io, done } = await byAct();
      io.delta('It is far. ');
      done();
      await stage.turns(2);
      await stage.turn('silent', { acts: ['show'] });
      await stage.turn('silent', { acts: ['relay'] });
      await stage.turns(3);
      expect(stage.of('response.started')).toEqual([]);
      expect(stage.of('task.woven')).toEqual([expect.not.objectContaining({ responseId: expect.anything() })]);
    });

    it('is not offered to one who is away', async () => {
      const { stage, io } = await byAct();
      stage.apply({ type: 'listener', atMs: stage.clock.now(), present: false });
      io.delta('It is far. ');
      await stage.turns(15);
      expect(stage.marks).toEqual([]);
      stage.apply({ type: 'listener', atMs: stage.clock.now(), present: true });
      await stage.turns(2);
      expect(stage.marks.map(([mark]) => mark)).toEqual(['result']);
    });
  });

  it('is dropped after it was talked over three times', async () => {
    const stage = new DeskStage();
    ask(stage, 'q');
    await settle();
    const { io, done } = stage.provider.of('q');
    io.delta('A long sentence that nobody wants to hear at all. Another one.');
    done();
    for (let i = 0; i < 4; i++) {
      await stage.turns(8, 'silent');
      await stage.turn('barge-in', { acts: ['stop'] });
      await stage.turns(2, 'speaking');
    }
    expect(stage.of('response.started')).toHaveLength(3);
    expect(stage.task().status).toBe('woven');
  });

  it('fault 31: a participant who is away hears it once when they are back', async () => {
    const stage = new DeskStage();
    ask(stage, 'q');
    await settle();
    stage.apply({ type: 'listener', atMs: stage.clock.now(), present: false });
    const { io, done } = stage.provider.of('q');
    io.delta('Here it is.');
    done();
    await stage.turns(20, 'silent');
    expect(stage.of('response.started')).toEqual([]);
    stage.apply({ type: 'listener', atMs: stage.clock.now(), present: true });
    await stage.turns(20, 'silent');
    expect(stage.heard).toEqual(['Here it is.']);
  });

  it.each<[string, (stage: DeskStage) => Promise<void> | void]>([
    ['the client calls it off', (stage) => stage.desk.cancel('task-1', 'client')],
    ['the user says “never mind”', (stage) => stage.utter(['never', 'mind'])],
    ['the model decides so', (stage) => stage.turn('speaking', { acts: ['cancel'] })],
    ['the subject changes', (stage) => stage.desk.changeSubject()],
    ['the user says that it does', (stage) => stage.utter(["let's", 'talk', 'about', 'something', 'else'])],
    ['a newer one supersedes it', (stage) => void ask(stage, 'other', 'weather')],
    ['the session ends', (stage) => stage.desk.close()],
  ])('fault 31: is never said once %s', async (_name, call) => {
    const stage = new DeskStage();
    ask(stage, 'q', 'weather');
    await settle();
    const { io, done } = stage.provider.of('q');
    await call(stage);
    await settle();
    expect(io.signal.aborted).toBe(true);
    io.delta('Nobody wants this. ');
    done();
    await stage.turns(40, 'silent');
    expect(stage.of('response.started').filter(({ taskId }) => taskId === 'task-1')).toEqual([]);
  });

  it('fault 31: what is being said is silenced at once where it is called off', async () => {
    const stage = new DeskStage();
    ask(stage, 'q');
    await settle();
    stage.provider.of('q').io.delta('This is one sentence that goes on for quite a while. And more. ');
    await stage.turns(6, 'silent');
    expect(stage.state.responses).toHaveLength(1);
    stage.desk.cancel(undefined, 'client');
    expect(stage.of('response.cut')).toHaveLength(1);
    await stage.turns(30, 'silent');
    expect(stage.of('response.started')).toHaveLength(1);
  });

  it('“never mind” over a result that is being said means that one, and not the one that runs', async () => {
    const stage = new DeskStage();
    ask(stage, 'a');
    await settle();
    stage.provider.of('a').io.delta('The answer to the first of them is a rather long one. And more. ');
    await stage.turns(6, 'silent');
    ask(stage, 'b');
    await stage.turn('barge-in', { acts: ['stop'], words: ['never'] });
    await stage.turn('speaking', { words: ['mind'] });
    await stage.turns(5, 'yielded');
    expect(stage.task('task-1').status).toBe('cancelled');
    expect(stage.task('task-2').status).toBe('running');
  });

  it('what the app’s moderation drops is not said, and what it changes is said so', async () => {
    const moderate = vi.fn(async (text: string) =>
      text.includes('secret') ? undefined : text.replace('damn', 'very'),
    );
    const stage = new DeskStage({ moderate });
    ask(stage, 'q');
    await settle();
    const { io, done } = stage.provider.of('q');
    io.delta('That is damn good. The secret is four. That is all.');
    done();
    await stage.turns(30, 'silent');
    expect(stage.heard.join(' ')).toBe('That is very good. That is all.');
    expect(stage.task().status).toBe('woven');
  });

  it('of a very long one a part is said, and that the rest can be read', async () => {
    const stage = new DeskStage();
    ask(stage, 'q');
    await settle();
    const { io, done } = stage.provider.of('q');
    io.delta('This sentence is said again and again and again. '.repeat(60));
    done();
    await stage.turns(400, 'silent');
    const said = stage.heard.join(' ');
    expect(said.length).toBeLessThan(900);
    expect(said.endsWith(phrases.more)).toBe(true);
    expect(stage.task().status).toBe('woven');
  });
});

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

  it.each([
    ['it asked the user something', async (io: TaskIo) => void (await io.ask('Which one?'))],
    ['it was given leave to change something', async (io: TaskIo) => void (await io.approve('pay', {}))],
  ])('does not begin again where %s', async (_name, act) => {
    const stage = new DeskStage({ limits: { ...limits, retries: 2 } });
    const { taskId } = stage.desk.ask({ text: 'how high', origin: 'text' });
    await settle();
    const acted = act(stage.provider.runs[0]!.io);
    await settle();
    stage.desk.answer(taskId, true);
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
    ask(stage, 'q');
    await settle();
    expect(stage.provider.of('q').brief.conversation).toMatchObject([
      { who: 'ann', text: 'hello', atMs: 200 },
      { who: 'agent', text: 'one two three', unheard: 'four five six', atMs: 1000 },
      { who: 'ann', text: 'q' },
    ]);
  });
});

describe('what is typed', () => {
  const typed = (stage: DeskStage, text: string) => stage.desk.typed({ text });

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
    await settle();
    expect(typed(stage, 'what is the weather')).toEqual({ taken: 'question', taskId: 'task-2' });
    expect(typed(stage, 'Yes, please.')).toEqual({ taken: 'answer', taskId: 'task-1' });
    await expect(approved).resolves.toBe(true);
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

describe('a spoken question', () => {
  const heard: { fromMs: number; toMs: number }[] = [];
  const hearing = (text: string) => ({
    hear: async (clip: { fromMs: number; toMs: number }) => {
      heard.push(clip);
      return text;
    },
  });

  it('is a task where the model delegates it, with its words made out of its sound', async () => {
    const stage = new DeskStage({ ...hearing('how high is the tower'), delegate: { by: 'act' } });
    await stage.turns(3, 'silent');
    await stage.turns(6, 'speaking');
    await stage.turn('yielded', { acts: ['delegate'] });
    expect(stage.provider.of('how high is the tower').brief.task.origin).toBe('model');
    expect(stage.of('task.progress').at(-1)).toMatchObject({ title: 'how high is the tower' });
    expect(heard.at(-1)).toMatchObject({ fromMs: 200, toMs: 1800 });
  });

  it('is one by rule where the bundle cannot delegate, if it lasts and the model does not answer it itself', async () => {
    const stage = new DeskStage(hearing('what is the weather'));
    await stage.utter(['<unk>'], 2);
    expect(stage.of('task.created')).toHaveLength(0);
    await stage.utter(['<unk>', '<unk>'], 6);
    expect(stage.provider.runs.map(({ brief }) => brief.task.prompt)).toEqual(['what is the weather']);
    for (let i = 0; i < 6; i++) await stage.turn('speaking', { say: i === 3 ? 'one' : '' });
    await stage.turns(6, 'yielded');
    expect(stage.provider.runs).toHaveLength(1);
  });

  it('is asked all the same where the model says “mm-hm” under it', async () => {
    const stage = new DeskStage(hearing('what is the weather'));
    await stage.turns(4, 'speaking');
    await stage.turn('speaking', { say: 'Mm-hm.', acts: ['backchannel'] });
    await stage.utter(['<unk>'], 3);
    expect(stage.provider.runs.map(({ brief }) => brief.task.prompt)).toEqual(['what is the weather']);
  });

  it('that turns out to call another off does that, and is no question', async () => {
    const stage = new DeskStage(hearing('Never mind.'));
    ask(stage, 'q');
    await stage.utter(['<unk>', '<unk>'], 6);
    await settle();
    expect(stage.task('task-1').status).toBe('cancelled');
    expect(stage.task('task-2').status).toBe('woven');
    expect(stage.provider.runs).toHaveLength(1);
  });

  it('goes as sound to a provider that takes it, where nobody makes words of it', async () => {
    const stage = new DeskStage({ delegate: { by: 'act' } });
    stage.provider.takesAudio = true;
    await stage.turns(6, 'speaking');
    await stage.turn('yielded', { acts: ['delegate'], words: ['<unk>'] });
    expect(stage.provider.runs[0]!.brief.clip).toMatchObject({ rateHz: 16_000, toMs: 1200 });
  });

  it('of a model that reads is what was typed, where nobody spoke', async () => {
    const stage = new DeskStage({ delegate: { by: 'act' } });
    stage.desk.read('how high is the tower');
    await stage.turn('silent', { acts: ['delegate'] });
    await stage.turn('silent', { acts: ['delegate'] });
    expect(stage.desk.tasks.map(({ prompt }) => prompt)).toEqual(['how high is the tower']);
  });

  it('that nobody can make out is told of, and the typed way is offered', async () => {
    const stage = new DeskStage({ delegate: { by: 'act' } });
    await stage.turns(5, 'speaking');
    await stage.turn('speaking', { words: ['<unk>'] });
    await stage.turn('yielded', { acts: ['delegate'] });
    await stage.turns(40, 'silent');
    expect(stage.of('task.failed')).toMatchObject([{ code: 'task/unheard' }]);
    expect(stage.heard).toEqual([phrases.unheard]);
  });
});

describe('the page’s tools', () => {
  const parameters = { type: 'object' as const, properties: { to: { type: 'string' } }, required: ['to'] };
  const tool = { name: 'go', description: 'goes', parameters, approval: false };
  const context = { sessionId: 's', participant: 'ann', taskId: 'task-1', note: () => {} };

  it('are called over the socket, with arguments that fit, and answered once', async () => {
    const stage = new DeskStage();
    stage.desk.registerTools([tool]);
    ask(stage, 'q');
    await settle();
    const { io } = stage.provider.of('q');
    const call = (args: unknown) =>
      io.tools.call({ name: 'go', arguments: args }, { ...context, signal: io.signal }, io.approve);
    await expect(call({})).rejects.toMatchObject({ code: 'tool/failed', message: expect.stringContaining('to') });
    const output = call({ to: 'home' });
    await settle();
    const [event] = stage.of('tool.call');
    expect(event).toMatchObject({ name: 'go', arguments: { to: 'home' }, taskId: 'task-1' });
    stage.desk.toolResult({ callId: event!.callId, output: { went: true } });
    await expect(output).resolves.toBe('{"went":true}');
    expect(() => stage.desk.toolResult({ callId: event!.callId, output: 1 })).toThrow(
      expect.objectContaining({ code: 'task/unknown' }),
    );
  });

  it('fault 30: a result of 10 MB is refused, and the next one taken', async () => {
    const stage = new DeskStage();
    stage.desk.registerTools([tool]);
    ask(stage, 'q');
    await settle();
    const { io } = stage.provider.of('q');
    const output = io.tools.call({ name: 'go', arguments: { to: 'x' } }, { ...context, signal: io.signal }, io.approve);
    await settle();
    const { callId } = stage.of('tool.call')[0]!;
    expect(() => stage.desk.toolResult({ callId, output: 'x'.repeat(10_000_000) })).toThrow(
      expect.objectContaining({ code: 'protocol/too-large' }),
    );
    stage.desk.toolResult({ callId, error: 'it was too large' });
    await expect(output).rejects.toMatchObject({ code: 'tool/failed' });
  });

  it('that change something run only with the user’s leave, and end with their task', async () => {
    const stage = new DeskStage();
    stage.desk.registerTools([{ ...tool, approval: true }]);
    ask(stage, 'q');
    await settle();
    const { io } = stage.provider.of('q');
    const call = () =>
      io.tools.call({ name: 'go', arguments: { to: 'x' } }, { ...context, signal: io.signal }, io.approve);
    const refused = call();
    await settle();
    stage.desk.answer('task-1', false);
    await expect(refused).rejects.toMatchObject({ message: expect.stringContaining('did not allow') });
    expect(stage.of('tool.call')).toEqual([]);
    const allowed = call();
    await settle();
    stage.desk.answer('task-1', true);
    await settle();
    expect(stage.of('tool.call')).toHaveLength(1);
    stage.desk.cancel('task-1', 'client');
    await expect(allowed).rejects.toMatchObject({ code: 'session/aborted' });
    expect(stage.of('tool.result')).toMatchObject([{ error: expect.any(String) }]);
  });

  it.each([
    ['a pattern', { type: 'object', properties: { a: { type: 'string', pattern: '(a+)+$' } } }],
    ['a reference', { type: 'object', properties: { a: { $ref: '#' } } }],
  ])('with %s in their schema are refused', (_name, schema) => {
    const stage = new DeskStage();
    expect(() => stage.desk.registerTools([{ ...tool, parameters: schema as unknown as typeof parameters }])).toThrow(
      expect.objectContaining({ code: 'protocol/malformed' }),
    );
  });
});
