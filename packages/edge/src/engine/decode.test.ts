import type { Floor } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { decode, freshDecoder, playFed, type DecoderState } from './decode.js';
import { bend } from './fixtures/bend.js';
import { tinyGraph, tinyManifest } from './fixtures/tiny-bundle.js';
import { parseManifest, type Manifest } from './manifest.js';

const words = ['<blank>', '<unk>', 'horse', 'goat'];
const floors: Floor[] = ['silent', 'speaking', 'holding', 'yielded', 'barge-in'];
const says = ['listen', 'stop', 'remind', 'one'];

/** 200 ms in five slots of 40 ms. */
function manifest(changes: Record<string, unknown> = {}): Manifest {
  const values = 'probabilities';
  const value = {
    ...tinyManifest({ 'step.onnx': tinyGraph() }),
    microTurnMs: 200,
    inputHz: 16_000,
    inputs: {
      pcm: { tensor: 'pcm', shape: ['B', 3200] },
      play: { tensor: 'play', shape: ['B', 1], ownTurns: { gapMs: 600 } },
    },
    outputs: {
      words: {
        tensor: 'w',
        shape: ['B', 5, 4],
        values,
        classes: words,
        blank: '<blank>',
        unknown: '<unk>',
        slotMs: 40,
      },
      floor: { tensor: 'f', shape: ['B', 5], values, classes: floors },
      say: {
        tensor: 's',
        shape: ['B', 4],
        values,
        classes: says,
        silent: 'listen',
        acts: { stop: { act: 'stop' }, remind: { act: 'remind', text: 'Here is your reminder.' } },
      },
    },
    decoding: {
      words: { threshold: 0.5, repeatMs: 160, delayMs: 120 },
      floor: { thresholds: { yielded: 0.9, 'barge-in': 0.7 } },
      stop: [{ floor: 'barge-in' }],
    },
  };
  return parseManifest(bend(value, changes));
}

/** Word shares of one micro-turn: `[slot, class, share]` over blank. */
function wordHead(...heard: [number, string, number][]): Float32Array {
  const head = new Float32Array(5 * words.length);
  for (let slot = 0; slot < 5; slot++) head[slot * words.length] = 1;
  for (const [slot, name, share] of heard) {
    head[slot * words.length] = 1 - share;
    head[slot * words.length + words.indexOf(name)] = share;
  }
  return head;
}

function floorHead(shares: Partial<Record<Floor, number>>): Float32Array {
  return Float32Array.from(floors, (floor) => shares[floor] ?? 0);
}

function sayHead(name: string, share = 1): Float32Array {
  return Float32Array.from(says, (other) => (other === name ? share : (1 - share) / 3));
}

