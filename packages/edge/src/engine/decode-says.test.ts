import { describe, expect, it } from 'vitest';
import { decode, freshDecoder } from './decode.js';
import { floorHead, manifest, sayHead, says } from './fixtures/decoder-heads.js';
import type { Manifest } from './manifest.js';

describe('decode: say and acts', () => {
  const says_ = (name: string, m = manifest(), share = 1) =>
    decode(m, freshDecoder, { say: sayHead(name, share) }, { index: 0, play: 0 }).decoded;

  it('says a class by its name, and nothing for silence', () => {
    expect(says_('one')).toMatchObject({ say: 'one', acts: [] });
    expect(says_('listen')).toMatchObject({ say: '', acts: [] });
  });

  it('acts where a class is an act, and says its text', () => {
    expect(says_('remind')).toMatchObject({ say: 'Here is your reminder.', acts: ['remind'] });
  });

  it('stops on what the bundle says stops it, and on nothing else', () => {
    expect(says_('stop').acts).toEqual([]);
    const byAct = manifest({ 'decoding/stop': [{ act: 'stop' }] });
    expect(says_('stop', byAct)).toMatchObject({ say: '', acts: ['stop'] });
    const barge = (m: Manifest) =>
      decode(m, freshDecoder, { floor: floorHead({ 'barge-in': 1 }) }, { index: 0, play: 1 }).decoded.acts;
    expect(barge(manifest())).toEqual(['stop']);
    expect(barge(byAct)).toEqual([]);
  });

  it('says nothing below the threshold', () => {
    const sure = manifest({ 'decoding/say/threshold': 0.8 });
    const unsure = Float32Array.from(says, (name) => ({ listen: 0.3, one: 0.7 })[name] ?? 0);
    expect(decode(sure, freshDecoder, { say: unsure }, { index: 0, play: 0 }).decoded.say).toBe('');
  });

  it('is sure that it speaks where it is not sure which word it says', () => {
    const sure = manifest({ 'decoding/say/threshold': 0.8 });
    const head = Float32Array.from(says, (name) => (name === 'listen' ? 0.1 : name === 'one' ? 0.5 : 0.2));
    expect(decode(sure, freshDecoder, { say: head }, { index: 0, play: 0 }).decoded.say).toBe('one');
  });

  it('says several slots in order', () => {
    const m = manifest({ 'outputs/say/shape': ['B', 3, 4] });
    const head = Float32Array.from([...sayHead('one'), ...sayHead('listen'), ...sayHead('one')]);
    expect(decode(m, freshDecoder, { say: head }, { index: 0, play: 0 }).decoded.say).toBe('one one');
  });

  it('takes a word that goes on into the next micro-turn for one, where the bundle says for how long', () => {
    const m = manifest({ 'decoding/say': { threshold: 0, repeatMs: 200 } });
    let state = freshDecoder;
    const said = [0, 1, 2, 4, 5].map((index) => {
      const next = decode(m, state, { say: sayHead('one') }, { index, play: 0 });
      state = next.state;
      return next.decoded.say;
    });
    expect(said).toEqual(['one', '', '', 'one', '']);
    const slots = manifest({ 'outputs/say/shape': ['B', 2, 4], 'decoding/say': { threshold: 0, repeatMs: 200 } });
    const twice = Float32Array.from([...sayHead('one'), ...sayHead('one')]);
    const first = decode(slots, freshDecoder, { say: twice }, { index: 0, play: 0 });
    expect(first.decoded.say).toBe('one one');
    // The first of these goes on from the micro-turn before.
    expect(decode(slots, first.state, { say: twice }, { index: 1, play: 0 }).decoded.say).toBe('one');
  });

  describe('of an act head', () => {
    const acts = (decoding: object, ...shares: number[]) => {
      const m = manifest({
        'outputs/act': {
          tensor: 'a',
          shape: ['B', 3],
          values: 'probabilities',
          classes: ['none', 'stop', 'delegate'],
        },
        'decoding/act': decoding,
        'decoding/stop': [{ act: 'stop' }],
      });
      return decode(m, freshDecoder, { act: Float32Array.from(shares) }, { index: 0, play: 0 }).decoded.acts;
    };

    it('takes the likeliest', () => {
      const plain = { threshold: 0 };
      expect(acts(plain, 0.9, 0.1, 0)).toEqual([]);
      expect(acts(plain, 0.1, 0.9, 0)).toEqual(['stop']);
      expect(acts(plain, 0.1, 0, 0.9)).toEqual(['delegate']);
    });

    it('asks more of an act that has a threshold of its own', () => {
      const careful = { threshold: 0.5, thresholds: { stop: 0.75 } };
      expect(acts(careful, 0.3, 0.7, 0)).toEqual([]);
      expect(acts(careful, 0.25, 0.75, 0)).toEqual(['stop']);
      expect(acts(careful, 0.5, 0, 0.5)).toEqual([]);
      expect(acts(careful, 0.4, 0, 0.6)).toEqual(['delegate']);
    });
  });
});

