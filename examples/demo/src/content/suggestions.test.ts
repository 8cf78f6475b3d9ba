import { expect, it } from 'vitest';
import { outputs } from '../../../../models/nano/bundle/bundle.json';
import { LONG_TEXT } from './suggestions.js';
import { knownWords, vocabulary } from './words.js';

it('the page knows the words of the bundle that ships, and what is none', () => {
  expect(vocabulary).toEqual(expect.arrayContaining(['horse', 'seven', 'stop', 'remind']));
  expect(vocabulary.length).toBe(new Set(vocabulary).size);
  expect(vocabulary.filter((word) => !/^[a-z']+$/.test(word))).toEqual([]);
  expect(knownWords('Stop! Seven goats, and a zyzzyva.')).toEqual(['stop', 'seven', 'goat', 'and', 'a']);
});

it('the long text has no word that the model could take for a command, a number or an animal', () => {
  const commands = `stop wait pause quiet cancel never mind continue remind timer count translate search call open play
    hold horse goat sheep rabbit dog cat bird fish cow`.split(/\s+/);
  const risky = new Set([...commands, ...outputs.say.classes]);
  expect((LONG_TEXT.toLowerCase().match(/[a-z]+/g) ?? []).filter((word) => risky.has(word))).toEqual([]);
});
