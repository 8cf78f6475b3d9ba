import { describe, expect, it } from 'vitest';
import { wordsUpTo } from './conversation-step.js';
import { Run } from './fixtures/conversation-run.js';

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

  it('has its last word in what was heard, where its last packets were not reported', () => {
    for (const order of ['sent, then heard', 'heard, then sent']) {
      const run = new Run()
        .feed({ type: 'say', atMs: 0, responseId: 's', text: 'good morning' })
        .voiced('s', 'good morning', 800);
      const inputs = [
        { type: 'speech-sent', responseId: 's', atMs: 900 },
        { type: 'heard', responseId: 's', heardMs: 765, state: 'playing' },
      ] as const;
      for (const input of order === 'sent, then heard' ? inputs : inputs.toReversed()) run.feed(input);
      for (let i = 0; i < 20; i++) run.turn('silent');
      expect(run.find('response.heard').at(-1)).toMatchObject({ heardMs: 800, heardText: 'good morning' });
      expect(run.find('response.completed')).toMatchObject([{ heardMs: 800 }]);
    }
  });

  it('is complete after a while where the listener reports nothing, with what was reported', () => {
    const run = new Run().feed({ type: 'say', atMs: 0, responseId: 's', text: 'hi' }).voiced('s', 'hi', 300);
    run.feed({ type: 'speech-sent', responseId: 's', atMs: 100 }).turn('silent');
    expect(run.types()).not.toContain('response.completed');
    for (let i = 0; i < 10; i++) run.turn('silent');
    expect(run.find('response.completed')).toMatchObject([{ heardMs: 0 }]);
  });

  it('is complete where the listener has turned the sound off, and says what they did not hear', () => {
    const say = () => {
      const run = new Run().feed({ type: 'say', atMs: 0, responseId: 's', text: 'a b c d' });
      return run.voiced('s', 'a b c d', 4000).feed({ type: 'heard', responseId: 's', heardMs: 1900, state: 'playing' });
    };
    const ended = (run: Run) => {
      run.feed({ type: 'speech-sent', responseId: 's', atMs: 0 });
      for (let i = 0; i < 10; i++) run.turn('silent');
      return run.find('response.completed');
    };
    const off = say().feed({ type: 'heard', responseId: 's', heardMs: 2000, state: 'muted' });
    expect(ended(off)).toEqual([{ type: 'response.completed', responseId: 's', heardMs: 2000, unheardText: 'c d' }]);
    // Turned on again, what had begun stays where it was.
    const on = say().feed({ type: 'heard', responseId: 's', heardMs: 2000, state: 'muted' });
    on.feed({ type: 'heard', responseId: 's', heardMs: 2000, state: 'playing' });
    expect(ended(on)).toMatchObject([{ heardMs: 2000, unheardText: 'c d' }]);
    // What had not is heard from there on, or as far as is known.
    const waited = new Run().feed({ type: 'say', atMs: 0, responseId: 's', text: 'a b c d' });
    waited.feed({ type: 'heard', responseId: 's', heardMs: 0, state: 'muted' }).voiced('s', 'a b c d', 4000);
    waited.feed({ type: 'heard', responseId: 's', heardMs: 3100, state: 'playing' });
    expect(ended(waited)).toEqual([{ type: 'response.completed', responseId: 's', heardMs: 3100 }]);
    const sent = new Run()
      .feed({ type: 'say', atMs: 0, responseId: 's', text: 'a b c d' })
      .voiced('s', 'a b c d', 4000);
    sent.feed({ type: 'heard', responseId: 's', heardMs: 0, state: 'muted' });
    sent.feed({ type: 'heard', responseId: 's', heardMs: 0, state: 'playing' });
    expect(ended(sent)).toEqual([{ type: 'response.completed', responseId: 's', heardMs: 0 }]);
    // Of who reports no more, nothing is known.
    expect(ended(say())).toEqual([{ type: 'response.completed', responseId: 's', heardMs: 1900 }]);
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

  it('the model stops all that is said and waits, what sounds last, for a client plays on what waits behind one that was cut', () => {
    const run = new Run().feed({ type: 'say', atMs: 0, responseId: 's', text: 'a b' }).voiced('s', 'a b', 2000);
    run.feed({ type: 'heard', responseId: 's', heardMs: 500, state: 'playing' });
    for (const responseId of ['t', 'u']) run.feed({ type: 'say', atMs: 0, responseId, text: 'c' });
    run.turn('barge-in', { acts: ['stop'] });
    const ends = run.events.filter(({ type }) => type === 'response.cut' || type === 'response.interrupted');
    expect(ends).toMatchObject([{ responseId: 'u' }, { responseId: 't' }, { type: 'response.cut', responseId: 's' }]);
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
});
