import { describe, expect, it } from 'vitest';
import type { Act } from '../engine/types.js';
import { ReadMessages, showsWhatItDeals } from './read-messages.js';

/** Messages of a model that reads eight words in a micro-turn, and what became a question in which. */
function reading() {
  const asked: string[] = [];
  let turn = 0;
  const messages = new ReadMessages({ perTurn: 8, ask: (text) => void asked.push(`${text}@${turn}`) });
  return {
    asked,
    push: (text: string) => messages.push(text),
    turns(count: number, acts: readonly Act[] = []) {
      for (let i = 0; i < count; i++, turn++) messages.onDecision(acts);
    },
  };
}

describe('a message that a model reads', () => {
  it('is a question where the model does nothing about it in the two micro-turns after those that it was read in', () => {
    const { asked, push, turns } = reading();
    push('how high is it');
    turns(2);
    expect(asked).toEqual([]);
    turns(3);
    push('what is the weather in the town that we were in last week');
    turns(6);
    expect(asked).toEqual(['how high is it@2', 'what is the weather in the town that we were in last week@8']);
  });

  it.each(['note', 'handle', 'stop', 'cancel', 'louder'] as const)('that it answers by %s is none', (act) => {
    const { asked, push, turns } = reading();
    push('remind me in ten seconds');
    turns(1);
    turns(1, [act]);
    turns(20);
    expect(asked).toEqual([]);
  });

  it.each(['delegate', 'relay', 'commit', 'backchannel', 'show'] as const)('is one whatever it does by %s', (act) => {
    const { asked, push, turns } = reading();
    push('how high is it');
    turns(20, [act]);
    expect(asked).toHaveLength(1);
  });

  it('is not dealt with by what the model does about the one after it', () => {
    const { asked, push, turns } = reading();
    push('how high is it');
    push('count the animals');
    turns(1, ['handle']);
    turns(20);
    expect(asked).toEqual(['how high is it@2']);
  });

  it('waits with four others at most, and not longer than for three micro-turns of words', () => {
    const { asked, push, turns } = reading();
    for (const text of ['a', 'b', 'c', 'd', 'e', 'f']) push(text);
    expect(asked).toEqual(['a@0', 'b@0']);
    turns(3);
    expect(asked.slice(2)).toEqual(['c@2', 'd@2', 'e@2', 'f@2']);
    push('word '.repeat(500));
    turns(5);
    expect(asked).toHaveLength(7);
  });
});

it('what a model does about a message is seen where it has the act for it', () => {
  expect(showsWhatItDeals({ acts: ['stop', 'note'] })).toBe(true);
  expect(showsWhatItDeals({ acts: ['handle'] })).toBe(true);
  expect(showsWhatItDeals({ acts: ['stop', 'delegate'] })).toBe(false);
  expect(showsWhatItDeals({ acts: undefined })).toBe(false);
});
