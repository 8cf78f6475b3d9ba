import type { Floor } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import type { Act } from '../engine/types.js';
import { wordsUpTo } from './conversation-step.js';
import {
  startConversation,
  type Conversation,
  type ConversationInput,
  type ConversationStep,
} from './conversation-state.js';
import { stepConversation } from './conversation.js';

/** Feeds inputs one after the other and keeps all that came out. */
class Run {
  state: Conversation;
  readonly events: ConversationStep['events'][number][] = [];
  readonly effects: ConversationStep['effects'][number][] = [];
  #turn = 0;

  constructor(state = startConversation('ann')) {
    this.state = state;
  }

  feed(input: ConversationInput): this {
    const step = stepConversation(this.state, input);
    this.state = step.state;
    this.events.push(...step.events);
    this.effects.push(...step.effects);
    return this;
  }

  turn(
    floor: Floor,
    { say = '', acts = [], overhears = false }: { say?: string; acts?: Act[]; overhears?: boolean } = {},
  ): this {
    const index = this.#turn++;
    return this.feed({
      type: 'decision',
      atMs: (index + 1) * 200,
      responseId: `r${index}`,
      overhears,
      decision: { lease: 1, index, words: [], floor, confidence: 1, say, acts, stepMs: 1, lagMs: 1 },
    });
  }

  /** What the voice does for one `speak`. */
  voiced(responseId: string, text: string, lengthMs: number, { plays = true } = {}): this {
    if (plays) this.feed({ type: 'speech-started', responseId, atMs: 0 });
    const words = text.split(' ');
    const each = lengthMs / words.length;
    const timed = words.map((word, i) => ({ text: word, startMs: i * each, endMs: (i + 1) * each }));
    return this.feed({ type: 'clause', responseId, text, words: timed, lengthMs }).feed({ type: 'spoken', responseId });
  }

  types(): string[] {
    return this.events.map((event) => event.type);
  }
  find(type: string) {
    return this.events.filter((event) => event.type === type);
  }
}

