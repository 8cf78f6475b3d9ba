import { describe, expect, it } from 'vitest';
import { stepInto, Talk } from './fixtures/talk.js';

describe('taking turns', () => {
  it('says a draft in the micro-turn that yields, where its words are all there were', () => {
    const talk = new Talk()
      .floors('.SSSS')
      .words('what time is it')
      .writes('It is noon.')
      .floors('h')
      .words('What time is it?');
    expect(talk.said).toEqual([]);
    talk.floors('Y');
    expect(talk.said).toEqual(['1400: It is noon.']);
    expect(talk.asks).toHaveLength(1);
    expect(talk.emitted('draft.committed')).toMatchObject([
      { draftId: talk.asks[0]!.draftId, kind: 'reply', aheadMs: 400 },
    ]);
    expect(talk.heardWords).toEqual(['what', 'time', 'is', 'it']);
  });

  describe('told of to the floor bundle', () => {
    const asked = () => new Talk().floors('.SSSS').words('what time is it').writes('It is noon.');
    const marks = (talk: Talk) => talk.effects.flatMap((effect) => (effect.do === 'mark' ? [effect.mark] : []));

    it('says a draft before it yields, where the bundle commits it', () => {
      const talk = asked().floors('S');
      expect(marks(talk)).toEqual(['draft']);
      talk.floors('h', ['commit']);
      expect(talk.said).toEqual(['1400: It is noon.']);
      expect(talk.emitted('draft.committed')).toMatchObject([{ kind: 'reply' }]);
      expect(talk.floors('YY.').hearsAll().said).toHaveLength(1);
      expect(marks(talk)).toEqual(['draft']);
      talk.floors('SSSS').words('and where is it');
      expect(talk.asks.at(-1)!.turns).toEqual([
        { role: 'user', text: 'what time is it' },
        { role: 'assistant', text: 'It is noon.' },
      ]);
    });

    it('says no draft that more words have overtaken, and the bundle knows', () => {
      const talk = asked().floors('S').words('what time is it in Rome').floors('S');
      expect(marks(talk)).toEqual(['draft', 'dropped']);
      talk.floors('S', ['commit']);
      expect(talk.said).toEqual([]);
      talk.writes('One.').floors('S');
      expect(marks(talk)).toEqual(['draft', 'dropped', 'draft']);
    });

    it('has nothing to commit before a draft can be said', () => {
      const talk = new Talk().floors('.SSSS').words('what time is it').floors('hh', ['commit']);
      expect([talk.said, marks(talk)]).toEqual([[], []]);
      talk.writes('[silence]').floors('hh', ['commit']);
      expect([talk.said, marks(talk)]).toEqual([[], []]);
    });
  });

  describe('tells an utterance whose words are all known', () => {
    const told = (talk: Talk) =>
      talk.effects.flatMap((effect) => (effect.do === 'heard' ? [effect.words.join(' ')] : []));

    it('not where words are missing that are done without', () => {
      const talk = new Talk().floors('.SS').words('yes').floors('SSY').floors('.'.repeat(14));
      expect(talk.asks.at(-1)).toMatchObject({ words: 'yes', partial: false });
      expect(told(talk)).toEqual([]);
    });

    it('not where it is for somebody else', () => {
      const talk = new Talk().floors('.SSSS').words('yes').floors('he').words('yes');
      expect(told(talk)).toEqual([]);
    });

    it('where the bundle commits its answer in a pause, and not while they speak', () => {
      const talk = () => new Talk().floors('.SSSS').words('never mind about that').writes('All right.');
      expect(told(talk().floors('S', ['commit']))).toEqual([]);
      expect(told(talk().floors('h').words('never mind about that').floors('h', ['commit']).floors('Y.'))).toEqual([
        'never mind about that',
      ]);
    });
  });

  it('says nothing before it knows the words up to the end, and then at once, between two micro-turns', () => {
    const talk = new Talk().floors('.SSSS').words('what time is it').writes('It is noon.').floors('Y');
    expect(talk.said).toEqual([]);
    talk.wait(80).words('what time is it', 1200);
    expect(talk.said).toEqual(['1280: It is noon.']);
  });

  it('drops a draft to other words, and asks anew', () => {
    const talk = new Talk()
      .floors('.SSSS')
      .words('what time is it')
      .writes('It is noon.')
      .floors('SY')
      .words('what time is it in Rome');
    expect(talk.emitted('draft.dropped')).toMatchObject([{ reason: 'revised', chars: 11 }]);
    expect(talk.asks.at(-1)).toMatchObject({ words: 'what time is it in Rome', partial: false });
    talk.wait(300).writes('One o’clock.');
    expect(talk.said).toEqual(['1700: One o’clock.']);
  });

  it('commits a draft that is still being written, and says what there is', () => {
    const talk = new Talk()
      .floors('.SSSS')
      .words('what time is it')
      .writes('It is noon. And it', false)
      .floors('Y')
      .words('what time is it');
    expect(talk.said).toEqual(['1200: It is noon.']);
    talk.floors('.');
    expect(talk.more).toBe(true);
    talk.wait(50).writes(' rains. Yes.');
    expect(talk.said.slice(1)).toEqual(['1450: And it rains.', '1450: Yes.']);
    talk.floors('.');
    expect(talk.more).toBe(false);
  });

  it.each([
    ['what time is it', 'What time is it, please?'],
    ['what time is it', 'um what time uh is it thank you'],
    ['what time is it um', 'what time is it'],
    ['please what time is it', 'what time is it'],
  ])('an answer to “%s” answers “%s”', (on, final) => {
    const talk = new Talk().floors('.SSSS').words(on).writes('Noon.').floors('Y').words(final);
    expect(talk.said).toEqual(['1200: Noon.']);
    expect(talk.asks).toHaveLength(1);
  });

  it.each([
    ['how are you', 'how are you so late'],
    ['do you think', 'do you think so'],
    ['are you', 'are you okay'],
    ['what should i', 'what should i thank you for'],
    ['um', 'please'],
  ])('an answer to “%s” does not answer “%s”', (on, final) => {
    const talk = new Talk().floors('.SSSs').words(on).writes('Noon.').floors('Y').words(final);
    expect(talk.said).toEqual([]);
    expect(talk.asks.at(-1)).toMatchObject({ words: final, partial: false });
  });

  it.each([
    ['eager', 'hh', true],
    ['normal', 'hh', false],
    ['normal', 'Y', true],
    ['patient', 'Y', false],
    ['patient', 'YY', true],
    ['normal', '..', false],
    ['normal', '...', true],
  ] as const)('an app that is %s takes %s as its turn: %s', (eagerness, pause, speaks) => {
    const talk = new Talk({ eagerness })
      .floors('.SSSS')
      .words('what time is it')
      .writes('Noon.')
      .floors(pause)
      .words('what time is it');
    expect(talk.said.length > 0).toBe(speaks);
  });

  it.each([
    ['normal', undefined, 14, false],
    ['normal', undefined, 15, true],
    ['patient', undefined, 25, false],
    ['patient', 1600, 7, false],
    ['patient', 1600, 8, true],
  ] as const)(
    '%s, with a longest pause of %s ms, %s micro-turns of it are an end: %s',
    (eagerness, longestPauseMs, turns, speaks) => {
      const talk = new Talk({ eagerness, longestPauseMs }).floors('.SSSS').words('what time is it').writes('Noon.');
      talk.floors('h'.repeat(turns)).words('what time is it');
      expect(talk.said.length > 0).toBe(speaks);
    },
  );

  it('a draft may be silence', () => {
    const talk = new Talk()
      .floors('.SSSS')
      .words('let me think')
      .writes('[silence]')
      .floors('Y')
      .words('let me think')
      .floors('...');
    expect(talk.said).toEqual([]);
    expect(talk.emitted('draft.committed')).toMatchObject([{ kind: 'silence' }]);
    talk.floors('SSSS').words('where is Rome').floors('Y').words('where is Rome');
    expect(talk.asks.at(-1)).toMatchObject({ turns: [{ role: 'user', text: 'let me think' }] });
  });

  it('a backchannel goes into a pause, once, and is no turn', () => {
    const talk = new Talk().floors('.SSSS').words('so yesterday i went').writes('[backchannel] mm-hm').floors('S');
    expect(talk.said).toEqual([]);
    talk.floors('h');
    expect(talk.said).toEqual(['1400: mm-hm']);
    expect(talk.acts).toContain('backchannel');
    talk
      .hearsAll()
      .floors('SSh')
      .words('so yesterday i went to Rome')
      .writes('Nice.')
      .floors('Y')
      .words('so yesterday i went to Rome');
    expect(talk.said.at(-1)).toMatch('Nice.');
    expect(talk.said).toHaveLength(2);
    expect(talk.asks.at(-1)!.turns).toEqual([]);
  });

  it('a reply right behind a backchannel is a response of its own, and known to the next question', () => {
    const talk = new Talk().floors('.SSSS').words('so yesterday i went to Rome').writes('[backchannel] mm-hm');
    talk.floors('hY').words('so yesterday i went to Rome').writes('Nice. How was it?');
    expect(talk.said.map((said) => said.replace(/^\d+: /, ''))).toEqual(['mm-hm', 'Nice. How was it?']);
    expect(talk.state.answer).toMatchObject({ responseId: 'r2', opens: false });
    stepInto(talk, { type: 'speech-started', responseId: 'r2', atMs: talk.nowMs + 40 });
    expect(talk.emitted('response.latency')).toHaveLength(1);
    expect(talk.hearsAll().state.answer).toBeUndefined();
    talk.floors('SSSS').words('it was warm').floors('Y').words('it was warm');
    expect(talk.asks.at(-1)!.turns).toEqual([
      { role: 'user', text: 'so yesterday i went to Rome' },
      { role: 'assistant', text: 'Nice. How was it?' },
    ]);
  });

  it('a backchannel of the floor bundle is said in its words, once in a pause, and its other words are not', () => {
    const talk = new Talk().floors('.SSSS').floors('h', ['backchannel']).floors('h', ['backchannel']);
    expect(talk.said).toEqual(['1200: seven']);
    expect(talk.acts).toEqual([]);
    talk.hearsAll().floors('SS').floors('h', ['backchannel']).floors('h', ['backchannel']);
    expect(talk.said.slice(1)).toEqual(['2000: seven']);
  });

  it.each([
    ['patient', 's', false],
    ['patient', 'h', true],
    ['normal', 'S', false],
    ['normal', 's', true],
    ['eager', 'S', true],
  ] as const)('an interjection is let in by a floor that is %s while they talk: %s, %s', (eagerness, floor, enters) => {
    const talk = new Talk({ eagerness }).floors('.SSSS').words('rome is in france').writes('[interject] No: Italy.');
    talk.floors(floor);
    expect(talk.said).toEqual(enters ? ['1200: No: Italy.'] : []);
    // It is said to its end while they talk on, and once.
    if (!enters) return;
    talk.floors('SSSs').words('and so on').floors('Ss');
    expect(talk.said).toHaveLength(1);
    expect([talk.acts, talk.takesBack]).toEqual([[], undefined]);
  });

  it('an interjection waits for a pause, or for an app that is eager', () => {
    const about = 'rome is in france';
    const calm = new Talk().floors('.SSSS').words(about).writes('[interject] That is not right: Italy.').floors('S');
    expect(calm.said).toEqual([]);
    calm.floors('h');
    expect(calm.said).toEqual(['1400: That is not right: Italy.']);
    expect(calm.emitted('draft.committed')).toMatchObject([{ kind: 'interjection' }]);
    const eager = new Talk({ eagerness: 'eager' })
      .floors('.SSSS')
      .words(about)
      .writes('[interject] No: Italy.')
      .floors('S');
    expect(eager.said).toEqual(['1200: No: Italy.']);
    // What they go on to say is answered with what was said before it.
    eager.hearsAll().floors('SSS').words('oh yes you are right').floors('Y').words('oh yes you are right');
    expect(eager.asks.at(-1)!.turns).toEqual([
      { role: 'user', text: about },
      { role: 'assistant', text: 'No: Italy.' },
    ]);
  });

  it('what they go on to say under an interjection is asked once that was heard', () => {
    const talk = new Talk({ eagerness: 'eager' }).floors('.SSSS').words('rome is in france');
    talk.writes('[interject] No: Italy.').floors('S');
    const asked = talk.asks.length;
    talk.floors('SS').words('when does the train leave').floors('Y').words('when does the train leave').floors('...');
    expect(talk.asks.slice(asked).filter(({ partial }) => !partial)).toEqual([]);
    talk.hearsAll().floors('.');
    expect(talk.state.answer).toBeDefined();
    expect(talk.state.utterance).toBeUndefined();
    talk.writes('At nine.').floors('..');
    expect(talk.said.at(-1)).toMatch('At nine.');
  });

  it('what they say under an interjection that calls a tool is told with its result', () => {
    const talk = new Talk({ eagerness: 'eager' }).floors('.SSSS').words('rome is in france');
    const { draftId } = talk.asks.at(-1)!;
    talk.writes('[interject] Wait, let me check.\n', false).floors('S');
    talk.calls(true, draftId).floors('SS').words('are you sure').floors('Y').words('are you sure');
    expect(talk.effects).toContainEqual({ do: 'add', draftId, words: 'are you sure' });
    expect(talk.state.utterance).toBeUndefined();
  });

  it('hears on from the last word where they speak on under an interjection, and from where they begin otherwise', () => {
    const begins = (floors: string) => {
      const talk = new Talk({ eagerness: 'eager' }).floors('.SSS').words('rome is in france', 600).floors('S');
      talk.writes('[interject] No: Italy.').floors('S').floors(floors);
      return talk.effects.flatMap((effect) => (effect.do === 'listen' ? [effect.fromMs] : [])).at(-1);
    };
    expect(begins('S')).toBe(600);
    expect(begins('h....S')).toBe(1800);
  });

  it('answers with the words it has where the rest does not come', () => {
    const talk = new Talk().floors('.SSSS').words('what time is it').writes('Noon.').floors('Y............');
    expect(talk.said).toEqual([]);
    talk.floors('..');
    expect(talk.said).toEqual(['3800: Noon.']);
  });
});
