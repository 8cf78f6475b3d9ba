import { describe, expect, it } from 'vitest';
import { startConversation } from './conversation-state.js';
import { Run } from './fixtures/conversation-run.js';

describe('a conversation', () => {
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

  describe('an answer that is taken back', () => {
    const ended = { by: 'user', heardMs: 0, heardText: '' };

    it('ends before it is heard, and what is said in front of it goes on', () => {
      const run = new Run().feed({ type: 'say', atMs: 0, responseId: 's', text: 'a long text' });
      run.voiced('s', 'a long text', 20_000).turn('yielded', { say: 'one' });
      run.turn('speaking', { takesBack: 'r0', overhears: true });
      expect(run.find('response.interrupted')).toMatchObject([{ responseId: 'r0', ...ended }]);
      expect(run.effects.filter(({ do: what }) => what === 'cut' || what === 'overrule')).toMatchObject([
        { do: 'cut', responseId: 'r0' },
      ]);
      expect(run.find('interruption')).toEqual([]);
      expect(run.state.responses).toMatchObject([{ id: 's', phase: 'ending' }]);
    });

    it('ends alone, too, where it waits for what another participant is told', () => {
      const run = new Run().turn('yielded', { say: 'one', overhears: true });
      run.turn('speaking', { takesBack: 'r0', overhears: true });
      expect(run.find('response.interrupted')).toMatchObject([{ responseId: 'r0', ...ended }]);
      expect(run.effects).not.toContainEqual({ do: 'overrule' });
      expect([run.find('interruption'), run.state.responses]).toEqual([[], []]);
      // It may have ended by itself.
      expect(run.turn('speaking', { takesBack: 'r0', overhears: true }).find('response.interrupted')).toHaveLength(1);
    });
  });

  describe('a reply that waits for what another participant is told', () => {
    const waits = (run: Run, turns: number, behind: string[]) => {
      for (let i = 0; i < turns; i++) run.turn('silent', { overhears: behind.length > 0, behind });
      return run.find('response.interrupted').length;
    };
    const keeping = () => new Run(startConversation('ann', 'room', true));

    it('is said whenever that is over, where replies keep; then its voice has 4 s', () => {
      const run = keeping().turn('yielded', { say: 'one', overhears: true, behind: [] });
      expect(waits(run, 40, ['r0'])).toBe(0);
      expect(waits(run, 22, [])).toBe(1);
    });

    it('passes with its moment where they do not, and where it is no reply', () => {
      expect(waits(new Run().turn('yielded', { say: 'one' }), 22, ['r0'])).toBe(1);
      expect(waits(keeping().turn('speaking', { say: 'no' }), 22, ['r0'])).toBe(1);
    });
  });

  it('is cut by another participant where it is said to the room, and goes on where it is not', () => {
    const run = new Run();
    run.feed({ type: 'say', atMs: 0, responseId: 's', text: 'to all' });
    run.feed({ type: 'say', atMs: 0, responseId: 't', text: 'to you', audience: { participant: 'ann' } });
    run.feed({ type: 'overruled', atMs: 500, by: 'user' });
    expect(run.effects.filter((effect) => effect.do === 'cut')).toMatchObject([{ responseId: 's' }]);
    expect(run.state.responses.map(({ id }) => id)).toEqual(['t']);
  });
});