describe('decode: words', () => {
  const m = manifest();
  const hear = (state: DecoderState, index: number, ...heard: [number, string, number][]) =>
    decode(m, state, { words: wordHead(...heard) }, { index, play: 0 });

  it('gives the end of a word to the slot, less the delay it was learnt with', () => {
    const { decoded } = hear(freshDecoder, 10, [3, 'horse', 0.8]);
    expect(decoded.words).toEqual([{ text: 'horse', endMs: 10 * 200 + 4 * 40 - 120, confidence: expect.closeTo(0.8) }]);
  });

  it('never ends a word before the session began', () => {
    expect(hear(freshDecoder, 0, [0, 'horse', 0.8]).decoded.words[0]!.endMs).toBe(0);
  });

  it('takes a word only above the threshold, which all words share', () => {
    expect(hear(freshDecoder, 0, [1, 'horse', 0.5]).decoded.words).toEqual([]);
    const split = wordHead([1, 'horse', 0.35]);
    split[1 * words.length] = 0.4;
    split[1 * words.length + words.indexOf('goat')] = 0.25;
    expect(decode(m, freshDecoder, { words: split }, { index: 0, play: 0 }).decoded.words).toMatchObject([
      { text: 'horse', confidence: expect.closeTo(0.35) },
    ]);
  });

  describe('over a span', () => {
    const m = manifest({ 'decoding/words': { threshold: 0.5, repeatMs: 160, delayMs: 120, spanMs: 120 } });
    const hearAll = (...turns: [number, string, number][][]) => {
      let state = freshDecoder;
      return turns.map((heard, index) => {
        const next = decode(m, state, { words: wordHead(...heard) }, { index, play: 0 });
        ({ state } = next);
        return next.decoded.words.map(({ text, endMs }) => [text, endMs]);
      });
    };

    it('hears a word that no slot is sure of, also on both sides of a boundary', () => {
      expect(
        hearAll([
          [2, 'horse', 0.4],
          [3, 'horse', 0.3],
        ]),
      ).toEqual([[['horse', 40]]]);
      expect(hearAll([[4, 'horse', 0.3]], [[1, 'horse', 0.3]])).toEqual([[], [['horse', 160]]]);
      expect(hearAll([[4, 'horse', 0.3]], [[2, 'horse', 0.3]])).toEqual([[], []]);
    });

    it('hears none where it is sure of some word, and not of which', () => {
      expect(
        hearAll([
          [1, 'horse', 0.4],
          [2, 'goat', 0.4],
        ]),
      ).toEqual([[]]);
    });

    it('hears one word once, and again when it is said again', () => {
      expect(
        hearAll(
          [
            [0, 'horse', 0.9],
            [1, 'horse', 0.9],
          ],
          [[4, 'horse', 0.9]],
        ),
      ).toEqual([[['horse', 0]], [['horse', 280]]]);
    });

    it('hears a word that is said twice in quick succession twice, as it does without a span', () => {
      const twice = [
        [0, 'horse', 0.9],
        [1, 'horse', 0.9],
      ] as [number, string, number][];
      const again = [
        [1, 'horse', 0.9],
        [2, 'horse', 0.9],
      ] as [number, string, number][];
      expect(hearAll(twice, again)).toEqual([[['horse', 0]], [['horse', 160]]]);
    });

    it('is at most sure, and keeps what goes into the next micro-turn small', () => {
      const { decoded, state } = decode(
        m,
        freshDecoder,
        { words: wordHead([3, 'goat', 0.9], [4, 'goat', 0.9]) },
        { index: 0, play: 0 },
      );
      expect(decoded.words).toMatchObject([{ text: 'goat', confidence: expect.closeTo(0.9) }]);
      expect(state.heard).toEqual([
        { class: 3, share: 0.9, slot: 3 },
        { class: 3, share: 0.9, slot: 4 },
      ]);
    });
  });

  it('calls the unknown class by one name', () => {
    const other = manifest({
      'outputs/words/classes': ['<blank>', '[oov]', 'horse', 'goat'],
      'outputs/words/unknown': '[oov]',
    });
    const { decoded } = decode(other, freshDecoder, { words: wordHead([2, '<unk>', 0.9]) }, { index: 0, play: 0 });
    expect(decoded.words[0]!.text).toBe('<unk>');
  });

  it('hears one word once, though it fills slots on both sides of a boundary', () => {
    const first = hear(freshDecoder, 4, [3, 'horse', 0.9], [4, 'horse', 0.9]);
    const second = hear(first.state, 5, [0, 'horse', 0.9], [1, 'horse', 0.9]);
    expect(first.decoded.words).toHaveLength(1);
    expect(second.decoded.words).toHaveLength(0);
  });

  it('hears the same word again after the time of a repeat', () => {
    const first = hear(freshDecoder, 4, [0, 'horse', 0.9]);
    expect(hear(first.state, 4, [4, 'horse', 0.9]).decoded.words).toHaveLength(0); // 160 ms
    expect(hear(first.state, 5, [0, 'horse', 0.9]).decoded.words).toHaveLength(1); // 200 ms
  });

  it('hears another word at once, and then the first again', () => {
    const { decoded } = hear(freshDecoder, 0, [0, 'horse', 0.9], [1, 'goat', 0.9], [2, 'horse', 0.9]);
    expect(decoded.words.map(({ text }) => text)).toEqual(['horse', 'goat', 'horse']);
  });
});

