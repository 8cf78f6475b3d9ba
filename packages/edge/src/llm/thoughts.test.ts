import { describe, expect, it } from 'vitest';
import { Thoughts } from './thoughts.js';

function answerOf(pieces: readonly string[]): string {
  const thoughts = new Thoughts();
  return [...pieces.map((piece) => thoughts.push(piece)), thoughts.end()].join('');
}

describe('thoughts in front of an answer', () => {
  it.each([
    ['<think>\nhm</think>\n\nAll is well.', 'All is well.'],
    ['\n<think></think>Yes. <think> is a tag, </think> too.', 'Yes. <think> is a tag, </think> too.'],
    ['<think>a < b </thin </think> Yes.', 'Yes.'],
    ['<think>and so on', ''],
    ['<think>and so on</think>\n ', ''],
    ['<b>Yes</b>', '<b>Yes</b>'],
    ['<thinking aloud> Yes.', '<thinking aloud> Yes.'],
    [' \nYes. <think>No.</think>', ' \nYes. <think>No.</think>'],
    [' <th', ' <th'],
    ['', ''],
  ])('of %j leave %j, wherever it is cut', (text, answer) => {
    expect(answerOf([...text])).toBe(answer);
    for (let at = 0; at <= text.length; at++) expect(answerOf([text.slice(0, at), text.slice(at)])).toBe(answer);
  });

  it('hold nothing back that can be none', () => {
    const thoughts = new Thoughts();
    expect(['<', 'b', '>'].map((piece) => thoughts.push(piece))).toEqual(['', '<b', '>']);
  });
});
