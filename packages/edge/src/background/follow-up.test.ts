import { describe, expect, it } from 'vitest';
import { approvalOf, followUpOf, guarded } from './follow-up.js';

describe('a follow-up', () => {
  it.each([
    ['never mind', 'cancel'],
    ['Oh, never mind.', 'cancel'],
    ['okay forget about it', 'cancel'],
    ['cancel', 'cancel'],
    ['stop looking', 'cancel'],
    ['no, cancel that', 'cancel'],
    ['cancel everything', 'cancel-all'],
    ["let's talk about something else", 'subject'],
    ['make it vegetarian', 'amend'],
    ['actually, make that two people', 'amend'],
    ['but only in the morning', 'amend'],
    ['never mind, I found it', 'cancel'],
    ['never mind about the tower', 'cancel'],
    ['never mind the cost, find me a hotel', 'ask'],
    ['what is the weather', 'ask'],
    ['how do I cancel my subscription', 'ask'],
    ['cancel my subscription', 'ask'],
    ['stop the music at nine', 'ask'],
    ['make me a list', 'ask'],
    ['', 'ask'],
  ])('“%s” is: %s', (text, expected) => expect(followUpOf(text)).toBe(expected));

  it.each([
    ['yes', true],
    ['Yeah, do it', true],
    ['Yes, please.', true],
    ['yes go ahead', true],
    ['okay do it', true],
    ['Sure, that’s fine, thanks!', true],
    ['Yes, please do that for me.', true],
    ['no thanks', false],
    ["don't", false],
    ['Don’t do that!', false],
    ['okay wait don’t do that', false],
    ['no, wait, yes', false],
    ['stop it now', false],
    ['not yet', false],
    ['nothing', undefined],
    ['what?', undefined],
    ['please', undefined],
    ['right', undefined],
    ['right now I am busy', undefined],
    ['sure but not yet', undefined],
    ['okay so what is the weather', undefined],
    ['okay wait', undefined],
    ['yes <unk>', undefined],
    ['yes if it is free', undefined],
    ['yesterday', undefined],
    ['', undefined],
  ])('“%s” to a question for approval is %s', (text, expected) => expect(approvalOf(text)).toBe(expected));
});

it('a rule of an app that throws costs its utterance, and not the call', () => {
  const bug = new TypeError('a bug of the app');
  const failed: unknown[] = [];
  const rule = guarded(
    (text) => {
      if (text === 'boom') throw bug;
      return 'amend';
    },
    (error) => failed.push(error),
  );
  expect(rule('boom')).toBe('ask');
  expect(rule('with milk')).toBe('amend');
  expect(failed).toEqual([bug]);
});
