import type { Floor, SessionEvent, SessionEventBody } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import type { Act, Decision } from '../engine/types.js';
import { startTurnTaking, stepTurnTaking, type TurnTaking, type TurnTakingInput } from './turn-taking.js';
import type { Ask, CompositeEffect, TurnTakingOptions } from './types.js';

const TURN_MS = 200;
const FLOORS: Record<string, Floor> = {
  '.': 'silent',
  S: 'speaking',
  h: 'holding',
  Y: 'yielded',
  B: 'barge-in',
  b: 'backchannel',
  e: 'elsewhere',
  // Speaking, as far as one can tell.
  s: 'speaking',
};

type Options = Partial<Omit<TurnTakingOptions, 'drafting'>> & { drafting?: Partial<TurnTakingOptions['drafting']> };

/** A talk in virtual time: floors by letters, and whatever the composite asks for answered by the test. */
class Talk {
  state: TurnTaking;
  index = 0;
  nowMs = 0;
  /** What the LLM is measured to take. */
  firstTokenMs: number | undefined;
  readonly effects: CompositeEffect[] = [];
  /** What was said, with when. */
  readonly said: string[] = [];
  readonly heardWords: string[] = [];
  acts: readonly Act[] = [];
  more = false;
  #responses = 0;
  #open: string | undefined;

  constructor({ drafting, ...options }: Options = {}) {
    this.state = startTurnTaking({
      microTurnMs: TURN_MS,
      eagerness: 'normal',
      drafting: { enabled: true, everyMs: 500, perUtterance: 8, tokensPerMinute: 10_000, ...drafting },
      ...options,
    });
  }

