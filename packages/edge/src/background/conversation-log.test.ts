import type { SessionEvent, SessionEventBody } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { ConversationLog } from './conversation-log.js';

const ID = { responseId: 'r' };
const started: SessionEventBody = { type: 'response.started', ...ID, kind: 'reply', audience: 'room' };
const text = (said: string): SessionEventBody => ({ type: 'response.text', ...ID, text: said, words: [] });
const heard = (heardText: string): SessionEventBody => ({ type: 'response.heard', ...ID, heardMs: 200, heardText });
const completed: SessionEventBody = { type: 'response.completed', ...ID, heardMs: 900 };

function logOf(...bodies: SessionEventBody[]): ConversationLog {
  const log = new ConversationLog();
  for (const [i, body] of bodies.entries()) log.take({ ...body, seq: i + 1, at: 100 * i, turn: 0 } as SessionEvent);
  return log;
}

describe('what the agent said', () => {
  it.each([
    ['by a listener who does not report', [text('It is five.'), text('Or six.')]],
    ['whose last report came before the last word', [text('It is five.'), text('Or six.'), heard('It is five.')]],
  ])('was heard to its end where it is completed, %s', (_who, bodies) => {
    expect(logOf(started, ...bodies, completed).entries).toEqual([
      { atMs: 0, who: 'agent', text: 'It is five. Or six.' },
    ]);
  });

  it('is one entry where it is told again to a page that is back', () => {
    const told = [started, text('It is five.'), heard('It is')];
    expect(logOf(...told, ...told).entries).toEqual([{ atMs: 0, who: 'agent', text: 'It is' }]);
    expect(logOf(...told, ...told, completed).entries).toEqual([{ atMs: 0, who: 'agent', text: 'It is five.' }]);
  });

  it('was not said until something of it is heard', () => {
    expect(logOf(started, text('It is five.')).entries).toEqual([]);
    expect(logOf(started, text('It is five.'), heard('It is')).entries).toMatchObject([{ text: 'It is' }]);
  });

  it('is what was heard of it where the sound was turned off before its end', () => {
    const off = { ...completed, unheardText: 'five.' };
    expect(logOf(started, text('It is five.'), heard('It is'), off).entries).toEqual([
      { atMs: 0, who: 'agent', text: 'It is', unheard: 'five.' },
    ]);
    const never = { ...completed, heardMs: 0, unheardText: 'It is five.' };
    expect(logOf(started, text('It is five.'), never).entries).toMatchObject([{ text: '', unheard: 'It is five.' }]);
  });

  it('is what was heard of it where it was talked over', () => {
    const cut: SessionEventBody = {
      type: 'response.interrupted',
      ...ID,
      by: 'user',
      heardMs: 200,
      heardText: 'It is',
      unheardText: 'five.',
    };
    expect(logOf(started, text('It is five.'), cut).entries).toMatchObject([{ text: 'It is', unheard: 'five.' }]);
  });
});
