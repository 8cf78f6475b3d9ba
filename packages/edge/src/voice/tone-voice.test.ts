import { describe, expect, it } from 'vitest';
import { ToneVoice } from './tone-voice.js';
import { voiceContract } from './voice.contract.js';

voiceContract('ToneVoice', async () => new ToneVoice());

describe('ToneVoice', () => {
  it('says every word for as long as it is told', async () => {
    const voice = new ToneVoice({ wordMs: 100, gapMs: 20, rateHz: 8_000 });
    const clauses = [];
    for await (const clause of voice.speak('one two three')) clauses.push(clause);
    expect(clauses).toHaveLength(1);
    expect(clauses[0]!.pcm).toHaveLength(340 * 8);
    expect(clauses[0]!.words).toEqual([
      { text: 'one', startMs: 0, endMs: 100 },
      { text: 'two', startMs: 120, endMs: 220 },
      { text: 'three', startMs: 240, endMs: 340 },
    ]);
  });

  it('refuses lengths that are no whole milliseconds', () => {
    expect(() => new ToneVoice({ wordMs: 0.5 })).toThrow(RangeError);
    expect(() => new ToneVoice({ gapMs: -1 })).toThrow(RangeError);
  });
});
