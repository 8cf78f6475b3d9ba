import { describe, expect, it } from 'vitest';
import { stepInto, Talk } from './fixtures/talk.js';

describe('taking turns', () => {
  it('goes back to listening where the user goes on before the answer has begun', () => {
    const talk = new Talk().floors('.SSSS').words('what time').floors('Y').words('what time');
    const { draftId } = talk.asks.at(-1)!;
    talk.floors('SSS').words('is it').floors('Y').words('is it').writes('It is noon.', true, draftId);
    expect(talk.cancelled).toContain(draftId);
    expect(talk.said).toEqual([]);
    expect(talk.asks.at(-1)).toMatchObject({ words: 'is it', turns: [{ role: 'user', text: 'what time' }] });
  });

  describe('a cough before the answer can have been heard', () => {
    const asked = () => new Talk().floors('.SSSS').words('what time is it').floors('Y').words('what time is it');
    /** It has no words. */
    const cough = (talk: Talk, end = 'Y') => talk.floors(`SS${end}`).words('').floors('.');
    const texts = (talk: Talk) => talk.said.map((said) => said.replace(/^\d+: /, ''));

    it('holds it back until it is over, and nothing is asked again', () => {
      const talk = asked().floors('S').writes('It is noon.').floors('S');
      expect(talk.said).toEqual([]);
      cough(talk);
      expect(texts(talk)).toEqual(['It is noon.']);
      expect(talk.asks).toHaveLength(1);
      expect(talk.cancelled).toEqual([]);
      expect(talk.hearsAll().state).toMatchObject({ answer: undefined, held: undefined });
    });

    it('loses none that comes later, or was begun: that one is said from its beginning', () => {
      expect(texts(cough(asked()).writes('It is noon.'))).toEqual(['It is noon.']);
      const begun = asked().writes('It is noon. And it', false);
      cough(begun).writes(' rains.');
      expect(texts(begun)).toEqual(['It is noon.', 'It is noon.', 'And it rains.']);
      expect(begun.hearsAll().state.answer).toBeUndefined();
    });

    it('is what is said to somebody else, too, however often they turn to them', () => {
      const talk = asked().floors('S').writes('It is noon.');
      talk.floors('S').words('dinner is ready').floors('eSeeSe');
      expect(talk.said).toEqual([]);
      expect(texts(talk.floors('.'))).toEqual(['It is noon.']);
    });

    it('is none of the answer’s latency', () => {
      const talk = cough(asked().floors('S').writes('It is noon.'));
      stepInto(talk, { type: 'speech-started', responseId: 'r1', atMs: talk.nowMs + 40 });
      expect(talk.emitted('response.latency')).toEqual([]);
    });

    describe('and that is more than a cough', () => {
      const first = (talk: Talk) => talk.asks[0]!.draftId;

      it('is not written on, whether by its words or by its length, and not for a cough', () => {
        const worded = asked().floors('S').writes('It is noon. And', false).floors('S');
        expect(worded.cancelled).toEqual([]);
        worded.words('and where');
        expect(worded.cancelled).toEqual([first(worded)]);
        worded.floors('SY').words('and where is it');
        expect(worded.cancelled).toEqual([first(worded)]);
        expect(worded.asks).toHaveLength(2);
        const long = asked().floors('SSSSS');
        expect(long.cancelled).toEqual([]);
        expect(long.floors('S').cancelled).toEqual([first(long)]);
      });

      it('is asked for again where it was meant for somebody else, and said once', () => {
        const talk = asked().floors('S').writes('It is noon. And', false);
        talk.floors('S').words('dinner is ready').floors('e');
        expect(talk.asks).toHaveLength(1);
        talk.floors('.');
        expect(talk.asks.slice(1)).toMatchObject([
          { words: '', partial: false, turns: [{ role: 'user', text: 'what time is it' }] },
        ]);
        talk.writes('It is noon.').floors('.');
        expect(texts(talk)).toEqual(['It is noon.']);
        stepInto(talk, { type: 'speech-started', responseId: 'r1', atMs: talk.nowMs + 40 });
        expect(talk.emitted('response.latency')).toEqual([]);
        expect(talk.hearsAll().state).toMatchObject({ answer: undefined, held: undefined });
        expect(talk.cancelled).toEqual([first(talk)]);
      });

      it('is kept where it is all written, or has called a tool', () => {
        const written = asked().floors('S').writes('It is noon.').floors('SSSSS');
        const called = asked().calls(true).calls(false).floors('SSSSSS').words('in Rome');
        expect([written.cancelled, called.cancelled]).toEqual([[], []]);
        expect(called.state.held).toMatchObject({ called: true });
      });
    });

    it('ends no answer that breaks off meanwhile before it was said as far as it came', () => {
      const talk = asked().writes('It is noon. And', false).floors('S').fails();
      expect(texts(cough(talk))).toEqual(['It is noon.', 'It is noon. And']);
    });
  });

  it('takes an answer back that nobody can have heard when the user goes on', () => {
    const asked = () =>
      new Talk().floors('.SSSS').words('what time').floors('Y').words('what time').writes('It is noon.');
    const unheard = asked();
    expect(unheard.said).toHaveLength(1);
    unheard.floors('S');
    expect([unheard.acts, unheard.takesBack]).toEqual([[], 'r1']);
    unheard.floors('S').words('is it in Rome').floors('Y').words('is it in Rome');
    expect(unheard.asks.at(-1)).toMatchObject({ words: 'is it in Rome', turns: [{ role: 'user', text: 'what time' }] });
    // Its first packet left within the micro-turn in which they went on: that was no answer to it.
    const together = asked();
    stepInto(together, { type: 'speech-started', responseId: 'r1', atMs: together.nowMs + 90 });
    together.floors('S');
    expect(together.takesBack).toBe('r1');
    // From then on it is the bundle that says whether they mean to stop it.
    const heard = asked();
    stepInto(heard, { type: 'speech-started', responseId: 'r1', atMs: heard.nowMs + 90 });
    heard.floors('.S');
    expect([heard.acts, heard.takesBack]).toEqual([[], undefined]);
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

  describe('after “wait, stop”', () => {
    const stopped = () =>
      new Talk().floors('BBSS').words('wait stop').floors('Y').words('wait stop').floors('Y', ['stop']);

    it('answers, where the bundle tells of that stop once more', () => {
      const talk = stopped();
      expect(talk.acts).toEqual([]);
      talk.writes('Okay.').floors('.', ['stop']);
      expect(talk.said).toEqual(['1200: Okay.']);
      expect([talk.acts, talk.cancelled]).toEqual([[], []]);
      expect(talk.hearsAll().state.answer).toBeUndefined();
    });

    it.each([
      ['is told while they speak', (talk: Talk) => talk.floors('S', ['stop'])],
      ['is told in a pause of theirs', (talk: Talk) => talk.floors('S').floors('h', ['stop'])],
      ['comes later', (talk: Talk) => talk.floors('....').floors('.', ['stop'])],
    ])('stops that answer, too, where the stop %s', (_, again) => {
      const talk = stopped().writes('Okay, I am quiet. And', false);
      stepInto(talk, { type: 'speech-started', responseId: 'r1', atMs: talk.nowMs + 40 });
      again(talk.floors('.'));
      expect(talk.acts).toContain('stop');
      expect(talk.cancelled).toEqual([talk.asks.at(-1)!.draftId]);
      expect(talk.state.answer).toBeUndefined();
    });
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

  it('does nothing of its own: the bundle’s own words are not said, and noise is not answered', () => {
    const talk = new Talk().floors('.SS', ['remind', 'note', 'delegate']);
    expect(talk.acts).toEqual([]);
    talk.floors('YYYY').words('', 1600).floors('....');
    expect(talk.said).toEqual([]);
    expect(talk.acts).toEqual([]);
    expect(talk.asks).toEqual([]);
    expect(talk.state.utterance).toBeUndefined();
  });
});
