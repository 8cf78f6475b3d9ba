import { describe, expect, it } from 'vitest';
import { stepInto, Talk, type TalkOptions } from './fixtures/talk.js';

describe('an LLM that keeps the user waiting', () => {
  const patience = { wordMs: 1000, word: 'One moment.', firstMs: 4000, stallMs: 2000, sorry: 'Sorry.' };
  const asked = (options: TalkOptions = {}) =>
    new Talk({ drafting: { enabled: false }, patience, ...options }).floors('.SSSY').words('what time');
  const saidBy = (talk: Talk) => talk.said.map((said) => said.replace(/^\d+: /, ''));
  const errors = (talk: Talk) =>
    talk.effects.flatMap((effect) =>
      effect.do === 'emit' && effect.event.type === 'error' ? [effect.event.code] : [],
    );

  it('is announced once, and the answer goes on from there', () => {
    const talk = asked().floors('.'.repeat(5));
    expect(talk.said).toEqual([]);
    talk.floors('.');
    expect(saidBy(talk)).toEqual(['One moment.']);
    expect(talk.more).toBe(true);
    talk.floors('.'.repeat(8)).writes('It is noon.').floors('.');
    expect(saidBy(talk)).toEqual(['One moment.', 'It is noon.']);
    expect(errors(talk)).toEqual([]);
  });

  it('and then wants silence says no more, which the page can tell from a failure', () => {
    const talk = asked().floors('.'.repeat(6)).writes('[silence]').floors('..');
    expect(saidBy(talk)).toEqual(['One moment.']);
    expect(talk.emitted('draft.committed')).toMatchObject([{ draftId: talk.asks[0]!.draftId, kind: 'silence' }]);
    expect([talk.more, talk.state.answer, errors(talk)]).toEqual([false, undefined, []]);
    // Who was told nothing waits for nothing.
    expect(asked().floors('..').writes('[silence]').emitted('draft.committed')).toEqual([]);
  });

  it('is given up in a documented time before its first word, with a code, a word, and its request ended', () => {
    const talk = asked().floors('.'.repeat(30));
    expect(saidBy(talk)).toEqual(['One moment.', 'Sorry.']);
    expect(errors(talk)).toEqual(['llm/timeout']);
    expect(talk.effects).toContainEqual({ do: 'cancel', draftId: talk.asks[0]!.draftId });
    expect(talk.more).toBe(false);
    talk.hearsAll();
    expect(talk.state).toMatchObject({ answer: undefined, waiting: undefined });
  });

  it('in the middle of an answer is given up sooner: what is there is said, and no word of excuse', () => {
    const talk = asked().writes('It is noon. And the', false).floors('.'.repeat(12));
    expect(saidBy(talk)).toEqual(['It is noon.', 'And the']);
    expect(errors(talk)).toEqual(['llm/timeout']);
  });

  it('is not given up while it writes, however slowly', () => {
    const talk = asked();
    for (let i = 0; i < 10; i++) talk.writes(`word ${i}. `, false).floors('.'.repeat(8));
    expect(errors(talk)).toEqual([]);
  });

  it('is forgotten where the user goes on before its first word, and waited for anew', () => {
    const talk = asked().floors('.'.repeat(7)).floors('SSS');
    expect(talk.state).toMatchObject({ answer: undefined });
    talk.words('is it').floors('Y').words('is it').floors('.'.repeat(19));
    expect(talk.cancelled).toEqual([talk.asks[0]!.draftId]);
    expect(errors(talk)).toEqual([]);
    talk.floors('..');
    expect(errors(talk)).toEqual(['llm/timeout']);
  });

  it('is waited for anew where they only coughed', () => {
    const talk = asked().floors('.'.repeat(15)).floors('SY').words('').floors('.'.repeat(20));
    expect(errors(talk)).toEqual([]);
    talk.floors('.');
    expect(errors(talk)).toEqual(['llm/timeout']);
  });

  it('is heard out, once it was announced and goes on, unless the bundle stops it', () => {
    const talk = asked().floors('.'.repeat(6));
    stepInto(talk, { type: 'speech-started', responseId: 'r1', atMs: talk.nowMs + 40 });
    talk.floors('..').writes('It is noon. And in Rome it is', false).floors('..').floors('SS');
    expect(talk.cancelled).toEqual([]);
    talk.floors('B');
    expect(talk.cancelled).toEqual([talk.asks[0]!.draftId]);
  });

  it('is forgotten where they go on when it was only announced', () => {
    const talk = asked().floors('.'.repeat(6));
    stepInto(talk, { type: 'speech-started', responseId: 'r1', atMs: talk.nowMs + 40 });
    talk.floors('..SS').words('is it').floors('Y').words('is it');
    expect(talk.cancelled).toEqual([talk.asks[0]!.draftId]);
  });

  it('is taken back where it was only announced and they cough, and its answer is a response of its own', () => {
    const talk = asked().floors('.'.repeat(6)).floors('S');
    expect([talk.acts, talk.takesBack]).toEqual([[], 'r1']);
    talk.floors('Y').words('').floors('.').writes('It is noon.');
    expect(saidBy(talk)).toEqual(['One moment.', 'It is noon.']);
    expect(talk.state.answer).toMatchObject({ responseId: 'r2' });
    expect(talk.hearsAll().state.answer).toBeUndefined();
  });

  it('is taken back for a message where it was only announced, and what answers that is a response of its own', () => {
    const talk = asked().floors('.'.repeat(6)).types('and in Rome?', true).writes('It is one.');
    expect(saidBy(talk)).toEqual(['One moment.']);
    talk.floors('.');
    expect([talk.acts, talk.takesBack]).toEqual([[], 'r1']);
    expect(saidBy(talk)).toEqual(['One moment.', 'It is one.']);
    expect(talk.state.answer).toMatchObject({ responseId: 'r2', opens: false });
    expect(talk.hearsAll().state.answer).toBeUndefined();
  });

  it('is taken back, too, by the first of two messages', () => {
    const talk = asked().floors('.'.repeat(6)).types('and in Rome?', true).types('or in Bari?', true).floors('.');
    expect([talk.acts, talk.takesBack]).toEqual([[], 'r1']);
    expect(talk.floors('.').takesBack).toBeUndefined();
  });

  it('is waited for in silence where the app wants no word', () => {
    const talk = asked({ patience: { ...patience, word: '', sorry: '' } }).floors('.'.repeat(30));
    expect(talk.said).toEqual([]);
    expect(errors(talk)).toEqual(['llm/timeout']);
  });
});
