import { describe, expect, it } from 'vitest';
import { Vocabulary } from './vocabulary.js';

const classes = ['<blank>', '<unk>', 'remind', 'me', 'in', 'twenty', 'five', 'seconds', "don't", 'dog', '<result>'];
const aliases = { '25': 'twenty five', s: 'seconds', second: 'seconds', dogs: 'dog' };
const vocabulary = new Vocabulary(classes, { aliases, unknown: '<unk>', marks: { result: '<result>' } });
const read = (text: string, by = vocabulary) => by.tokens(text).map((id) => classes[id]);

describe('a vocabulary', () => {
  it.each([
    ['Remind me in 25 seconds, please!', ['remind', 'me', 'in', 'twenty', 'five', 'seconds', '<unk>']],
    ['25s', ['twenty', 'five', 'seconds']],
    ['Don’t — DOGS', ["don't", 'dog']],
    ['ｄｏｇ', ['dog']],
    ['26 constructor', ['<unk>', '<unk>']],
    ['<result> <blank> ', ['<unk>', '<unk>']],
    [' ?! \n', []],
  ])('reads %j by its classes and aliases', (text, names) => expect(read(text)).toEqual(names));

  it('leaves out what it has no class for, where there is none for that', () => {
    expect(read('a dog', new Vocabulary(classes, { aliases: {}, marks: {} }))).toEqual(['dog']);
  });

  it('knows the marks of its model and no others', () => {
    expect(vocabulary.mark('result')).toBe(classes.indexOf('<result>'));
    expect(vocabulary.mark('draft')).toBeUndefined();
  });
});
