import type { Floor } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { UtteranceTracker, type Utterance } from './utterances.js';

const letters: Record<string, Floor> = { '.': 'silent', h: 'holding', S: 'speaking', Y: 'yielded' };

/** What ends, of floors that are letters. */
function follow(floors: string): { readonly tracker: UtteranceTracker; readonly ended: readonly Utterance[] } {
  const tracker = new UtteranceTracker({ microTurnMs: 200, pauseMs: 600 });
  const ended = [...floors].flatMap((letter, index) => {
    const decision = { floor: letters[letter]!, words: [{ text: `w${index}`, endMs: 0, confidence: 1 }], say: '' };
    return tracker.push({ lease: 1, index, confidence: 1, acts: [], stepMs: 1, lagMs: 1, ...decision }) ?? [];
  });
  return { tracker, ended };
}

describe('an utterance', () => {
  it('goes on over a pause that is held, and ends after so much quiet', () => {
    const { ended } = follow('...SSShhhhSSYYYY');
    expect(ended).toMatchObject([{ fromMs: 200, toMs: 2400 }]);
  });

  it('is none where the floor was held without a sound', () => {
    const { tracker, ended } = follow('..hhhhhh....hh');
    expect(ended).toEqual([]);
    expect(tracker.open).toBeUndefined();
    expect(tracker.take()).toBeUndefined();
  });

  it('has what was taken for a pause before its first sound', () => {
    const { ended } = follow('...hhSSS....');
    expect(ended).toMatchObject([{ fromMs: 200, words: expect.arrayContaining(['w3', 'w5']) }]);
  });

  it.each(['note', 'handle', 'louder', 'backchannel'] as const)(
    'under which the model does %s is answered, but by an “mm-hm”',
    (act) => {
      const tracker = new UtteranceTracker({ microTurnMs: 200, pauseMs: 600 });
      const ended = [...'SSSSYYYYY'].flatMap((letter, index) => {
        const done = index === 5 ? { acts: [act], say: act === 'backchannel' ? 'Uh-huh.' : '' } : { acts: [], say: '' };
        const decision = {
          lease: 1,
          index,
          floor: letters[letter]!,
          confidence: 1,
          words: [],
          stepMs: 1,
          lagMs: 1,
          ...done,
        };
        return tracker.push(decision) ?? [];
      });
      expect(ended).toMatchObject([{ answered: act !== 'backchannel' }]);
    },
  );

  it('that goes on after what the model does is a question all the same', () => {
    const tracker = new UtteranceTracker({ microTurnMs: 200, pauseMs: 600 });
    const ended = [...'SSSSSSSYYYYY'].flatMap((letter, index) => {
      const decided = {
        lease: 1,
        confidence: 1,
        words: [],
        say: '',
        stepMs: 1,
        lagMs: 1,
        acts: index === 2 ? (['note'] as const) : [],
      };
      return tracker.push({ ...decided, index, floor: letters[letter]! }) ?? [];
    });
    expect(ended).toMatchObject([{ answered: false }]);
  });

  it('is not what was held before a silence', () => {
    const { ended } = follow('...hh.....SSS....');
    expect(ended).toMatchObject([{ fromMs: 1600 }]);
  });
});
