import { describe, expect, it } from 'vitest';
import { Run } from './fixtures/conversation-run.js';

describe('a conversation', () => {
  it('silence is a decision that makes nothing happen', () => {
    const run = new Run().turn('silent').turn('silent');
    expect(run.events).toEqual([]);
    expect(run.effects).toEqual([]);
  });

  it('tells the floor when it changes, and only then', () => {
    const run = new Run().turn('speaking').turn('speaking').turn('yielded');
    expect(run.find('floor.changed')).toMatchObject([{ floor: 'speaking' }, { floor: 'yielded' }]);
  });

  it('a word said while the user speaks is an interjection', () => {
    const run = new Run().turn('speaking', { say: 'one' });
    expect(run.find('response.started')).toMatchObject([{ kind: 'interjection', responseId: 'r0' }]);
    expect(run.find('interruption')).toMatchObject([{ kind: 'interjection', taken: true }]);
    expect(run.effects).toEqual([{ do: 'speak', responseId: 'r0', audience: 'room', text: 'one', last: false }]);
  });

  it('a word said after the user has yielded is a reply, and no interruption', () => {
    const run = new Run().turn('yielded', { say: 'one' });
    expect(run.find('response.started')).toMatchObject([{ kind: 'reply' }]);
    expect(run.find('interruption')).toEqual([]);
  });

  it('words in following micro-turns make one response', () => {
    const run = new Run().turn('yielded', { say: 'one' }).turn('yielded', { say: 'two' });
    expect(run.find('response.started')).toHaveLength(1);
    expect(run.effects).toMatchObject([{ responseId: 'r0' }, { responseId: 'r0' }]);
  });

  it('a run ends when the model is silent and its words are made; the next word begins another', () => {
    const run = new Run().turn('yielded', { say: 'one' });
    run.turn('yielded');
    expect(run.effects).not.toContainEqual({ do: 'end', responseId: 'r0', audience: 'room' });
    run.voiced('r0', 'one', 300).turn('yielded');
    expect(run.effects).toContainEqual({ do: 'end', responseId: 'r0', audience: 'room' });
    run.turn('yielded', { say: 'two' });
    expect(run.find('response.started')).toHaveLength(2);
  });

  describe('a sign that the agent listens', () => {
    const murmured = () => new Run().turn('holding', { say: 'mm-hm', acts: ['backchannel'] });
    const kinds = (run: Run) => run.find('response.started').map((event) => 'kind' in event && event.kind);
    const spoken = (run: Run) => run.effects.flatMap((effect) => (effect.do === 'speak' ? [`${effect.responseId}: ${effect.text}`] : [])); // prettier-ignore

    it('is no part of the answer behind it, in the next decision or before it', () => {
      for (const answered of [
        murmured().turn('yielded', { say: 'Nice.' }),
        murmured().turn('yielded').feed({ type: 'more', atMs: 450, text: 'Nice.', responseId: 'r1' }),
      ]) {
        expect(kinds(answered)).toEqual(['backchannel', 'reply']);
        expect(spoken(answered)).toEqual(['r0: mm-hm', 'r1: Nice.']);
        expect(answered.effects).toContainEqual({ do: 'end', responseId: 'r0', audience: 'room' });
        // The answer goes on, and ends by itself.
        answered.voiced('r0', 'mm-hm', 300).turn('yielded', { say: 'Very.' });
        expect(spoken(answered).at(-1)).toBe('r1: Very.');
        answered.feed({ type: 'speech-sent', responseId: 'r0', atMs: 500 });
        answered.feed({ type: 'heard', responseId: 'r0', heardMs: 300, state: 'playing' });
        expect(answered.find('response.completed')).toMatchObject([{ responseId: 'r0' }]);
        expect(answered.state.responses).toMatchObject([{ id: 'r1', kind: 'reply', phase: 'speaking' }]);
      }
    });

    it('nor is it part of the answer before it, but of another sign', () => {
      const run = new Run().turn('yielded', { say: 'Nice.' }).turn('yielded', { say: 'mm-hm', acts: ['backchannel'] });
      run.turn('yielded', { say: 'yes', acts: ['backchannel'] });
      expect(spoken(run)).toEqual(['r0: Nice.', 'r1: mm-hm', 'r1: yes']);
    });

    it('that still waits to be said gives way to the answer', () => {
      const run = new Run().feed({ type: 'say', atMs: 0, responseId: 's', text: 'a long text' });
      run.voiced('s', 'a long text', 20_000).turn('holding', { say: 'mm-hm', acts: ['backchannel'] });
      run.turn('yielded', { say: 'Nice.' });
      expect(run.find('response.interrupted')).toMatchObject([{ responseId: 'r0', by: 'agent' }]);
      expect(run.state.responses.map(({ id }) => id)).toEqual(['s', 'r1']);
    });
  });

  it('a backchannel is told and stops nothing', () => {
    const run = new Run().feed({ type: 'say', atMs: 0, responseId: 's', text: 'a b' }).voiced('s', 'a b', 2000);
    run.turn('backchannel').turn('backchannel').turn('silent');
    expect(run.find('interruption')).toMatchObject([{ kind: 'backchannel', taken: false }]);
    expect(run.effects).not.toContainEqual({ do: 'cut', responseId: 's', audience: 'room' });
  });

  it('a barge-in that does not take the floor is told when it is over', () => {
    const run = new Run().feed({ type: 'say', atMs: 0, responseId: 's', text: 'a b' }).voiced('s', 'a b', 2000);
    run.turn('barge-in');
    expect(run.find('interruption')).toEqual([]);
    run.turn('silent');
    expect(run.find('interruption')).toMatchObject([{ kind: 'barge-in', taken: false }]);
  });

  describe('a word of the model that waits for what is being said', () => {
    /** The agent is in a long text of the app's when the model decides to say "three". */
    const waiting = () => {
      const run = new Run().turn('yielded').feed({ type: 'say', atMs: 200, responseId: 's', text: 'a long text' });
      run.voiced('s', 'a long text', 20_000);
      return run.turn('yielded', { say: 'three' }).voiced('r1', 'three', 300, { plays: false }).turn('yielded');
    };
    const live = (run: Run) => run.state.responses.map((response) => response.id);
    const dropped = [{ responseId: 'r1', by: 'agent', heardMs: 0, unheardText: 'three' }];

    it('is said after it, however long that takes, as long as the moment lasts', () => {
      const run = waiting();
      for (let i = 0; i < 100; i++) run.turn('silent');
      expect(live(run)).toEqual(['s', 'r1']);
      run.feed({ type: 'speech-sent', responseId: 's', atMs: 20_000 });
      run.feed({ type: 'heard', responseId: 's', heardMs: 20_000, state: 'playing' });
      run.feed({ type: 'speech-started', responseId: 'r1', atMs: 20_100 }).turn('silent');
      expect([live(run), run.find('response.interrupted')]).toEqual([['r1'], []]);
    });

    it('is dropped when the user takes the floor, and counts as unheard', () => {
      const run = waiting().turn('speaking');
      expect(run.effects).toContainEqual({ do: 'cut', responseId: 'r1', audience: 'room' });
      expect(run.find('response.interrupted')).toMatchObject(dropped);
      expect(live(run)).toEqual(['s']);
    });

    it('gives way to other words', () => {
      const run = waiting().turn('silent', { say: 'four' });
      expect(run.find('response.interrupted')).toMatchObject(dropped);
      expect(live(run)).toEqual(['s', 'r3']);
    });

    it('is said with the words that follow it', () => {
      const run = new Run().feed({ type: 'say', atMs: 0, responseId: 's', text: 'a long text' });
      run.voiced('s', 'a long text', 20_000).turn('yielded', { say: 'three' }).turn('yielded', { say: 'four' });
      expect(live(run)).toEqual(['s', 'r0']);
    });

    it('goes with what it waits for, when the model stops', () => {
      const run = waiting().turn('barge-in', { acts: ['stop'] });
      expect(run.find('response.interrupted')).toMatchObject([...dropped]);
      expect(run.state.responses.map(({ phase }) => phase)).toEqual(['cut']);
    });
  });

  it('gives up a response that nothing is in front of and that makes no sound: its voice is broken', () => {
    const run = new Run().turn('yielded', { say: 'one' });
    for (let i = 0; i < 22; i++) run.turn('yielded');
    expect(run.find('response.interrupted')).toMatchObject([{ responseId: 'r0', by: 'agent', unheardText: '' }]);
    expect(run.state.responses).toEqual([]);
  });

  describe('words that are shown', () => {
    const shown = (...texts: string[]) => texts.map((text) => ({ surface: 'translation', text, of: 'cat' }));
    const show = (run: Run, ...texts: string[]) =>
      run.feed({
        type: 'decision',
        atMs: 200,
        responseId: 'r',
        decision: {
          lease: 1,
          index: 0,
          words: [],
          floor: 'speaking',
          confidence: 1,
          say: '',
          acts: [],
          shown: shown(...texts),
          stepMs: 1,
          lagMs: 1,
        },
      });

    it('go to their surface one after the other, and make no sound', () => {
      const run = show(show(new Run(), 'gato'), 'perro');
      expect(run.effects).toEqual([]);
      expect(run.find('ui.patch')).toEqual([
        {
          type: 'ui.patch',
          surfaceId: 'translation',
          patch: [{ op: 'add', path: '/words', value: [{ text: 'gato', of: 'cat', atMs: 200 }] }],
        },
        {
          type: 'ui.patch',
          surfaceId: 'translation',
          patch: [{ op: 'add', path: '/words/-', value: { text: 'perro', of: 'cat', atMs: 200 } }],
        },
      ]);
    });

    it('are bounded: the oldest goes where there are 300', () => {
      const run = new Run();
      for (let i = 0; i < 302; i++) show(run, `w${i}`);
      const patches = run.find('ui.patch') as unknown as { patch: { op: string }[] }[];
      expect(patches.slice(0, 300).every(({ patch }) => patch.every(({ op }) => op === 'add'))).toBe(true);
      for (const { patch } of patches.slice(300)) expect(patch.map(({ op }) => op)).toEqual(['remove', 'add']);
    });
  });

  it('a voice that fails ends the response and says why', () => {
    const run = new Run().feed({ type: 'say', atMs: 0, responseId: 's', text: '…' });
    run.feed({
      type: 'voice-failed',
      atMs: 10,
      responseId: 's',
      code: 'voice/failed',
      message: 'm',
      retryable: true,
      hint: 'h',
    });
    expect(run.types()).toEqual(['response.started', 'error', 'response.interrupted']);
    expect(run.find('response.interrupted')).toMatchObject([{ by: 'agent', heardMs: 0 }]);
  });

  it('speech that comes back after a response is over is nobody’s', () => {
    const run = new Run().feed({ type: 'clause', responseId: 'gone', text: 'x', words: [], lengthMs: 10 });
    run
      .feed({ type: 'spoken', responseId: 'gone' })
      .feed({ type: 'heard', responseId: 'gone', heardMs: 5, state: 'muted' });
    expect(run.events).toEqual([]);
  });
});
