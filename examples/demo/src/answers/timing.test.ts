import type { SessionEvent } from '@microturn/sdk';
import { describe, expect, it } from 'vitest';
import { noTiming, totalMs, watchTiming } from './timing.js';

type Body = SessionEvent extends infer E ? (E extends SessionEvent ? Omit<E, 'seq' | 'at' | 'turn'> : never) : never;

const after = (...bodies: Body[]) =>
  bodies.reduce(
    (timing, body, seq) => watchTiming(timing, { ...body, seq, at: seq, turn: 0 } as SessionEvent),
    noTiming,
  );

const started = (draftId: string): Body => ({ type: 'draft.started', draftId, words: `words of ${draftId}` });

describe('how answers come about', () => {
  it('follows each draft to its end, and counts', () => {
    const timing = after(
      started('a'),
      { type: 'draft.dropped', draftId: 'a', reason: 'revised', chars: 12 },
      started('b'),
      { type: 'draft.committed', draftId: 'b', kind: 'reply', aheadMs: 80 },
      started('c'),
    );
    expect(timing).toMatchObject({ begun: 3, committed: 1, dropped: 1 });
    expect(timing.drafts.map(({ fate }) => fate)).toEqual(['revised', 'committed', 'writing']);
  });

  it('keeps the newest five drafts, and still counts all', () => {
    const timing = after(...['a', 'b', 'c', 'd', 'e', 'f'].map(started));
    expect(timing.drafts.map(({ id }) => id)).toEqual(['b', 'c', 'd', 'e', 'f']);
    expect(timing.begun).toBe(6);
  });

  it('adds up the stages of an answer, and begins anew with a new call', () => {
    const latency: Body = {
      type: 'response.latency',
      responseId: 'r',
      drafted: true,
      floorMs: 200,
      wordsMs: 60,
      llmMs: 0,
      voiceMs: 90,
    };
    const [answer] = after(started('a'), latency).answers;
    expect(totalMs(answer!)).toBe(350);
    const created: Body = {
      type: 'session.started',
      sessionId: 's',
      room: 'r',
      participant: 'p',
      model: 'm',
      microTurnMs: 200,
      resumeToken: 't',
    };
    expect(after(started('a'), latency, created)).toEqual(noTiming);
  });
});
