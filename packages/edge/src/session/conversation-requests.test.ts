import { describe, expect, it } from 'vitest';
import { Run } from './fixtures/conversation-run.js';

describe('a conversation', () => {
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
});
