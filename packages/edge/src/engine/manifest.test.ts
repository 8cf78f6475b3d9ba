import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bend } from './fixtures/bend.js';
import { tinyGraph, tinyManifest } from './fixtures/tiny-bundle.js';
import { parseManifest } from './manifest.js';

const nano = readFileSync(new URL('../../../../models/nano/bundle/bundle.json', import.meta.url), 'utf8');

describe('parseManifest', () => {
  const shipped: {
    inputs: { pcm: { tensor: string } };
    outputs: { words: { classes: string[] } };
    states: { output: string }[];
  } = JSON.parse(nano);
  it('takes the shipped manifest as it is: every field of it is known', () => {
    expect(parseManifest(JSON.parse(nano))).toMatchObject(JSON.parse(nano));
  });

  describe('of what is read', () => {
    const reads = (text: object, changes: Record<string, unknown> = {}) =>
      parseManifest(
        bend(shipped, {
          'inputs/text': { tensor: 'text', shape: ['B', 4], classes: ['<none>', 'one', 'dog', '<result>'], ...text },
          ...changes,
        }),
      );

    it('takes names of its own, those of an output, and none', () => {
      const text = {
        aliases: { dogs: 'dog', '11': 'one one' },
        unknown: 'dog',
        marks: { result: '<result>', age: 'one' },
      };
      expect(reads(text).inputs.text).toMatchObject(text);
      const { words } = shipped.outputs;
      expect(reads({ classes: 'words', unknown: words.classes[1] }).inputs.text?.classes).toBe('words');
      expect(reads({ classes: undefined }).inputs.text).toMatchObject({ aliases: {}, marks: {} });
    });

    it.each<[string, object, Record<string, unknown>?]>([
      ['inputs.text.shape', { shape: ['B', 2, 2] }],
      ['inputs.text.unknown', { unknown: '<unk>' }],
      ['inputs.text.aliases.dogs', { aliases: { dogs: 'dog  one' } }],
      ['inputs.text.marks.draft', { marks: { draft: 'draft' } }],
      ['inputs.text.marks.age', { marks: { age: '<age>' } }],
      ['inputs.text.marks', { marks: { news: '<result>', result: 1 } }],
      ['inputs.text.classes', { classes: 'words' }, { 'outputs/words': undefined }],
      ['inputs.text.classes', { classes: 'words' }, { 'outputs/words/blank': shipped.outputs.words.classes[3] }],
    ])('names %s where it is wrong: %j', (where, text, changes) => {
      expect(() => reads(text, changes)).toThrow(where);
    });
  });

  it('takes any act of its list', () => {
    const act = { tensor: 'act', shape: ['B', 2], values: 'logits', classes: ['none', 'note'] };
    expect(parseManifest(bend(shipped, { 'outputs/act': act })).outputs.act?.classes).toEqual(['none', 'note']);
  });

  it('fills in what may be left out', () => {
    const { decoding } = parseManifest(tinyManifest({ 'step.onnx': tinyGraph() }));
    expect(decoding).toEqual({
      floor: { thresholds: {} },
      say: { threshold: 0, repeatMs: 0 },
      act: { threshold: 0, thresholds: {} },
      stop: [],
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ['inputs.pcm.shape', { 'inputs/pcm/shape': ['B', 3201] }],
    ['inputs.play.shape', { 'inputs/play/shape': ['B', 2] }],
    ['inputs.play.shape', { 'inputs/play/shape': ['N', 1] }],
    ['inputs.play', { 'inputs/play/tensor': shipped.inputs.pcm.tensor }],
    ['inputHz', { microTurnMs: 201, inputHz: 16_001 }],
    ['outputs.words.classes', { 'outputs/words/classes': shipped.outputs.words.classes.slice(1) }],
    ['outputs.words.shape', { 'outputs/words/shape': ['B', shipped.outputs.words.classes.length] }],
    ['outputs.words.slotMs', { 'outputs/words/slotMs': 20 }],
    ['decoding.words.spanMs', { 'decoding/words/spanMs': 60 }],
    ['decoding.words.spanMs', { 'decoding/words/spanMs': 240 }],
    ['outputs.words.blank', { 'outputs/words/blank': '<pad>' }],
    ['outputs.words.unknown', { 'outputs/words/unknown': '<oov>' }],
    ['outputs.floor.classes', { 'outputs/floor/classes/0': 'asleep' }],
    ['outputs.say.silent', { 'outputs/say/silent': 'hush' }],
    ['outputs.say.acts.shout', { 'outputs/say/acts/shout': { act: 'stop' } }],
    ['outputs.say.shows.uno', { 'outputs/say/shows': { uno: { surface: 'a', text: 'b' } } }],
    ['outputs.act.classes', { 'outputs/act/classes/1': 'notes' }],
    ['decoding.words', { 'decoding/words': undefined }],
    ['decoding.floor.thresholds.yield', { 'decoding/floor/thresholds/yield': 0.5 }],
    ['decoding.floor.thresholds.yielded', { 'decoding/floor/thresholds/yielded': 90 }],
    ['decoding.act.thresholds.halt', { 'decoding/act/thresholds': { halt: 0.5 } }],
    ['decoding.act.thresholds.stop', { 'decoding/act/thresholds': { stop: 90 } }],
    ['decoding.stop', { 'decoding/stop': [{ act: 'show' }] }],
    ['states.1', { 'states/1/output': shipped.states[0]!.output }],
    ['graph.batch', { 'graph/batch': '' }],
    ['graph.file', { 'graph/file': 'other.onnx' }],
  ])('names %s where it is wrong: %j', (where, changes) => {
    expect(() => parseManifest(bend(shipped, changes))).toThrow(where);
  });
});
