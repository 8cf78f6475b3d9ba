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

  it('is cut by another participant where it is said to the room, and goes on where it is not', () => {
    const run = new Run();
    run.feed({ type: 'say', atMs: 0, responseId: 's', text: 'to all' });
    run.feed({ type: 'say', atMs: 0, responseId: 't', text: 'to you', audience: { participant: 'ann' } });
    run.feed({ type: 'overruled', atMs: 500, by: 'user' });
    expect(run.effects.filter((effect) => effect.do === 'cut')).toMatchObject([{ responseId: 's' }]);
    expect(run.state.responses.map(({ id }) => id)).toEqual(['t']);
  });
});