describe('a conversation', () => {
  it('a listener who goes away hears nothing more: what played is cut there, and what is said meanwhile is unheard', () => {
    const run = new Run().feed({ type: 'say', atMs: 0, responseId: 's', text: 'good morning' });
    run.voiced('s', 'good morning', 800).feed({ type: 'heard', responseId: 's', heardMs: 400, state: 'playing' });
    run.feed({ type: 'listener', atMs: 500, present: false }).turn('yielded', { say: 'one' });
    expect(run.find('response.interrupted')).toMatchObject([
      { responseId: 's', by: 'agent', heardMs: 400, heardText: 'good', unheardText: 'morning' },
      { responseId: 'r0', by: 'agent', heardMs: 0, heardText: '', unheardText: 'one' },
    ]);
    expect(run.effects.filter((effect) => effect.do === 'speak')).toHaveLength(1);
    expect(run.state.responses).toEqual([]);
    run.feed({ type: 'listener', atMs: 700, present: true }).turn('yielded', { say: 'two' });
    expect(run.effects.at(-1)).toMatchObject({ do: 'speak', text: 'two' });
  });

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

  it('is complete when it was heard to the end', () => {
    const run = new Run()
      .feed({ type: 'say', atMs: 0, responseId: 's', text: 'good morning' })
      .voiced('s', 'good morning', 800);
    run.feed({ type: 'heard', responseId: 's', heardMs: 400, state: 'playing' });
    expect(run.find('response.heard')).toMatchObject([{ heardMs: 400, heardText: 'good' }]);
    run.feed({ type: 'speech-sent', responseId: 's', atMs: 900 });
    run.feed({ type: 'heard', responseId: 's', heardMs: 790, state: 'playing' });
    expect(run.types()).toContain('response.completed');
    expect(run.state.responses).toEqual([]);
  });

  it('is complete after a while where the listener reports nothing, with what was reported', () => {
    const run = new Run().feed({ type: 'say', atMs: 0, responseId: 's', text: 'hi' }).voiced('s', 'hi', 300);
    run.feed({ type: 'speech-sent', responseId: 's', atMs: 100 }).turn('silent');
    expect(run.types()).not.toContain('response.completed');
    for (let i = 0; i < 10; i++) run.turn('silent');
    expect(run.find('response.completed')).toMatchObject([{ heardMs: 0 }]);
  });

  it('the model stops a response, and the history keeps what was heard by the listener', () => {
    const run = new Run().feed({ type: 'say', atMs: 0, responseId: 's', text: 'a b c d' }).voiced('s', 'a b c d', 4000);
    run.feed({ type: 'heard', responseId: 's', heardMs: 1900, state: 'playing' });
    run.turn('barge-in').turn('barge-in', { acts: ['stop'] });
    expect(run.find('interruption')).toMatchObject([{ kind: 'barge-in', taken: true }]);
    expect(run.effects).toContainEqual({ do: 'cut', responseId: 's', audience: 'room' });
    expect(run.types()).toContain('response.cut');
    expect(run.types()).not.toContain('response.interrupted');
    run.feed({ type: 'heard', responseId: 's', heardMs: 2050, state: 'muted' });
    expect(run.find('response.interrupted')).toMatchObject([
      { by: 'user', heardMs: 2050, heardText: 'a b', unheardText: 'c d' },
    ]);
    expect(run.state.responses).toEqual([]);
  });

  it('a client that does not answer a cut does not hold the history up', () => {
    const run = new Run().feed({ type: 'say', atMs: 0, responseId: 's', text: 'a b' }).voiced('s', 'a b', 2000);
    run.feed({ type: 'heard', responseId: 's', heardMs: 500, state: 'playing' }).turn('barge-in', { acts: ['stop'] });
    for (let i = 0; i < 5; i++) run.turn('silent');
    expect(run.find('response.interrupted')).toMatchObject([{ by: 'user', heardMs: 500 }]);
  });

  it('a late report after the mute changes nothing', () => {
    const run = new Run().feed({ type: 'say', atMs: 0, responseId: 's', text: 'a b' }).voiced('s', 'a b', 2000);
    run.turn('barge-in', { acts: ['stop'] }).feed({ type: 'heard', responseId: 's', heardMs: 300, state: 'muted' });
    const before = run.events.length;
    run.feed({ type: 'heard', responseId: 's', heardMs: 900, state: 'playing' });
    expect(run.events).toHaveLength(before);
  });

  it('heard never runs backwards and never beyond what there is', () => {
    const run = new Run().feed({ type: 'say', atMs: 0, responseId: 's', text: 'a b' }).voiced('s', 'a b', 1000);
    run.feed({ type: 'heard', responseId: 's', heardMs: 600, state: 'playing' });
    run.feed({ type: 'heard', responseId: 's', heardMs: 400, state: 'playing' });
    run.feed({ type: 'heard', responseId: 's', heardMs: 5000, state: 'playing' });
    expect(run.find('response.heard')).toMatchObject([{ heardMs: 600 }, { heardMs: 1000 }]);
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
    for (let i = 0; i < 12; i++) run.turn('yielded');
    expect(run.find('response.interrupted')).toMatchObject([{ responseId: 'r0', by: 'agent', unheardText: '' }]);
    expect(run.state.responses).toEqual([]);
  });

  it('a reminder waits for what is being said', () => {
    const run = new Run().feed({ type: 'say', atMs: 0, responseId: 's', text: 'a long text' });
    run.voiced('s', 'a long text', 20_000).turn('silent', { say: 'Time is up', acts: ['remind'] });
    run.voiced('r0', 'Time is up', 800, { plays: false });
    for (let i = 0; i < 12; i++) run.turn('silent');
    expect(run.state.responses.map((response) => response.id)).toEqual(['s', 'r0']);
  });

  describe('repeat', () => {
    const told = () => {
      const run = new Run().turn('yielded', { say: 'seven' }).voiced('r0', 'seven', 400);
      return run.turn('silent').feed({ type: 'speech-sent', responseId: 'r0', atMs: 600 });
    };
    const heard = (run: Run) => run.feed({ type: 'heard', responseId: 'r0', heardMs: 400, state: 'playing' });

    it('says what was said last once more, and again when it is asked again', () => {
      const run = heard(told()).turn('yielded', { acts: ['repeat'] });
      expect(run.effects.at(-1)).toMatchObject({ do: 'speak', responseId: 'r2', text: 'seven', last: true });
      expect(run.find('response.started')).toMatchObject([{ responseId: 'r0' }, { responseId: 'r2', kind: 'reply' }]);
      run
        .voiced('r2', 'seven', 400)
        .feed({ type: 'interrupt', atMs: 900 })
        .turn('yielded', { acts: ['repeat'] });
      expect(run.effects.at(-1)).toMatchObject({ do: 'speak', responseId: 'r3', text: 'seven' });
    });

    it('has nothing to say where nothing was said, while the agent speaks, and to nobody', () => {
      expect(new Run().turn('yielded', { acts: ['repeat'] }).effects).toEqual([]);
      expect(
        told()
          .turn('yielded', { acts: ['repeat'] })
          .find('response.started'),
      ).toHaveLength(1);
      const away = heard(told()).feed({ type: 'listener', atMs: 800, present: false });
      expect(away.turn('yielded', { acts: ['repeat'] }).find('response.started')).toHaveLength(1);
    });
  });

  it('speaks as it was told to, from then on', () => {
    const run = new Run().turn('yielded', { say: 'one' }).turn('yielded', { acts: ['louder'], say: 'two' });
    run.turn('yielded', { acts: ['slower'] }).turn('yielded', { say: 'three' });
    const manners = run.effects.flatMap((effect) => (effect.do === 'speak' ? [effect.manner] : []));
    expect(manners[0]).toBeUndefined();
    expect(manners[1]).toMatchObject({ rate: 1 });
    expect(manners[1]!.gainDb).toBeGreaterThan(0);
    expect(manners[2]).toMatchObject({ gainDb: manners[1]!.gainDb });
    expect(manners[2]!.rate).toBeLessThan(1);
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

  describe('continue', () => {
    const stopped = () =>
      new Run()
        .feed({ type: 'say', atMs: 0, responseId: 's', text: 'one two three four' })
        .voiced('s', 'one two three four', 1200)
        .feed({ type: 'heard', responseId: 's', heardMs: 600, state: 'playing' })
        .turn('barge-in', { acts: ['stop'] })
        .feed({ type: 'heard', responseId: 's', heardMs: 600, state: 'muted' });

    it('says what the user stopped and did not hear, once', () => {
      const run = stopped().turn('yielded', { acts: ['continue'] });
      expect(run.find('response.started').at(-1)).toMatchObject({ responseId: 'r1', kind: 'reply', audience: 'room' });
      expect(run.effects.at(-1)).toMatchObject({ do: 'speak', responseId: 'r1', text: 'three four', last: true });
      const effects = run.effects.length;
      run.voiced('r1', 'three four', 600).feed({ type: 'speech-sent', responseId: 'r1', atMs: 900 });
      run.feed({ type: 'heard', responseId: 'r1', heardMs: 600, state: 'playing' });
      expect(run.find('response.completed')).toMatchObject([{ responseId: 'r1' }]);
      expect(run.turn('yielded', { acts: ['continue'] }).effects).toHaveLength(effects);
    });

    it('does nothing while the agent speaks, where nothing was stopped, after a minute, and to nobody', () => {
      expect(new Run().turn('yielded', { acts: ['continue'] }).effects).toEqual([]);
      const busy = stopped().feed({ type: 'say', atMs: 900, responseId: 'next', text: 'five' });
      const effects = busy.effects.length;
      expect(busy.turn('yielded', { acts: ['continue'] }).effects).toHaveLength(effects);
      const late = stopped();
      for (let i = 0; i < 301; i++) late.turn('silent');
      expect(late.turn('yielded', { acts: ['continue'] }).find('response.started')).toHaveLength(1);
      const away = stopped().feed({ type: 'listener', atMs: 900, present: false });
      expect(away.turn('yielded', { acts: ['continue'] }).find('response.started')).toHaveLength(1);
    });

    it('leaves the results of tasks to the background, which has the rest of them', () => {
      const run = new Run().feed({ type: 'relay', atMs: 0, responseId: 't', taskId: 'task-1', text: 'one two' });
      run.voiced('t', 'one two', 600).turn('barge-in', { acts: ['stop'] });
      run
        .feed({ type: 'heard', responseId: 't', heardMs: 300, state: 'muted' })
        .turn('yielded', { acts: ['continue'] });
      expect(run.find('response.started')).toHaveLength(1);
    });
  });

  it('a stop with nothing to stop does nothing', () => {
    expect(new Run().turn('speaking', { acts: ['stop'] }).types()).toEqual(['floor.changed']);
  });

  it('the client stops everything that is said or waits to be said', () => {
    const run = new Run()
      .feed({ type: 'say', atMs: 0, responseId: 's', text: 'a b' })
      .voiced('s', 'a b', 2000)
      .feed({ type: 'say', atMs: 0, responseId: 't', text: 'c' })
      .feed({ type: 'heard', responseId: 's', heardMs: 1000, state: 'muted' })
      .feed({ type: 'interrupt', atMs: 100 });
    expect(run.find('response.interrupted')).toMatchObject([
      { responseId: 's', by: 'client', heardMs: 1000, heardText: 'a', unheardText: 'b' },
      { responseId: 't', by: 'client', heardMs: 0 },
    ]);
    expect(run.state.responses).toEqual([]);
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

  it('"never mind" to a reminder silences it, and nothing else', () => {
    const run = new Run().turn('silent', { say: 'Time is up', acts: ['remind'] });
    run.voiced('r0', 'Time is up', 900).turn('speaking', { acts: ['cancel'] });
    expect(run.find('response.cut')).toMatchObject([{ responseId: 'r0' }]);
    const other = new Run().turn('yielded', { say: 'three' }).voiced('r0', 'three', 300);
    expect(other.turn('speaking', { acts: ['cancel'] }).find('response.cut')).toEqual([]);
  });

  it('a reminder that falls due is said and told', () => {
    const run = new Run().turn('silent', { say: 'Time is up', acts: ['remind'] });
    expect(run.find('reminder.fired')).toMatchObject([{ reminderId: 'reminder-1', text: 'Time is up' }]);
    expect(run.find('response.started')).toMatchObject([{ kind: 'proactive' }]);
  });

  it('speech that comes back after a response is over is nobody’s', () => {
    const run = new Run().feed({ type: 'clause', responseId: 'gone', text: 'x', words: [], lengthMs: 10 });
    run
      .feed({ type: 'spoken', responseId: 'gone' })
      .feed({ type: 'heard', responseId: 'gone', heardMs: 5, state: 'muted' });
    expect(run.events).toEqual([]);
  });
});

describe('wordsUpTo', () => {
  const words = [
    { text: 'a', startMs: 0, endMs: 100 },
    { text: 'b', startMs: 100, endMs: 200 },
  ];
  it('a word is heard when it was played to its end, to one packet', () => {
    expect(wordsUpTo(words, 79)).toEqual({ heard: '', unheard: 'a b' });
    expect(wordsUpTo(words, 80)).toEqual({ heard: 'a', unheard: 'b' });
    expect(wordsUpTo(words, 200)).toEqual({ heard: 'a b', unheard: '' });
  });

  it('is said to whom the model speaks to, unless the app says to whom', () => {
    const run = new Run(startConversation('ann', { participant: 'ann' })).turn('yielded', { say: 'one' });
    run.feed({ type: 'say', atMs: 0, responseId: 's', text: 'two' });
    run.feed({ type: 'say', atMs: 0, responseId: 't', text: 'three', audience: 'room' });
    const own = { participant: 'ann' };
    expect(run.find('response.started')).toMatchObject([{ audience: own }, { audience: own }, { audience: 'room' }]);
    expect(run.effects.map((effect) => 'audience' in effect && effect.audience)).toEqual([own, own, 'room']);
  });

  it('a participant who stops what the agent says to the room for another has taken the floor', () => {
    const run = new Run().turn('barge-in', { acts: ['stop'], overhears: true });
    expect(run.find('interruption')).toMatchObject([{ kind: 'barge-in', participant: 'ann', taken: true }]);
    expect(run.effects).toEqual([{ do: 'overrule' }]);
  });

  it('is cut by another participant where it is said to the room, and goes on where it is not', () => {
    const run = new Run();
    run.feed({ type: 'say', atMs: 0, responseId: 's', text: 'to all' });
    run.feed({ type: 'say', atMs: 0, responseId: 't', text: 'to you', audience: { participant: 'ann' } });
    run.feed({ type: 'overruled', atMs: 500, by: 'user' });
    expect(run.effects.filter((effect) => effect.do === 'cut')).toMatchObject([{ responseId: 's' }]);
    expect(run.state.responses.map(({ id }) => id)).toEqual(['t']);
  });

  it('fault 22, to a listener whose device plays nothing: ends unheard, and a stop cuts it at zero', () => {
    const played = new Run();
    played.feed({ type: 'say', atMs: 0, responseId: 's', text: 'one two' }).voiced('s', 'one two', 1000);
    played.feed({ type: 'speech-sent', responseId: 's', atMs: 1000 });
    for (let i = 0; i < 20; i++) played.turn('silent');
    expect(played.find('response.completed')).toMatchObject([{ responseId: 's', heardMs: 0 }]);
    expect(played.find('response.heard')).toEqual([]);

    const stopped = new Run();
    stopped.feed({ type: 'say', atMs: 0, responseId: 's', text: 'one two' }).voiced('s', 'one two', 1000);
    stopped.turn('barge-in', { acts: ['stop'] });
    for (let i = 0; i < 5; i++) stopped.turn('silent');
    expect(stopped.find('response.interrupted')).toMatchObject([
      { by: 'user', heardMs: 0, heardText: '', unheardText: 'one two' },
    ]);
    expect([played.state.responses, stopped.state.responses]).toEqual([[], []]);
  });
});
