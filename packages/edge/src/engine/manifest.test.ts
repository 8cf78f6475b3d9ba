import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bend } from './fixtures/bend.js';
import { tinyGraph, tinyManifest } from './fixtures/tiny-bundle.js';
import { parseManifest } from './manifest.js';

const nano = readFileSync(new URL('../../../../models/nano/bundle/bundle.json', import.meta.url), 'utf8');

describe('parseManifest', () => {
  it('takes the shipped manifest as it is: every field of it is known', () => {
    expect(parseManifest(JSON.parse(nano))).toMatchObject(JSON.parse(nano));
  });

  it('fills in what may be left out', () => {
    const { decoding } = parseManifest(tinyManifest({ 'step.onnx': tinyGraph() }));
    expect(decoding).toEqual({ floor: { thresholds: {} }, say: { threshold: 0 }, act: { threshold: 0 }, stop: [] });
  });

  const shipped: { outputs: { words: { classes: string[] } }; states: object[] } = JSON.parse(nano);
  it.each<[string, Record<string, unknown>]>([
    ['inputs.pcm.shape', { 'inputs/pcm/shape': ['B', 3201] }],
    ['inputs.play.shape', { 'inputs/play/shape': ['B', 2] }],
    ['inputs.play.shape', { 'inputs/play/shape': ['N', 1] }],
    ['inputs.play', { 'inputs/play/tensor': 'audio' }],
    ['inputHz', { microTurnMs: 201, inputHz: 16_001 }],
    ['outputs.words.classes', { 'outputs/words/classes': shipped.outputs.words.classes.slice(1) }],
    ['outputs.words.shape', { 'outputs/words/shape': ['B', 138] }],
    ['outputs.words.slotMs', { 'outputs/words/slotMs': 20 }],
    ['outputs.words.blank', { 'outputs/words/blank': '<pad>' }],
    ['outputs.words.unknown', { 'outputs/words/unknown': '<oov>' }],
    ['outputs.floor.classes', { 'outputs/floor/classes/0': 'asleep' }],
    ['outputs.say.silent', { 'outputs/say/silent': 'hush' }],
    ['outputs.say.acts.shout', { 'outputs/say/acts/shout': { act: 'stop' } }],
    ['decoding.words', { 'decoding/words': undefined }],
    ['decoding.floor.thresholds.yield', { 'decoding/floor/thresholds/yield': 0.5 }],
    ['decoding.floor.thresholds.yielded', { 'decoding/floor/thresholds/yielded': 90 }],
    ['decoding.stop', { 'decoding/stop': [{ act: 'show' }] }],
    ['states.1', { 'states/1/output': 'n_aud' }],
    ['graph.batch', { 'graph/batch': '' }],
    ['graph.file', { 'graph/file': 'other.onnx' }],
  ])('names %s where it is wrong: %j', (where, changes) => {
    expect(() => parseManifest(bend(shipped, changes))).toThrow(where);
  });
});
