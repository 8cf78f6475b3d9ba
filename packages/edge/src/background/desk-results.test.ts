import { MicroturnError, type ResponseWord } from '@microturn/protocol';
import { describe, expect, it, vi } from 'vitest';
import { DeskStage, settle } from './fixtures/desk-stage.js';
import { phrases } from './phrases.js';

/** A word with dashes in it as several. */
function spaced({ text, startMs, endMs }: ResponseWord): ResponseWord[] {
  return text
    .replaceAll('—', ' — ')
    .split(' ')
    .map((part) => ({ text: part, startMs, endMs }));
}

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

    it('is offered after the model’s own words, and not while they are said', async () => {
      const { stage, io, done } = await byAct();
      await stage.turn('yielded', { say: 'one two three four' });
      io.delta('It is far. ');
      done();
      await stage.turns(3);
      expect(stage.marks).toEqual([]);
      await stage.turns(4);
      expect(stage.marks.map(([mark]) => mark)).toEqual(['result']);
      await stage.turn('silent', { acts: ['relay'] });
      await stage.turns(9);
      expect(stage.heard).toEqual(['one two three four', 'It is far.']);
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

    it('is said at its word where something was stopped, and what was heard of that is not told yet', async () => {
      const { stage, io, done } = await byAct();
      io.delta('It is far. ');
      done();
      await stage.turn('yielded', { say: 'one two three four' });
      await stage.turns(2);
      await stage.turn('silent', { acts: ['stop', 'relay'] });
      await stage.turns(9);
      expect(stage.heard.at(-1)).toBe('It is far.');
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

  it('is given up where its voice fails again and again, and can be read', async () => {
    const stage = new DeskStage();
    ask(stage, 'q');
    await settle();
    const { io, done } = stage.provider.of('q');
    io.delta('塔很高。');
    done();
    const failed = { code: 'voice/failed', message: 'nothing can be said', retryable: true, hint: '' } as const;
    for (let i = 0; i < 100; i++) {
      await stage.turn('silent');
      const live = stage.state.responses[0];
      if (live) stage.apply({ type: 'voice-failed', atMs: stage.clock.now(), responseId: live.id, ...failed });
    }
    expect(stage.of('response.started').length).toBeLessThan(12);
    expect(stage.task()).toMatchObject({ status: 'woven', text: '塔很高。' });
  });

  it('is said after all where it was refused at once', async () => {
    let refused = false;
    const stage: DeskStage = new DeskStage(
      {},
      {
        relay: (responseId, taskId, text) => {
          const atMs = stage.clock.now();
          stage.apply({ type: 'relay', atMs, responseId, taskId, text });
          if (refused) return;
          refused = true;
          stage.apply({ type: 'voice-failed', atMs, responseId, ...new MicroturnError('voice/failed').toWire() });
        },
      },
    );
    ask(stage, 'q');
    await settle();
    const { io, done } = stage.provider.of('q');
    io.delta('It is far.');
    done();
    await stage.turns(20, 'silent');
    expect(stage.of('response.interrupted').map(({ heardText }) => heardText)).toEqual(['']);
    expect(stage.heard).toEqual(['It is far.']);
    expect(stage.task().status).toBe('woven');
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

  it('what the app’s moderation drops behind a sentence that is being said stays unsaid where that is cut', async () => {
    const stage = new DeskStage({ moderate: async (text) => (text.includes('secret') ? undefined : text) });
    ask(stage, 'q');
    await settle();
    const { io, done } = stage.provider.of('q');
    io.delta('That is a very good question indeed. ');
    await stage.turns(5, 'silent');
    io.delta('The secret is four. That is all.');
    done();
    await stage.turn('silent');
    await stage.turn('barge-in', { acts: ['stop'] });
    await stage.turns(3, 'speaking');
    await stage.turns(60, 'silent');
    expect(stage.heard.at(-1)).toBe('That is a very good question indeed. That is all.');
    expect(stage.heard.join(' ')).not.toContain('secret');
    expect(stage.task().status).toBe('woven');
  });

  it('with nothing to say at its end, such as a smile, is not begun again for that', async () => {
    const stage = new DeskStage();
    const said = vi.spyOn(stage, 'apply');
    ask(stage, 'q');
    await settle();
    const { io, done } = stage.provider.of('q');
    io.delta('It is open until nine this evening. ');
    await stage.turns(5, 'silent');
    io.delta('😀');
    done();
    await stage.turn('silent');
    await stage.turn('barge-in', { acts: ['stop'] });
    await stage.turns(60, 'silent');
    expect(said.mock.calls.filter(([input]) => input.type === 'relay' && input.text === '')).toEqual([]);
    expect(stage.heard).toEqual(['It is open', 'It is open until nine this evening.']);
    expect(stage.task().status).toBe('woven');
  });

  it('says the sentence that was cut off before its first word, though the one before has dashes that are words to a voice', async () => {
    const stage = new DeskStage();
    ask(stage, 'q');
    await settle();
    const { io, done } = stage.provider.of('q');
    io.delta('It costs ten—maybe twelve—euros. Shall I book it?');
    done();
    await stage.turns(2, 'silent');
    // As voices have them: "It costs ten — maybe twelve — euros."
    const apply = stage.apply.bind(stage);
    vi.spyOn(stage, 'apply').mockImplementation((input) =>
      apply(input.type === 'clause' ? { ...input, words: input.words.flatMap((word) => spaced(word)) } : input),
    );
    await stage.turns(6, 'silent');
    await stage.turn('barge-in', { acts: ['stop'] });
    await stage.turns(60, 'silent');
    expect(stage.heard[0]).toBe('It costs ten — maybe twelve — euros.');
    expect(stage.heard[1]).toBe('Shall I book it?');
  });

  it.each<[string, () => Promise<string | undefined>]>([
    [
      'throws',
      () => {
        throw new TypeError('a bug of the app');
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('a bug of the app'))],
  ])('is not said where the app’s moderation %s, and what comes after it is', async (_how, fails) => {
    const moderate = vi.fn(async (text: string): Promise<string | undefined> => text).mockImplementationOnce(fails);
    const stage = new DeskStage({ moderate });
    ask(stage, 'q');
    await settle();
    const { io, done } = stage.provider.of('q');
    io.delta('The secret is four. That is all.');
    done();
    await stage.turns(20, 'silent');
    expect(stage.heard).toEqual(['That is all.']);
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