  floors(letters: string, acts: readonly Act[] = []): this {
    for (const letter of letters) {
      const index = this.index++;
      this.nowMs = (index + 1) * TURN_MS;
      const floor = FLOORS[letter]!;
      const stops: readonly Act[] = floor === 'barge-in' ? ['stop', ...acts] : acts;
      const decision: Decision = {
        lease: 1,
        index,
        words: [],
        floor,
        confidence: letter === 's' ? 0.4 : 1,
        say: 'seven',
        acts: stops,
        stepMs: 1,
        lagMs: 1,
      };
      this.#apply({ type: 'decision', atMs: this.nowMs, decision, firstTokenMs: this.firstTokenMs });
      if (this.acts.includes('stop')) this.cut('');
    }
    return this;
  }
  /** The transcriber has understood everything up to now. */
  words(text: string, coveredMs = this.nowMs): this {
    const words = text.split(' ').filter(Boolean);
    const utterance = this.state.utterance?.id ?? -1;
    return this.#apply({ type: 'words', atMs: this.nowMs, utterance, words, stable: words.length, coveredMs });
  }
  wait(ms: number): this {
    this.nowMs += ms;
    return this;
  }
  /** The LLM writes, to the newest thing it was asked unless told otherwise. */
  writes(text: string, done = true, draftId = this.asks.at(-1)!.draftId): this {
    this.#apply({ type: 'draft.text', atMs: this.nowMs, draftId, text });
    return done ? this.#apply({ type: 'draft.done', atMs: this.nowMs, draftId }) : this;
  }
  fails(draftId = this.asks.at(-1)!.draftId): this {
    return this.#apply({ type: 'draft.failed', atMs: this.nowMs, draftId });
  }
  types(text: string, sent = false): this {
    return this.#apply({ type: 'typed', atMs: this.nowMs, field: 'note', text, sent });
  }
  shows(name: string, ...firstBytes: number[]): this {
    const pictures = firstBytes.map((byte) => ({ mediaType: 'image/png' as const, bytes: Uint8Array.of(byte) }));
    return this.#apply({ type: 'shown', name, pictures });
  }
  /** The agent is interrupted, and this much of it was heard. */
  cut(heardText: string): this {
    if (this.#open === undefined) return this;
    const responseId = this.#open;
    this.#open = undefined;
    return this.event({
      type: 'response.interrupted',
      responseId,
      by: 'user',
      heardMs: 1,
      heardText,
      unheardText: 'rest',
    });
  }
  hearsAll(): this {
    const responseId = this.#open!;
    this.#open = undefined;
    return this.event({ type: 'response.completed', responseId, heardMs: 1 });
  }
  event(body: SessionEventBody): this {
    return this.#apply({ type: 'event', event: { ...body, seq: 1, at: this.nowMs, turn: 0 } as SessionEvent });
  }

  get asks(): Ask[] {
    return this.effects.flatMap((effect) => (effect.do === 'ask' ? [effect.ask] : []));
  }
  get cancelled(): string[] {
    return this.effects.flatMap((effect) => (effect.do === 'cancel' ? [effect.draftId] : []));
  }
  emitted<T extends SessionEventBody['type']>(type: T) {
    return this.effects.flatMap((effect) => (effect.do === 'emit' && effect.event.type === type ? [effect.event] : []));
  }

  #apply(input: TurnTakingInput): this {
    const { state, effects, composed } = stepTurnTaking(this.state, input);
    this.state = state;
    this.effects.push(...effects);
    this.heardWords.push(...composed.words.map(({ text }) => text));
    if (input.type === 'decision') {
      this.acts = composed.acts;
      this.more = composed.speech?.more ?? false;
    }
    const say = composed.speech?.say ?? '';
    if (say === '') return this;
    this.said.push(`${this.nowMs}: ${say}`);
    // As the session does: words that follow each other are one response.
    if (this.#open === undefined) {
      this.#open = `r${++this.#responses}`;
      const kind = this.acts.includes('backchannel') ? 'backchannel' : 'reply';
      this.event({ type: 'response.started', responseId: this.#open, kind, audience: 'room' });
    }
    return this.event({ type: 'response.text', responseId: this.#open, text: say, words: [] });
  }
}

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

  it('cancels a draft as soon as its words turn out to be others, and keeps one that is a beginning', () => {
    const talk = new Talk().floors('.SSSS').words('i like blue').floors('SSS').words('i like blue cheese a lot');
    expect(talk.cancelled).toEqual([]);
    talk.floors('SSS').words('i liked blue cheese');
    expect(talk.cancelled).toEqual(talk.asks.slice(0, 2).map(({ draftId }) => draftId));
    expect(talk.emitted('draft.dropped')).toMatchObject([{ reason: 'revised' }, { reason: 'revised' }]);
  });

  it('bounds how often it drafts, in time, by utterance and by tokens', () => {
    const busy = (drafting: Options['drafting']) => {
      const talk = new Talk({ drafting: { ...drafting } });
      let text = 'one two';
      for (let i = 0; i < 40; i++) talk.floors('S').words((text += ` w${i}`));
      return talk;
    };
    expect(busy({ everyMs: 1000, perUtterance: 100 }).asks).toHaveLength(7);
    expect(busy({ everyMs: 1, perUtterance: 3 }).asks).toHaveLength(3);
    const spent = new Talk({ drafting: { tokensPerMinute: 100 } }).floors('SSS').words('x y z');
    stepInto(spent, { type: 'spent', atMs: spent.nowMs, tokens: 100 });
    spent.floors('SSSSSS').words('a b c d e f g');
    expect(spent.asks).toEqual([]);
    // The answer itself is not held up.
    spent.floors('Y').words('a b c d e f g');
    expect(spent.asks.at(-1)).toMatchObject({ partial: false });
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

  it('a backchannel of the floor bundle is said in its words, once in a pause, and its other words are not', () => {
    const talk = new Talk().floors('.SSSS').floors('h', ['backchannel']).floors('h', ['backchannel']);
    expect(talk.said).toEqual(['1200: seven']);
    expect(talk.acts).toEqual([]);
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

  it('goes back to listening where the user goes on before the answer has begun', () => {
    const talk = new Talk().floors('.SSSS').words('what time').floors('Y').words('what time').floors('S');
    expect(talk.cancelled).toEqual([talk.asks.at(-1)!.draftId]);
    talk.floors('SS').words('is it').floors('Y').words('is it');
    expect(talk.asks.at(-1)).toMatchObject({ words: 'is it', turns: [{ role: 'user', text: 'what time' }] });
  });

  it('takes an answer back that nobody can have heard when the user goes on', () => {
    const asked = () =>
      new Talk().floors('.SSSS').words('what time').floors('Y').words('what time').writes('It is noon.');
    const unheard = asked();
    expect(unheard.said).toHaveLength(1);
    unheard.floors('S');
    expect(unheard.acts).toContain('stop');
    unheard.floors('S').words('is it in Rome').floors('Y').words('is it in Rome');
    expect(unheard.asks.at(-1)).toMatchObject({ words: 'is it in Rome', turns: [{ role: 'user', text: 'what time' }] });
    // Its first packet left within the micro-turn in which they went on: that was no answer to it.
    const together = asked();
    stepInto(together, { type: 'speech-started', responseId: 'r1', atMs: together.nowMs + 90 });
    together.floors('S');
    expect(together.acts).toContain('stop');
    // From then on it is the bundle that says whether they mean to stop it.
    const heard = asked();
    stepInto(heard, { type: 'speech-started', responseId: 'r1', atMs: heard.nowMs + 90 });
    heard.floors('.S');
    expect(heard.acts).not.toContain('stop');
    expect(heard.state.answer).toBeDefined();
  });

  it('stops with the bundle, and remembers what was heard', () => {
    const talk = new Talk().floors('.SSSS').words('tell me a story').floors('Y').words('tell me a story');
    talk.writes('Once upon a time. There was a', false).floors('.');
    talk.event({ type: 'response.heard', responseId: 'r1', heardMs: 300, heardText: 'Once upon' });
    talk.cut('Once upon').floors('B').floors('SS').words('no a joke').floors('Y').words('no a joke');
    expect(talk.cancelled).toContain(talk.asks[0]!.draftId);
    expect(talk.asks.at(-1)).toMatchObject({
      words: 'no a joke',
      turns: [
        { role: 'user', text: 'tell me a story' },
        { role: 'assistant', text: 'Once upon —' },
      ],
    });
  });

  it('stops no answer that waits for a tool: nothing of it is being said', () => {
    const talk = new Talk().floors('.SSSS').words('what is the weather').floors('Y').words('what is the weather');
    const { draftId } = talk.asks.at(-1)!;
    talk.writes('Let me look.\n', false);
    stepInto(talk, { type: 'draft.calls', atMs: talk.nowMs, draftId, calling: true });
    talk.floors('BBS').words('in Rome that is').floors('Y').words('in Rome that is');
    expect(talk.cancelled).not.toContain(draftId);
    expect(talk.effects).toContainEqual({ do: 'add', draftId, words: 'in Rome that is' });
  });

  it('forgets what was said to somebody else', () => {
    const talk = new Talk()
      .floors('.SSSS')
      .words('dinner is ready')
      .floors('e')
      .words('dinner is ready')
      .floors('Y...');
    expect(talk.said).toEqual([]);
    expect(talk.emitted('draft.dropped')).toMatchObject([{ reason: 'elsewhere' }]);
  });

  it('answers with the words it has where the rest does not come', () => {
    const talk = new Talk().floors('.SSSS').words('what time is it').writes('Noon.').floors('Y............');
    expect(talk.said).toEqual([]);
    talk.floors('..');
    expect(talk.said).toEqual(['3800: Noon.']);
  });

  it('a failure ends an answer where it is, and leaves the next one unharmed', () => {
    const talk = new Talk().floors('.SSSS').words('a b c').floors('Y').words('a b c');
    talk.writes('Half an answer and', false).fails();
    expect(talk.said).toEqual(['1200: Half an answer and']);
    talk.floors('.');
    expect(talk.more).toBe(false);
    talk.hearsAll().floors('SSS').words('d e f').floors('Y').words('d e f').writes('Whole.');
    expect(talk.said.at(-1)).toMatch('Whole.');
  });

  it('what has no word in it is not said', () => {
    const talk = new Talk().floors('.SSSS').words('thank you so much').floors('Y').words('thank you so much');
    talk.writes('You are welcome! ', false).writes('😊');
    expect(talk.said.map((said) => said.replace(/^\d+: /, ''))).toEqual(['You are welcome!']);
    expect(talk.floors('.').more).toBe(false);
    talk.hearsAll().floors('SSSS').words('bye then my friend').floors('Y').words('bye then my friend').writes('👋');
    expect(talk.said).toHaveLength(1);
    expect(talk.state.answer).toBeUndefined();
  });

  it('an LLM that wants silence is not waited for, nor paid for what it adds', () => {
    const talk = new Talk().floors('.SSSS').words('hm okay then').floors('Y').words('hm okay then');
    talk.writes('[silence] They are', false);
    expect(talk.cancelled).toEqual([talk.asks.at(-1)!.draftId]);
    expect(talk.floors('..').said).toEqual([]);
    expect(talk.state.answer).toBeUndefined();
  });

  it('an answer that failed before its first word is no answer', () => {
    const talk = new Talk().floors('.SSSS').words('a b c').floors('Y').words('a b c').fails().floors('..');
    expect(talk.said).toEqual([]);
    expect(talk.state.answer).toBeUndefined();
  });

  it('what is shown is seen with every question, the newest of each name, until it is taken away', () => {
    const seen = () => talk.asks.at(-1)!.pictures.map(({ bytes }) => bytes[0]);
    const talk = new Talk().shows('screen', 1).shows('camera', 2, 3).shows('screen', 4).types('what is this', true);
    expect(seen()).toEqual([2, 3, 4]);
    talk.shows('camera').floors('.SSSS').words('and this here now');
    expect(seen()).toEqual([4]);
    // More than fit one question: what was shown first makes room.
    talk.shows('a', 5, 6).shows('b', 7, 8).types('and these', true);
    expect(seen()).toEqual([5, 6, 7, 8]);
    talk.shows('a').shows('b').types('and now', true);
    expect(seen()).toEqual([]);
  });

  it('what is typed is seen before it is sent, and answered when it is', () => {
    const talk = new Talk()
      .types('my order is 12')
      .floors('.SSSS')
      .words('what about this')
      .floors('Y')
      .words('what about this');
    expect(talk.asks.at(-1)!.typed).toEqual([{ field: 'note', text: 'my order is 12' }]);
    talk.writes('It is on its way. It', false);
    talk.types('and 13?', true);
    expect(talk.asks.at(-1)).toMatchObject({ words: 'and 13?', typed: [], partial: false });
    // The older answer is cut by the next decision, and the newer one begins after it.
    talk.writes('So is that.');
    expect(talk.said).toHaveLength(1);
    talk.floors('.');
    expect(talk.acts).toContain('stop');
    expect(talk.said.at(-1)).toMatch('So is that.');
  });

  it('a message that is empty asks nothing, and stops nothing', () => {
    const talk = new Talk().types('a note').floors('.SSSS').words('what about this').floors('Y');
    talk.words('what about this').writes('It is on its way. It', false).types(' ', true).floors('.');
    expect(talk.asks.map(({ words }) => words)).not.toContain(' ');
    expect(talk.acts).not.toContain('stop');
    expect(talk.state.typed.size).toBe(0);
  });

  it('says what the latency was made of', () => {
    const talk = new Talk()
      .floors('.SSSS')
      .words('what time is it')
      .floors('Y')
      .wait(100)
      .words('what time is it', 1200);
    talk.wait(150).writes('Noon.');
    stepInto(talk, { type: 'speech-started', responseId: 'r1', atMs: talk.nowMs + 40 });
    expect(talk.emitted('response.latency')).toMatchObject([
      { responseId: 'r1', drafted: true, floorMs: 200, wordsMs: 100, llmMs: 150, voiceMs: 40 },
    ]);
  });

  it('says it once of an answer that goes on behind a tool', () => {
    const talk = new Talk().floors('.SSSS').words('what is the weather').floors('Y').words('what is the weather');
    const { draftId } = talk.asks.at(-1)!;
    const calls = (calling: boolean) => stepInto(talk, { type: 'draft.calls', atMs: talk.nowMs, draftId, calling });
    const sounds = (responseId: string) =>
      stepInto(talk, { type: 'speech-started', responseId, atMs: talk.nowMs + 40 });
    talk.writes('Let me look.\n', false);
    sounds('r1');
    calls(true);
    talk.hearsAll().floors('.'.repeat(20));
    calls(false);
    talk.writes('It is sunny.');
    sounds('r2');
    expect(talk.said).toHaveLength(2);
    expect(talk.emitted('response.latency')).toMatchObject([{ responseId: 'r1', voiceMs: 40 }]);
  });

  it('takes no reply to somebody else in the room for its own, while a tool works', () => {
    const talk = new Talk().floors('.SSSS').words('what is the weather').floors('Y').words('what is the weather');
    const { draftId } = talk.asks.at(-1)!;
    const calls = (calling: boolean) => stepInto(talk, { type: 'draft.calls', atMs: talk.nowMs, draftId, calling });
    talk.writes('Let me look.\n', false);
    calls(true);
    talk.hearsAll().event({ type: 'response.started', responseId: 'bob-1', kind: 'reply', audience: 'room' });
    calls(false);
    talk.writes('It is sunny.');
    expect(talk.state.answer).toMatchObject({ responseId: 'r2' });
  });

  it('does nothing of its own: the bundle’s own words are not said, and noise is not answered', () => {
    const talk = new Talk().floors('.SS', ['remind', 'delegate']).floors('YYYY').words('', 1600).floors('....');
    expect(talk.said).toEqual([]);
    expect(talk.acts).toEqual([]);
    expect(talk.asks).toEqual([]);
    expect(talk.state.utterance).toBeUndefined();
  });
});

function stepInto(talk: Talk, input: TurnTakingInput): void {
  const { state, effects } = stepTurnTaking(talk.state, input);
  talk.state = state;
  talk.effects.push(...effects);
}

describe('an LLM that keeps the user waiting', () => {
  const patience = { wordMs: 1000, word: 'One moment.', firstMs: 4000, stallMs: 2000, sorry: 'Sorry.' };
  const asked = (options: Options = {}) =>
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

  it('is given up in a documented time before its first word, with a code, a word, and its request ended', () => {
    const talk = asked().floors('.'.repeat(30));
    expect(saidBy(talk)).toEqual(['One moment.', 'Sorry.']);
    expect(errors(talk)).toEqual(['llm/timeout']);
    expect(talk.effects).toContainEqual({ do: 'cancel', draftId: talk.asks[0]!.draftId });
    expect(talk.more).toBe(false);
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

  it('is forgotten where the user goes on before its first word', () => {
    const talk = asked().floors('.'.repeat(7)).floors('SSS');
    expect(talk.state).toMatchObject({ answer: undefined });
    talk.floors('.'.repeat(30));
    expect(errors(talk)).toEqual([]);
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
    talk.floors('..S');
    expect(talk.cancelled).toEqual([talk.asks[0]!.draftId]);
  });

  it('is waited for in silence where the app wants no word', () => {
    const talk = asked({ patience: { ...patience, word: '', sorry: '' } }).floors('.'.repeat(30));
    expect(talk.said).toEqual([]);
    expect(errors(talk)).toEqual(['llm/timeout']);
  });
});
