import { describe, expect, it } from 'vitest';
import { approvalOf, followUpOf } from './follow-up.js';

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
    ['no thanks', false],
    ["don't", false],
    ['nothing', undefined],
    ['what?', undefined],
  ])('“%s” to a question for approval is %s', (text, expected) => expect(approvalOf(text)).toBe(expected));
});