describe('decode: floor', () => {
  const floorOf = (shares: Partial<Record<Floor, number>>, m = manifest()) =>
    decode(m, freshDecoder, { floor: floorHead(shares) }, { index: 0, play: 0 }).decoded;

  it('takes the likeliest floor', () => {
    expect(floorOf({ speaking: 0.6, holding: 0.4 })).toMatchObject({
      floor: 'speaking',
      confidence: expect.closeTo(0.6),
    });
  });

  it('takes the next one that may be taken, where the likeliest is not likely enough', () => {
    expect(floorOf({ yielded: 0.5, 'barge-in': 0.3, holding: 0.15, silent: 0.05 })).toMatchObject({
      floor: 'holding',
      confidence: expect.closeTo(0.15),
    });
    expect(floorOf({ yielded: 0.95, holding: 0.05 }).floor).toBe('yielded');
  });

  it('takes the likeliest where none is likely enough', () => {
    const strict = manifest({ 'decoding/floor/thresholds': Object.fromEntries(floors.map((f) => [f, 0.99])) });
    expect(floorOf({ yielded: 0.5, holding: 0.4 }, strict).floor).toBe('yielded');
  });

  it('reads logits as it reads shares', () => {
    const logits = manifest({ 'outputs/floor/values': 'logits' });
    const head = floorHead({ speaking: 5, silent: 1 });
    const { decoded } = decode(logits, freshDecoder, { floor: head }, { index: 0, play: 0 });
    const sum = Math.exp(5) + Math.exp(1) + 3;
    expect(decoded).toMatchObject({ floor: 'speaking', confidence: expect.closeTo(Math.exp(5) / sum) });
    expect(head[1]).toBe(5);
  });

  it('is silent where the bundle has no floor', () => {
    expect(decode(manifest(), freshDecoder, {}, { index: 0, play: 0 }).decoded).toEqual({
      words: [],
      floor: 'silent',
      confidence: 0,
      say: '',
      acts: [],
    });
  });
});

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

describe('playFed', () => {
  const m = manifest();
  /** What the graph is told in each micro-turn, and what it then decides: `[audible, floor]`. */
  function told(...turns: [number, Floor][]): number[] {
    let state = freshDecoder;
    return turns.map(([play, floor], index) => {
      const fed = playFed(m, state, play);
      state = decode(m, state, { floor: floorHead({ [floor]: 1 }) }, { index, play }).state;
      return fed;
    });
  }

  it('tells of an agent that speaks into silence, or after the user has yielded', () => {
    expect(told([0, 'silent'], [1, 'silent'], [1, 'barge-in'])).toEqual([0, 1, 1]);
    expect(told([0, 'speaking'], [0, 'yielded'], [1, 'yielded'], [1, 'silent'])).toEqual([0, 0, 1, 1]);
  });

  it('does not tell of one that comes in on a user who has the floor, nor when the user pauses', () => {
    expect(
      told([0, 'speaking'], [1, 'speaking'], [1, 'holding'], [1, 'silent'], [1, 'silent'], [1, 'speaking']),
    ).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('tells of it once the user has been quiet for long enough', () => {
    expect(told([0, 'speaking'], [1, 'silent'], [1, 'silent'], [1, 'silent'], [1, 'barge-in'])).toEqual([
      0, 0, 0, 0, 1,
    ]);
  });

  it('takes a user who speaks in a gap of the agent for one who interrupts', () => {
    expect(told([1, 'silent'], [0, 'silent'], [0, 'speaking'], [1, 'barge-in'])).toEqual([1, 0, 0, 1]);
  });

  it('gives the floor back to the user once the agent has been quiet for long enough', () => {
    expect(told([1, 'silent'], [0, 'silent'], [0, 'silent'], [0, 'speaking'], [1, 'speaking'])).toEqual([
      1, 0, 0, 0, 0,
    ]);
  });

  it('tells all to a graph that knows `play` as audible', () => {
    const honest = manifest({ 'inputs/play/ownTurns': undefined });
    const state = { ...freshDecoder, holder: 'user' as const };
    expect(playFed(honest, state, 1)).toBe(1);
  });
});
