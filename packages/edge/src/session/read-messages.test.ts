import type { Floor } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import type { Act } from '../engine/types.js';
import { ReadMessages, showsWhatItHandles } from './read-messages.js';

/** Messages of a model that reads eight words in a micro-turn, and what became a question in which. */
function reading() {
  const asked: string[] = [];
  let next = 0;
  const messages = new ReadMessages({ perTurn: 8, ask: (text) => void asked.push(`${text}@${next}`) });
  return {
    asked,
    /** Sent while micro-turn `next` is heard. */
    push: (text: string) => messages.push(text, next),
    turns(count: number, acts: readonly Act[] = [], floor: Floor = 'silent', word?: string) {
      const words = word === undefined ? [] : [{ text: word, endMs: 0, confidence: 1 }];
      for (let i = 0; i < count; i++, next++) messages.onDecision({ index: next, floor, words, acts });
    },
    skip: (count: number) => (next += count),
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
    turns(4);
    push('remind me in ten seconds');
    turns(2);
    turns(1, [act]);
    turns(20);
    expect(asked).toEqual([]);
  });

  it.each(['delegate', 'relay', 'commit', 'backchannel', 'show'] as const)('is one whatever it does by %s', (act) => {
    const { asked, push, turns } = reading();
    turns(4);
    push('how high is it');
    turns(20, [act]);
    expect(asked).toHaveLength(1);
  });

  it('is one where the act may be about what is being said', () => {
    for (const [floor, word] of [
      ['barge-in', undefined],
      ['holding', undefined],
      ['yielded', 'wait'],
    ] as const) {
      const { asked, push, turns } = reading();
      turns(4);
      push('how high is it');
      turns(1, [], floor, word);
      turns(1, ['stop']);
      turns(20);
      expect(asked, floor).toHaveLength(1);
    }
  });

  it('is none where it is handled, which is not done about what is said', () => {
    const { asked, push, turns } = reading();
    turns(4, [], 'speaking');
    push('count the animals');
    turns(1, [], 'speaking', 'hello');
    turns(1, ['handle'], 'speaking');
    turns(20);
    expect(asked).toEqual([]);
  });

  it('is dealt with by an act after its last word, and not by one about another message', () => {
    const { asked, push, turns } = reading();
    turns(4);
    push('remind me in ten seconds');
    turns(1);
    push('how high is it');
    turns(1, ['note']);
    turns(20);
    expect(asked).toEqual(['how high is it@7']);
  });

  it('is dealt with alone by an act that goes on', () => {
    const { asked, push, turns } = reading();
    turns(4);
    push('how high is it');
    push('stop');
    turns(2);
    turns(2, ['stop']);
    turns(20);
    expect(asked).toHaveLength(1);
  });

  it('is read after those before it: a letter is a question soon, and what follows it has its time', () => {
    const { asked, push, turns } = reading();
    turns(4);
    push('word '.repeat(80));
    push('stop');
    turns(6);
    expect(asked).toHaveLength(1);
    turns(5);
    turns(1, ['handle']);
    turns(20);
    expect(asked).toHaveLength(1);
  });

  it('waits with four others at most, and is a question after micro-turns that are missing', () => {
    const { asked, push, turns, skip } = reading();
    for (const text of ['a', 'b', 'c', 'd', 'e', 'f']) push(text);
    expect(asked).toEqual(['a@0', 'b@0']);
    skip(40);
    turns(1);
    expect(asked.slice(2)).toEqual(['c@40', 'd@40', 'e@40', 'f@40']);
  });
});

it('which messages a model has handled is seen where it has the act for it', () => {
  expect(showsWhatItHandles({ acts: ['stop', 'handle'] })).toBe(true);
  expect(showsWhatItHandles({ acts: ['stop', 'note'] })).toBe(false);
  expect(showsWhatItHandles({ acts: undefined })).toBe(false);
});
