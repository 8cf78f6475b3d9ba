import { describe, expect, it, vi } from 'vitest';
import { DeskStage, limits, settle } from './fixtures/desk-stage.js';
import { phrases } from './phrases.js';

const ask = (stage: DeskStage, text: string) => stage.desk.ask({ text, origin: 'text' }).taskId;

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

  it('that is refused since too many wait is told of', async () => {
    const stage = new DeskStage({ ...hearing('what else'), limits: { ...limits, concurrent: 1, queued: 1 } });
    ask(stage, 'a');
    ask(stage, 'b');
    await stage.utter(['<unk>', '<unk>'], 6);
    expect(stage.of('task.created')).toHaveLength(2);
    expect(stage.of('error')).toMatchObject([{ code: 'task/full', retryable: true }]);
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

  it('that turns out to add to another does that once, in the words of who heard them better', async () => {
    const stage = new DeskStage(hearing('Make it vegetarian.'));
    ask(stage, 'what is for dinner');
    await stage.utter(['make', 'it', 'green'], 6);
    await stage.turns(5, 'silent');
    expect(stage.task('task-1')).toMatchObject({ revision: 2, amendments: ['Make it vegetarian.'] });
    expect(stage.task('task-2')).toMatchObject({ revision: 1, status: 'woven' });
    expect(stage.provider.runs.map(({ brief }) => brief.task.id)).toEqual(['task-1', 'task-1']);
  });

  it.each<[string, string[]]>([
    ['has no name for', ['<unk>']],
    ['has a name for', ['for']],
  ])('is no question where it answers one, however short, in a word that the model %s', async (_, words) => {
    const stage = new DeskStage(hearing('Four.'));
    ask(stage, 'book a table');
    await stage.turn();
    const answer = stage.provider.of('book a table').io.ask('For how many?');
    await stage.turns(20, 'silent');
    await stage.utter(words, 2);
    await expect(answer).resolves.toBe('Four.');
    expect(stage.provider.runs).toHaveLength(1);
  });

  describe('of a model that tells utterances when all their words are known', () => {
    const approving = async () => {
      const stage = new DeskStage({ delegate: { by: 'act' }, tellsUtterances: true });
      ask(stage, 'send it');
      await settle();
      const approved = stage.provider.of('send it').io.approve('send_mail', {});
      await stage.turns(20, 'silent');
      return { stage, approved };
    };

    it.each([
      ['yes', true],
      ['no', false],
    ])('answers with a %s whose words come long after its end', async (word, expected) => {
      const { stage, approved } = await approving();
      const fromMs = stage.clock.now();
      await stage.turns(2, 'speaking');
      await stage.turns(9, 'yielded');
      await stage.turn('silent', { words: [word] });
      stage.desk.heard({ words: [word], fromMs });
      await expect(approved).resolves.toBe(expected);
    });

    it('takes no yes for a question that nobody heard, since the sound was off', async () => {
      const stage = new DeskStage({ delegate: { by: 'act' }, tellsUtterances: true });
      const apply = stage.apply.bind(stage);
      vi.spyOn(stage, 'apply').mockImplementation((input) =>
        apply(input.type === 'heard' ? { ...input, heardMs: 0, state: 'muted' } : input),
      );
      ask(stage, 'send it');
      await settle();
      const approved = stage.provider.of('send it').io.approve('send_mail', {});
      await stage.turns(30, 'silent');
      expect(stage.of('response.completed')).toMatchObject([{ heardMs: 0, unheardText: expect.any(String) as string }]);
      stage.desk.heard({ words: ['yes'], fromMs: stage.clock.now() });
      expect(stage.task().status).toBe('asking');
      stage.desk.answer('task-1', false, stage.of('task.question')[0]!.questionId);
      await expect(approved).resolves.toBe(false);
    });

    it('calls a task off with a “never mind” of which half came in time', async () => {
      const stage = new DeskStage({ delegate: { by: 'act' }, tellsUtterances: true });
      ask(stage, 'q');
      await stage.turns(2, 'speaking');
      await stage.turn('yielded', { words: ['never'] });
      await stage.turns(6, 'yielded');
      stage.desk.heard({ words: ['never', 'mind'], fromMs: 0 });
      expect(stage.task().status).toBe('cancelled');
    });

    it('answers nothing with some of its words', async () => {
      const { stage, approved } = await approving();
      const fromMs = stage.clock.now();
      await stage.turns(2, 'speaking');
      await stage.turn('speaking', { words: ['yes'] });
      await stage.turns(6, 'yielded');
      expect(stage.task().status).toBe('asking');
      for (const words of [['yes', '<unk>'], ['yes', 'but', 'not', 'yet']]) stage.desk.heard({ words, fromMs }); // prettier-ignore
      expect(stage.task().status).toBe('asking');
      stage.desk.heard({ words: ['no'], fromMs });
      await expect(approved).resolves.toBe(false);
    });
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