describe('decode: classes that are shown', () => {
  const m = manifest({
    'outputs/say/shows': { one: { surface: 'translation', text: 'uno', of: 'one' } },
  });

  it('are not said, and come in every micro-turn in which they are decided', () => {
    const first = decode(m, freshDecoder, { say: sayHead('one') }, { index: 0, play: 0 });
    const second = decode(m, first.state, { say: sayHead('one') }, { index: 1, play: 0 });
    for (const { decoded } of [first, second]) {
      expect(decoded).toMatchObject({ say: '', acts: [], shown: [{ surface: 'translation', text: 'uno', of: 'one' }] });
    }
  });

  it('leave others as they are', () => {
    const { decoded } = decode(m, freshDecoder, { say: sayHead('remind') }, { index: 0, play: 0 });
    expect(decoded).toMatchObject({ say: 'Here is your reminder.', acts: ['remind'] });
    expect(decoded).not.toHaveProperty('shown');
  });
});

describe('decode: what an act does', () => {
  const classes = ['none', 'relay', 'delegate', 'backchannel', 'remind', 'note'];
  const acting = (changes: Record<string, unknown> = {}) =>
    manifest({
      'outputs/act': { tensor: 'a', shape: ['B', classes.length], values: 'probabilities', classes, ...changes },
    });
  /** What is decided in micro-turns that follow each other. */
  function decided(acts: string[], m = acting(), say?: string) {
    let state = freshDecoder;
    return acts.map((act, index) => {
      const heads = {
        act: Float32Array.from(classes, (name) => Number(name === act)),
        ...(say !== undefined && { say: sayHead(say) }),
      };
      const { decoded, state: next } = decode(m, state, heads, { index, play: 0 });
      state = next;
      return [decoded.acts.join(), decoded.say];
    });
  }

  it('is done once, however long the model stays with it, and again after it let go', () => {
    const acts = decided(['delegate', 'delegate', 'none', 'delegate', 'remind', 'note', 'note']).map(([act]) => act);
    expect(acts).toEqual(['delegate', '', '', 'delegate', 'remind', 'note', '']);
  });

  it('and so is one that is a word: a reminder that lasts two micro-turns is one reminder', () => {
    let state = freshDecoder;
    const said = ['remind', 'remind', 'listen', 'remind'].map((name, index) => {
      const { decoded, state: next } = decode(manifest(), state, { say: sayHead(name) }, { index, play: 0 });
      state = next;
      return [decoded.acts.join(), decoded.say];
    });
    const reminder = ['remind', 'Here is your reminder.'];
    expect(said).toEqual([reminder, ['', ''], ['', ''], reminder]);
  });

  it('is there in every micro-turn where it needs a moment that fits', () => {
    expect(decided(['relay', 'relay'])).toEqual([
      ['relay', ''],
      ['relay', ''],
    ]);
  });

  it('says what the bundle says with it, and "uh-huh" to a backchannel that says nothing', () => {
    expect(decided(['backchannel', 'backchannel', 'remind'])).toEqual([
      ['backchannel', 'Uh-huh.'],
      ['', ''],
      ['remind', ''],
    ]);
    const own = acting({ says: { backchannel: 'Mm-hm.', remind: 'Time is up.' } });
    expect(decided(['backchannel', 'remind'], own).map(([, say]) => say)).toEqual(['Mm-hm.', 'Time is up.']);
    expect(decided(['backchannel'], acting(), 'one')).toEqual([['backchannel', 'one']]);
  });
});
