import { describe, expect, it, vi } from 'vitest';
import { Notes } from './notes.js';

const same = { '2': 'two', '22': 'twenty two', min: 'minutes', s: 'seconds', m: 'minutes', a: 'a' };

/** How many characters are normalized, and how often a text is looked through, for a message. */
function work(text: string): { readonly characters: number; readonly looks: number } {
  const notes = new Notes(200, same);
  const normalize = vi.spyOn(String.prototype, 'normalize');
  const endsWith = vi.spyOn(String.prototype, 'endsWith');
  try {
    notes.typed(text, 0);
    const characters = normalize.mock.contexts.map(String).join('').length;
    return { characters, looks: endsWith.mock.calls.length };
  } finally {
    vi.restoreAllMocks();
  }
}

/** What an age of 10 s is told of. */
function told(...messages: readonly string[]): string | undefined {
  const notes = new Notes(200, same);
  for (const message of messages) notes.typed(message, 0);
  const decided = { words: [], floor: 'silent', index: 0 } as const;
  notes.take({ ...decided, acts: ['note'] });
  return notes.take({ ...decided, acts: [], index: 60 })[0]?.text;
}

describe('a message of a thousand words', () => {
  it.each(['x', 's', 'm', 'minutes'])('of nothing but "%s" takes main little more than reading it', (word) => {
    const text = `${word} `.repeat(1000);
    const { characters, looks } = work(text);
    expect(characters).toBeLessThan(7 * text.length);
    expect(looks).toBeLessThan(10);
  });

  it('is noted with the last age that it names, however far before its end', () => {
    const far = 'x '.repeat(900);
    expect(told(`in one min remind me in 22 min ${far}`)).toBe('in one min remind me in 22 min');
    expect(told(`${far} in two s please`)).toBe('x x x x x x in two s please');
    expect(told(far)).toBe('x x x x x x x x x x');
    expect(told('wake me in a m', '?!')).toBe('wake me in a m');
  });
});
