import { describe, expect, it } from 'vitest';
import { stepInto, Talk } from './fixtures/talk.js';

describe('taking turns', () => {
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
