import { describe, expect, it } from 'vitest';
import { Talk } from './fixtures/talk.js';

describe('taking turns', () => {
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
    expect([talk.acts, talk.takesBack]).toEqual([[], 'r1']);
    expect(talk.said.at(-1)).toMatch('So is that.');
  });

  it('a cough loses no message, and what they say after one takes it up', () => {
    const coughed = new Talk().types('what is this', true).floors('SSY').words('').floors('.').writes('A cat.');
    expect(coughed.said).toEqual([expect.stringMatching('A cat.')]);
    const spoken = new Talk().types('what is this', true).floors('SSSS').words('on the left').floors('Y');
    spoken.words('on the left');
    expect(spoken.asks.at(-1)).toMatchObject({ words: 'on the left', turns: [{ role: 'user', text: 'what is this' }] });
    spoken.writes('A cat.');
    expect(spoken.said).toEqual([expect.stringMatching('A cat.')]);
  });

  it('a message that is empty asks nothing, and stops nothing', () => {
    const talk = new Talk().types('a note').floors('.SSSS').words('what about this').floors('Y');
    talk.words('what about this').writes('It is on its way. It', false).types(' ', true).floors('.');
    expect(talk.asks.map(({ words }) => words)).not.toContain(' ');
    expect([talk.acts, talk.takesBack]).toEqual([[], undefined]);
    expect(talk.state.typed.size).toBe(0);
  });
});
