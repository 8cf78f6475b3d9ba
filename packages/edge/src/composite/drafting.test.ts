import { describe, expect, it } from 'vitest';
import { talk as rowTalk } from './fixtures/row-talk.js';
import { stepInto, Talk, type TalkOptions } from './fixtures/talk.js';

describe('taking turns', () => {
  it('cancels a draft as soon as its words turn out to be others, and keeps one that is a beginning', () => {
    const talk = new Talk().floors('.SSSS').words('i like blue').floors('SSS').words('i like blue cheese a lot');
    expect(talk.cancelled).toEqual([]);
    talk.floors('SSS').words('i liked blue cheese');
    expect(talk.cancelled).toEqual(talk.asks.slice(0, 2).map(({ draftId }) => draftId));
    expect(talk.emitted('draft.dropped')).toMatchObject([{ reason: 'revised' }, { reason: 'revised' }]);
  });

  it('bounds how often it drafts, in time, by utterance, by tokens and by what they cost', () => {
    const busy = (drafting: TalkOptions['drafting']) => {
      const talk = new Talk({ drafting: { ...drafting } });
      let text = 'one two';
      for (let i = 0; i < 40; i++) talk.floors('S').words((text += ` w${i}`));
      return talk;
    };
    expect(busy({ everyMs: 1000, perUtterance: 100 }).asks).toHaveLength(7);
    expect(busy({ everyMs: 1, perUtterance: 3 }).asks).toHaveLength(3);
    const spent = new Talk({ drafting: { tokensPerMinute: 100 } }).floors('SSS').words('x y z');
    stepInto(spent, { type: 'spent', atMs: spent.nowMs, tokens: 100, cost: 0 });
    spent.floors('SSSSSS').words('a b c d e f g');
    expect(spent.asks).toEqual([]);
    // The answer itself is not held up.
    spent.floors('Y').words('a b c d e f g');
    expect(spent.asks.at(-1)).toMatchObject({ partial: false });
    const dear = new Talk({ drafting: { everyMs: 0, costPerMinute: 0.5 } });
    const drafts = (words: string) => dear.floors('SSS').words(words).asks.length;
    expect(drafts('x y z')).toBe(1);
    stepInto(dear, { type: 'spent', atMs: dear.nowMs, tokens: 10, cost: 0.3 });
    expect(drafts('x y z a')).toBe(2);
    stepInto(dear, { type: 'spent', atMs: dear.nowMs, tokens: 10, cost: 0.3 });
    expect(drafts('x y z a b')).toBe(2);
    // Of one minute.
    expect(dear.floors('S'.repeat(300)).asks).toHaveLength(3);
  });

  it('drafts at once where the user hesitates, however lately it did', () => {
    const talk = new Talk({ drafting: { everyMs: 60_000 } }).floors('.SSSS').words('what time');
    expect(talk.asks).toEqual([]);
    talk.floors('h').words('what time');
    expect(talk.asks).toMatchObject([{ words: 'what time', partial: true }]);
    talk.floors('Ss').words('what time is it');
    expect(talk.asks.slice(1)).toMatchObject([{ words: 'what time is it', partial: true }]);
  });

  it('drafts to no fewer words than they hesitate after', () => {
    const talk = new Talk({ drafting: { everyMs: 60_000 } }).floors('.SSSS').words('what time is', 800).floors('h');
    expect(talk.asks).toEqual([]);
    talk.wait(80).words('what time is it', 1200);
    expect(talk.asks).toMatchObject([{ words: 'what time is it' }]);
    // Nor where the floor is not sure of them, after a while in which it was.
    talk.floors('Sss').words('what time is it in', 1400);
    expect(talk.asks).toHaveLength(1);
    talk.words('what time is it in Rome', 1600);
    expect(talk.asks.slice(1)).toMatchObject([{ words: 'what time is it in Rome' }]);
  });

  it('wants the words at once where the floor is no longer sure, and again where they stop', () => {
    const talk = new Talk().floors('.SSSs');
    const settled = () => talk.effects.flatMap((effect) => (effect.do === 'settle' ? [effect.toMs] : []));
    expect(settled()).toEqual([1000]);
    talk.floors('sSsY');
    expect(settled()).toEqual([1000, 1600, 1800]);
  });

  it.each([
    ['with drafts off', { drafting: { enabled: false } }],
    ['with an LLM too fast to be drafted for', { drafting: { enabled: 'auto' } }],
    ['where no more drafts are paid for', { drafting: { tokensPerMinute: 0 } }],
    ['where the transcriber hears nothing twice', { rehears: false }],
  ] satisfies [string, TalkOptions][])('%s wants them only where they stop: a word is not cut in two', (_, options) => {
    const talk = new Talk(options).floors('.SSSssSsY');
    expect(talk.effects.flatMap((effect) => (effect.do === 'settle' ? [effect.toMs] : []))).toEqual([1800]);
  });

  it.each([
    ['twice of a transcriber that hears the sound again', true, 2],
    ['once of one that does not', false, 1],
  ])('wants them %s, where they hesitate and stop', async (_, rehears, expected) => {
    let settled = 0;
    const transcription = { push: () => {}, settle: () => void settled++, close: () => {} };
    const transcriber = { name: 'scribe', rehears, start: () => transcription, close: () => {} };
    await rowTalk('.SSsSY', { transcriber }).turns(6);
    expect(settled).toBe(expected);
  });

  describe('an LLM that foresees how they end', () => {
    const asked = (text: string) =>
      new Talk({ drafting: { everyMs: 0 } }).floors('.SSSS').words('what should i').writes(text);

    it('is said at once where they do, and asked no more on the way', () => {
      const talk = asked('[ends: pack for Rome?] Something warm.').floors('S').words('what should i pack');
      expect(talk.asks).toHaveLength(1);
      talk.floors('SY').wait(80).words('What should I pack for Rome?', 1600);
      expect(talk.said).toEqual(['1680: Something warm.']);
      expect(talk.asks).toHaveLength(1);
      expect(talk.emitted('draft.committed')).toMatchObject([{ kind: 'reply' }]);
    });

    it('may begin the ending with what was said already', () => {
      const talk = asked('[ends: should I pack?] Something warm.').floors('Y').words('what should i pack');
      expect(talk.said).toEqual(['1200: Something warm.']);
    });

    it('is asked anew where they end otherwise, and what was foreseen is cancelled where it is still being written', () => {
      const talk = new Talk({ drafting: { everyMs: 0 } }).floors('.SSSS').words('what should i');
      talk.writes('[ends: pack?] Something', false).floors('S').words('what should i read');
      expect(talk.emitted('draft.dropped')).toMatchObject([{ reason: 'revised' }]);
      expect(talk.cancelled).toEqual([talk.asks[0]!.draftId]);
      expect(talk.asks.slice(1)).toMatchObject([{ words: 'what should i read', partial: true }]);
    });

    it('is no answer where they stop before that, or say more', () => {
      for (const final of ['what should i', 'what should i pack for Rome']) {
        const talk = asked('[ends: pack?] Something warm.').floors('Y').words(final);
        expect(talk.said).toEqual([]);
        expect(talk.asks.at(-1)).toMatchObject({ words: final, partial: false });
      }
    });

    it('says nothing of its brackets, however they come, and another mark may follow', () => {
      const talk = new Talk().floors('.SSSS').words('what should i');
      const { draftId } = talk.asks[0]!;
      for (const part of ['[', 'ends', ': pa', 'ck?', '] ', 'Some']) talk.writes(part, false, draftId);
      talk.floors('Y').words('what should i pack').writes('thing warm.', true, draftId);
      expect(talk.said.map((said) => said.replace(/^\d+: /, '')).join(' ')).toBe('Something warm.');
      const silent = asked('[ends: say now] [silence]').floors('Y').words('what should i say now').floors('..');
      expect(silent.said).toEqual([]);
      expect(silent.emitted('draft.committed')).toMatchObject([{ kind: 'silence' }]);
      // What does not close is no ending; neither is what somebody has to say in brackets.
      expect(asked('[ends of the earth]').floors('Y').words('what should i').said).toEqual([
        '1200: [ends of the earth]',
      ]);
    });
  });

  describe('the beginning of a draft', () => {
    const rehearsed = (talk: Talk) => talk.effects.flatMap((effect) => (effect.do === 'rehearse' ? [effect.text] : []));
    const asked = () => new Talk({ drafting: { everyMs: 0 } }).floors('.SSSS').words('what time is it');

    it('is made by the voice as soon as there is a clause of it, once', () => {
      const talk = asked().writes('It is', false);
      expect(rehearsed(talk)).toEqual([]);
      talk.writes(' noon. And', false).writes(' it rains. Yes.');
      expect(rehearsed(talk)).toEqual(['It is noon.']);
      expect(rehearsed(asked().writes('Noon'))).toEqual(['Noon']);
    });

    it('is not made of what they have overtaken, nor of silence, nor where it is long, nor of the answer itself', () => {
      const overtaken = asked();
      const { draftId } = overtaken.asks[0]!;
      overtaken.floors('S').words('what time is it in Rome').writes('It is noon.', true, draftId);
      expect(rehearsed(overtaken)).toEqual([]);
      expect(rehearsed(asked().writes('[silence]'))).toEqual([]);
      expect(rehearsed(asked().writes('word '.repeat(60)))).toEqual([]);
      expect(rehearsed(asked().floors('Y').words('what time is it').writes('It is noon.'))).toEqual([]);
    });
  });

  it('left to itself, drafts for an LLM that was measured to be slow, and for no other', () => {
    const drafts = (firstTokenMs: number | undefined) => {
      const talk = new Talk({ drafting: { enabled: 'auto' } });
      talk.firstTokenMs = firstTokenMs;
      return talk.floors('.SSSSh').words('what time is it').asks.length;
    };
    expect([undefined, 120, 199, 200, 3000].map(drafts)).toEqual([0, 0, 0, 1, 1]);
  });

  it('without drafting asks once, when all is said', () => {
    const talk = new Talk({ drafting: { enabled: false } })
      .floors('.SSSS')
      .words('what time is it')
      .floors('Y')
      .words('what time is it');
    expect(talk.asks).toMatchObject([{ partial: false }]);
  });
});
