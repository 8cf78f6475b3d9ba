import { describe, expect, it } from 'vitest';
import { talk } from './fixtures/row-talk.js';
import { Talk } from './fixtures/talk.js';

describe('an answer that is taken back', () => {
  it('is named in the decision, which stops nothing else', async () => {
    const { turns, decisions, scribe, llm, settle, observe } = talk('.SSSSY.S');
    await turns(6);
    scribe.says('what time is it', 1200);
    await settle();
    llm.writes('It is noon.', '');
    await settle();
    observe({ type: 'response.started', responseId: 'r', kind: 'reply', audience: 'room' });
    await turns(2);
    expect(decisions.map(({ takesBack }) => takesBack)).toEqual([...Array<undefined>(7), 'r']);
    expect(decisions.flatMap(({ acts }) => acts)).toEqual([]);
  });

  it('ends with all that is said where it is part of a response that was there before', () => {
    const patience = { wordMs: 1000, word: 'One moment.', firstMs: 4000, stallMs: 2000, sorry: 'Sorry.' };
    const announced = () => {
      const talk = new Talk({ drafting: { enabled: false }, patience }).floors('.SSSY').words('what time');
      talk.floors('.'.repeat(6)).writes('[silence]').types('and in Rome?', true).writes('It is one.');
      expect(talk.state.answer).toMatchObject({ opens: true, responseId: undefined });
      return talk;
    };
    for (const talk of [announced().floors('S'), announced().types('or in Bari?', true).floors('.')]) {
      expect([talk.acts, talk.takesBack]).toEqual([['stop'], undefined]);
    }
  });

  it('is none where nothing of it was said: a message stops nothing that is another’s', () => {
    const talk = new Talk().floors('.SSSS').words('what time is it').floors('Y').words('what time is it');
    talk.types('and in rome?', true).writes('It is one.');
    expect(talk.said.map((said) => said.replace(/^\d+: /, ''))).toEqual(['It is one.']);
    talk.floors('.');
    expect([talk.acts, talk.takesBack]).toEqual([[], undefined]);
  });
});
