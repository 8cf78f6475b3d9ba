import type { SessionEvent, SessionEventBody } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { Talk } from './fixtures/talk.js';
import { historyOf, turnsOf } from './heard-history.js';

const typed = (text: string): SessionEventBody => ({ type: 'transcript.typed', participant: 'ann', text });
const said = (responseId: string, kind: 'reply' | 'relay', text: string): SessionEventBody[] => [
  { type: 'response.started', responseId, kind, audience: 'room' },
  { type: 'response.text', responseId, text, words: [] },
  { type: 'response.completed', responseId, heardMs: 400 },
];
const tell = (talk: Talk, ...events: SessionEventBody[]) => events.reduce((told, event) => told.event(event), talk);
const turns = (talk: Talk) =>
  talk.asks.at(-1)!.turns.map((turn) => ('text' in turn ? `${turn.role}: ${turn.text}` : ''));

describe('what an LLM is told of the talk', () => {
  it('has a response once that is told again to a page that is back', () => {
    const [started, text, completed] = said('r1', 'reply', 'It is noon.') as [SessionEventBody, SessionEventBody, SessionEventBody]; // prettier-ignore
    const talk = tell(new Talk(), started, text, started, text, completed);
    talk.types('and then', true);
    expect(turns(talk)).toEqual(['assistant: It is noon.']);
  });

  it('has what tasks were asked where it was typed, and their answers after it', () => {
    const talk = tell(
      new Talk(),
      typed('what can I cook'),
      ...said('r1', 'relay', 'Pasta.'),
      ...said('r2', 'relay', 'It takes nine minutes.'),
      typed('is that long'),
      ...said('r3', 'relay', 'It is fine.'),
    );
    talk.types('and then', true);
    expect(talk.asks.at(-1)!.words).toBe('and then');
    expect(turns(talk)).toEqual([
      'user: what can I cook',
      'assistant: Pasta. It takes nine minutes.',
      'user: is that long',
      'assistant: It is fine.',
    ]);
  });

  it('says of a question that a task has not answered that it is not to be answered', () => {
    const talk = tell(new Talk(), ...said('r1', 'relay', 'Noon.'), typed('what can I cook')).types('hello', true);
    expect(turns(talk).at(-1)).toMatch(/^user: what can I cook \(This is taken care of/);
  });

  it('has a message that it is asked itself once, also where a task was asked the same', () => {
    const talk = new Talk().types('hello', true).writes('Hi.').floors('.').hearsAll();
    tell(talk, typed('hello'), ...said('r2', 'relay', 'Hello to you.')).types('and then', true);
    talk.types('again', true);
    expect(turns(talk)).toEqual([
      'user: hello',
      'assistant: Hi.',
      'user: hello',
      'assistant: Hello to you.',
      'user: and then',
    ]);
  });

  it('is the same after a restart', () => {
    const question = {
      taskId: 'task-1',
      revision: 1,
      title: 'cook',
      origin: 'text',
      prompt: 'what can I cook',
    } as const;
    const events: SessionEventBody[] = [
      { type: 'task.created', ...question },
      typed('what can I cook'),
      ...said('r1', 'reply', 'Hm.'),
    ];
    const told = (bodies: SessionEventBody[]) =>
      turnsOf(historyOf(bodies.map((body, i) => ({ ...body, seq: i + 1, at: i, turn: 0 }) as SessionEvent)));
    expect(told(events)).toMatchObject([{ text: expect.stringContaining('This is taken care of') as string }, {}]);
    expect(told([...events, ...said('r2', 'relay', 'Pasta.')])).toEqual([
      { role: 'user', text: 'what can I cook' },
      { role: 'assistant', text: 'Hm. Pasta.' },
    ]);
  });
});
