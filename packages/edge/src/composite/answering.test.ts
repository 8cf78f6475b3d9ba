import { describe, expect, it } from 'vitest';
import { stepInto, Talk, type TalkOptions } from './fixtures/talk.js';

describe('taking turns', () => {
  it('stops no answer that waits for a tool: nothing of it is being said', () => {
    const talk = new Talk().floors('.SSSS').words('what is the weather').floors('Y').words('what is the weather');
    const { draftId } = talk.asks.at(-1)!;
    talk.writes('Let me look.\n', false);
    talk.calls(true);
    talk.floors('BBS').words('in Rome that is').floors('Y').words('in Rome that is');
    expect(talk.cancelled).not.toContain(draftId);
    expect(talk.effects).toContainEqual({ do: 'add', draftId, words: 'in Rome that is' });
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

  it('says all there is before a tool works, whatever it ends with', () => {
    const talk = new Talk().floors('.SSSS').words('what is the weather').floors('Y').words('what is the weather');
    talk.writes('Let me look', false);
    expect(talk.said).toEqual([]);
    talk.calls(true);
    expect(talk.said).toEqual(['1200: Let me look']);
  });

  it('says a long answer part by part, and is not done before all of it is given', () => {
    const talk = new Talk().floors('.SSSS').words('tell me everything').floors('Y').words('tell me everything');
    const text = 'It is noon, and the sun is out. '.repeat(250).trim();
    const texts = () => talk.said.map((said) => said.replace(/^\d+: /, ''));
    talk.writes(text);
    expect(Array.from('....', (floor) => talk.floors(floor).more)).toEqual([true, true, false, false]);
    expect(texts().join(' ')).toBe(text);
    expect(texts().every((part) => part.length <= 2000)).toBe(true);
    expect(talk.hearsAll().state.answer).toBeUndefined();
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

  describe('an answer that has nothing to speak', () => {
    const patience = { wordMs: 1000, word: 'One moment.', firstMs: 4000, stallMs: 2000, sorry: 'Sorry.' };
    const thanked = (options: TalkOptions = { drafting: { enabled: false } }) =>
      new Talk(options).floors('.SSSS').words('thank you so much');
    const yielded = (talk: Talk) => talk.floors('Y').words('thank you so much');
    const codes = (talk: Talk) => talk.emitted('error').map((error) => 'code' in error && error.code);

    it.each(['👍', ' 👍 👏\n', '[ends: so much?] 🙂', '…'])('is an error that the page gets, once: %s', (text) => {
      for (const talk of [yielded(thanked()).writes(text), yielded(thanked({}).writes(text))]) {
        talk.floors('..');
        expect([talk.said, codes(talk), talk.state.answer]).toEqual([[], ['llm/malformed'], undefined]);
      }
    });

    it('is one, too, where it was announced, or held back meanwhile', () => {
      const announced = yielded(thanked({ drafting: { enabled: false }, patience }))
        .floors('.'.repeat(7))
        .writes('👍');
      expect([announced.said.length, codes(announced), announced.floors('.').more]).toEqual([
        1,
        ['llm/malformed'],
        false,
      ]);
      const held = yielded(thanked()).floors('S').writes('👍');
      expect(codes(held)).toEqual([]);
      expect(codes(held.floors('Y').words('').floors('.'))).toEqual(['llm/malformed']);
    });

    it('is none where the LLM wants silence, or says a word beside it', () => {
      for (const text of ['', '[silence]', '[silence] 👍', '👍 Great!', '2']) {
        expect(codes(yielded(thanked()).writes(text).floors('.').hearsAll())).toEqual([]);
      }
    });
  });

  it('an LLM that wants silence is not waited for, nor paid for what it adds', () => {
    const talk = new Talk().floors('.SSSS').words('hm okay then').floors('Y').words('hm okay then');
    talk.writes('[silence] They are', false);
    expect(talk.cancelled).toEqual([talk.asks.at(-1)!.draftId]);
    expect(talk.floors('..').said).toEqual([]);
    expect(talk.state.answer).toBeUndefined();
  });

  describe('an LLM that fails before its first word', () => {
    const patience = { wordMs: 1000, word: 'One moment.', firstMs: 4000, stallMs: 2000, sorry: 'Sorry.' };
    const asked = (options: TalkOptions = { patience }) =>
      new Talk(options).floors('.SSSS').words('what time is it').floors('Y').words('what time is it');
    const texts = (talk: Talk) => talk.said.map((said) => said.replace(/^\d+: /, ''));

    it('is excused to a user who asked, once, and the talk goes on', () => {
      const talk = asked().fails().floors('..');
      expect(talk.said).toEqual(['1200: Sorry.']);
      expect(talk.more).toBe(false);
      talk.hearsAll().floors('SSSS').words('what day is it').floors('Y').words('what day is it').writes('Sunday.');
      expect(texts(talk)).toEqual(['Sorry.', 'Sunday.']);
      expect(texts(asked().writes('[sil', false).fails())).toEqual(['Sorry.']);
    });

    it('is excused, too, where it fails with what a tool gave', () => {
      const talk = asked();
      talk.writes('Let me look.\n', false);
      talk.calls(true);
      talk.hearsAll().floors('..');
      talk.calls(false);
      talk.fails();
      expect(texts(talk)).toEqual(['Let me look.', 'Sorry.']);
    });

    it('is not in a draft that nobody waits for, nor where the app wants no word', () => {
      expect(new Talk({ patience }).floors('.SSSS').words('what time is it').fails().floors('..').said).toEqual([]);
      for (const options of [{}, { patience: { ...patience, sorry: '' } }]) {
        const talk = asked(options).fails().floors('..');
        expect(talk.said).toEqual([]);
        expect(talk.state.answer).toBeUndefined();
      }
    });

    it('is excused after what a message cuts short, and after a cough', () => {
      const talk = asked().writes('It is noon. And the', false).types('and in Rome?', true).fails();
      expect(texts(talk)).toEqual(['It is noon.']);
      talk.floors('.');
      expect([talk.acts, talk.takesBack, texts(talk)[1]]).toEqual([[], 'r1', 'Sorry.']);
      expect(texts(asked().floors('S').fails().floors('Y').words('').floors('.'))).toEqual(['Sorry.']);
    });
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
    const sounds = (responseId: string) =>
      stepInto(talk, { type: 'speech-started', responseId, atMs: talk.nowMs + 40 });
    talk.writes('Let me look.\n', false);
    sounds('r1');
    talk.calls(true);
    talk.hearsAll().floors('.'.repeat(20));
    talk.calls(false);
    talk.writes('It is sunny.');
    sounds('r2');
    expect(talk.said).toHaveLength(2);
    expect(talk.emitted('response.latency')).toMatchObject([{ responseId: 'r1', voiceMs: 40 }]);
  });

  describe('what is said behind a tool while the words before it are still being heard', () => {
    const behind = () => {
      const talk = new Talk().floors('.SSSS').words('what is the weather').floors('Y').words('what is the weather');
      talk.writes('Let me look.\n', false);
      talk.calls(true);
      talk.floors('..');
      talk.calls(false);
      return talk.writes('It is sunny today. ', false);
    };
    const texts = ({ said }: Talk) => said.map((one) => one.replace(/^\d+: /, ''));

    it('is a response of the answer, which ends where that is stopped', () => {
      const talk = behind().hearsFirst();
      expect(talk.state.answer).toMatchObject({ responseId: 'r2' });
      const { draftId } = talk.asks.at(-1)!;
      talk.cut('It is');
      expect([talk.cancelled.at(-1), talk.state.answer]).toEqual([draftId, undefined]);
      expect(texts(talk.writes('And tomorrow, too.').floors('..'))).toEqual(['Let me look.', 'It is sunny today.']);
    });

    it('is not taken back once it sounds, and is said from its beginning where it was before', () => {
      const sounding = behind().hearsFirst().sounds().floors('.S');
      expect([sounding.acts, sounding.takesBack]).toEqual([[], undefined]);
      expect(sounding.state.answer).toMatchObject({ responseId: 'r2' });
      const unheard = behind().hearsFirst().floors('S');
      expect([unheard.acts, unheard.takesBack]).toEqual([[], 'r2']);
      expect(texts(unheard.floors('Y').words('').floors('.'))).toEqual([
        'Let me look.',
        'It is sunny today.',
        'It is sunny today.',
      ]);
    });

    it('is over when it was heard, and nothing of it comes again', () => {
      const talk = behind().hearsFirst().sounds().writes('And tomorrow, too.').floors('.').hearsAll();
      expect(talk.state.answer).toBeUndefined();
      talk.floors('S').floors('Y').words('').floors('..');
      expect(texts(talk).join(' ')).toBe('Let me look. It is sunny today. And tomorrow, too.');
    });

    it('may be that it failed', () => {
      const patience = { wordMs: 1000, word: 'One moment.', firstMs: 4000, stallMs: 2000, sorry: 'Sorry.' };
      const talk = new Talk({ patience }).floors('.SSSS').words('what is the weather').floors('Y');
      talk.words('what is the weather').writes('Let me look.\n', false);
      talk.calls(true);
      talk.floors('.');
      talk.calls(false);
      expect(texts(talk.fails())).toEqual(['Let me look.', 'Sorry.']);
    });
  });

  it('takes no reply to somebody else in the room for its own, while a tool works', () => {
    const talk = new Talk().floors('.SSSS').words('what is the weather').floors('Y').words('what is the weather');
    talk.writes('Let me look.\n', false);
    talk.calls(true);
    talk.hearsAll().event({ type: 'response.started', responseId: 'bob-1', kind: 'reply', audience: 'room' });
    talk.calls(false);
    talk.writes('It is sunny.');
    expect(talk.state.answer).toMatchObject({ responseId: 'r2' });
  });
});
