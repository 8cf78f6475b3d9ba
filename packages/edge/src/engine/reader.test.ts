import { describe, expect, it, vi } from 'vitest';
import type { Bundle } from './bundle.js';
import { bend } from './fixtures/bend.js';
import { tinyManifest } from './fixtures/tiny-bundle.js';
import { LaneInputs } from './lane-io.js';
import { parseManifest } from './manifest.js';
import { OnnxModel } from './onnx-model.js';
import { graphName, initializer, input, model, node, output } from './onnx-write.js';
import { createReader } from './reader.js';
import type { Decision } from './types.js';

const WIDTH = 3;
const classes = ['<blank>', 'a', 'b', 'c', '<result>'];
const floats = (values: number[]) => ({ raw: new Uint8Array(new Float32Array(values).buffer) });

/** Its floor is `speaking` in a micro-turn in which it reads something. */
const graph = model([
  ...node('Cast', ['text'], 'ids', { to: 1 }),
  ...node('MatMul', ['ids', 'signs'], 'read'),
  ...node('MatMul', ['pcm', 'zeros'], 'heard'),
  ...node('Add', ['read', 'heard'], 'floor'),
  ...graphName('reader'),
  ...initializer('signs', [WIDTH, 2], floats([-1, 1, -1, 1, -1, 1])),
  ...initializer('zeros', [160, 2], floats(Array.from({ length: 320 }, () => 0))),
  ...input('pcm', ['B', 160]),
  ...input('text', ['B', WIDTH], 'int32'),
  ...output('floor', ['B', 2]),
]);
const manifest = parseManifest(
  bend(tinyManifest({ 'step.onnx': graph }), {
    'inputs/text': { tensor: 'text', shape: ['B', WIDTH], classes, marks: { result: '<result>' } },
    'inputs/said': { tensor: 'said', shape: ['B', 2], classes },
    states: [],
  }),
);
const ids = (values: Int32Array | undefined) => values && [...values];

describe('a reader', () => {
  it('gives as much in a micro-turn as there is room for, and the rest in the next ones', () => {
    const reader = createReader(manifest);
    reader.perceive({ type: 'typed', text: 'a b c, a' });
    reader.perceive({ type: 'mark', mark: 'result' });
    reader.perceive({ type: 'mark', mark: 'draft' }); // no class of this model
    reader.perceive({ type: 'heard', text: 'C' });
    const pages = [reader.read(), reader.read(), reader.read()];
    expect(pages.map(({ text }) => ids(text))).toEqual([[1, 2, 3], [1, 4], undefined]);
    expect(pages.map(({ said }) => ids(said))).toEqual([[3], undefined, undefined]);
  });

  describe('of a model that knows ages', () => {
    const words = [
      '<none>',
      '<unk>',
      '<age>',
      '<same>',
      '<result>',
      'seconds',
      'minutes',
      'thirty',
      'one',
      'three',
      'dog',
      'a',
      'fifty',
    ];
    const ageing = (marks: object, width = 8) =>
      parseManifest(
        bend(tinyManifest({ 'step.onnx': graph }), {
          'inputs/text': {
            tensor: 'text',
            shape: ['B', width],
            classes: words,
            unknown: '<unk>',
            aliases: {
              '30': 'thirty',
              '1': 'one',
              '3': 'three',
              '31': 'thirty one',
              '53': 'fifty three',
              minute: 'minutes',
            },
            marks,
          },
        }),
      );
    const named = (text: Int32Array | undefined) => text && [...text].map((id) => words[id]).join(' ');

    it.each([
      [30, '<age> thirty seconds dog <unk>'],
      [53, '<age> fifty three seconds dog <unk>'],
      [60, '<age> one minutes dog <unk>'],
      [61, '<age> <unk> seconds dog <unk>'],
      [180, '<age> three minutes dog <unk>'],
    ])('writes %i s in words in one micro-turn, and then the note', (seconds, read) => {
      const reader = createReader(ageing({ age: '<age>' }));
      reader.perceive({ type: 'age', seconds, text: 'dog <unk>' });
      expect([named(reader.read().text), reader.read().text]).toEqual([read, undefined]);
    });

    it('says where the note has the words of the age, in a bundle that has a mark for that', () => {
      const reader = createReader(ageing({ age: '<age>', same: '<same>' }));
      reader.perceive({ type: 'age', seconds: 180, text: 'thirty three minutes' });
      expect(named(reader.read().text)).toBe('<age> three minutes thirty <same> <same>');
      reader.perceive({ type: 'age', seconds: 180, text: 'three dog, one minutes' });
      expect(named(reader.read().text)).toBe('<age> three minutes three dog one minutes');
      reader.perceive({ type: 'age', seconds: 60, text: 'a minute 1 minute a' });
      expect(named(reader.read().text)).toBe('<age> one minutes <same> <same> <same> <same> a');
      // It has no class for sixty: what it does not know is not the same as what it does not know.
      reader.perceive({ type: 'age', seconds: 60, text: 'ninety seconds' });
      expect(named(reader.read().text)).toBe('<age> one minutes <unk> seconds');
    });

    it('goes on in the next micro-turn with what has no room, after what waited before', () => {
      const reader = createReader(ageing({ age: '<age>', result: '<result>' }, 4));
      reader.perceive({ type: 'mark', mark: 'result' });
      reader.perceive({ type: 'age', seconds: 30, text: 'one three dog' });
      expect([reader.read(), reader.read(), reader.read()].map(({ text }) => named(text))).toEqual([
        '<result> <age> thirty seconds',
        'one three dog',
        undefined,
      ]);
    });

    it('writes nothing at all where its bundle has no such mark', () => {
      const reader = createReader(ageing({ result: '<result>' }));
      reader.perceive({ type: 'age', seconds: 30, text: 'one three dog' });
      expect(reader.read()).toEqual({ text: undefined, said: undefined });
    });
  });

  it('keeps the newest of what is more than it holds', () => {
    const reader = createReader(manifest);
    reader.perceive({ type: 'typed', text: 'a '.repeat(5000) });
    reader.perceive({ type: 'typed', text: 'b' });
    const read: number[] = [];
    for (let text = reader.read().text; text; text = reader.read().text) read.push(...text);
    expect(read).toEqual([...Array.from({ length: 255 }, () => 1), 2]);
  });

  it('reads again what is put back, first of all', () => {
    const reader = createReader(manifest);
    reader.perceive({ type: 'typed', text: 'a b c a' });
    reader.perceive({ type: 'heard', text: 'c' });
    const first = reader.read();
    reader.perceive({ type: 'typed', text: 'b' });
    reader.putBack(first);
    expect(reader.read()).toEqual(first);
    expect(ids(reader.read().text)).toEqual([1, 2]);
    reader.putBack({});
    expect(reader.read()).toEqual({ text: undefined, said: undefined });
  });

  it('has nothing to read where its model reads nothing', () => {
    const reader = createReader(parseManifest(tinyManifest({ 'step.onnx': graph })));
    reader.perceive({ type: 'typed', text: 'a' });
    reader.perceive({ type: 'mark', mark: 'result' });
    reader.perceive({ type: 'heard', text: 'a' });
    reader.perceive({ type: 'age', seconds: 10, text: 'a' });
    expect(reader.read()).toEqual({ text: undefined, said: undefined });
  });
});

describe('what is read', () => {
  const pcm = () => new Float32Array(160);

  it('is fed to the row that reads it, and is gone from the buffer in its next step', () => {
    const inputs = new LaneInputs(manifest, 2);
    const turn = { lease: 1, index: 0, pcm: pcm(), lost: 0, play: 0, dueMs: 0 };
    inputs.fill(0, { ...turn, text: Int32Array.of(1, 2, 3) }, false);
    inputs.fill(1, { ...turn, text: Int32Array.of(4) }, false);
    expect([...inputs.feeds['text']!.data]).toEqual([1, 2, 3, 4, 0, 0]);
    inputs.fill(0, { ...turn, text: Int32Array.of(4) }, false);
    inputs.fill(1, undefined, false);
    expect([...inputs.feeds['text']!.data]).toEqual([4, 0, 0, 0, 0, 0]);
  });

  it.each([
    [1, ['silent', 'speaking', 'silent', 'silent']],
    // It may be why they are bad.
    [2, ['silent', 'silent', 'silent', 'silent']],
  ])('is read again after a bad step, once: %i', async (bad, expected) => {
    const alone = bend(manifest, { 'inputs/said': undefined });
    const bundle: Bundle = { manifest: alone, files: new Map([['step.onnx', graph]]), externalData: [] };
    const reading = await OnnxModel.load(bundle, { rows: 1 });
    const decisions: Decision[] = [];
    const stream = reading.open(1, (decision) => decisions.push(decision));
    stream.perceive({ type: 'typed', text: 'a b c' });
    for (let index = 0; index < 4; index++) {
      const heard = index < bad ? pcm().fill(NaN) : pcm();
      stream.push({ lease: 1, index, pcm: heard, lost: 0, play: 0, dueMs: 0 });
      await vi.waitFor(() => expect(decisions).toHaveLength(index + 1));
    }
    expect(decisions.filter(({ muted }) => muted)).toHaveLength(bad);
    expect(decisions.map(({ floor }) => floor)).toEqual(expected);
    await reading.close();
  });

  it('reaches the graph of the lease that it was for, in the micro-turns after it', async () => {
    const alone = bend(manifest, { 'inputs/said': undefined });
    const bundle: Bundle = { manifest: alone, files: new Map([['step.onnx', graph]]), externalData: [] };
    const reading = await OnnxModel.load(bundle, { rows: 2, laneSize: 2 });
    const floors: string[][] = [[], [], []];
    const decide = ({ lease, floor }: Decision) => void floors[lease]!.push(floor);
    const streams = [1, 2].map((lease) => reading.open(lease, decide));
    streams[0]!.perceive({ type: 'typed', text: 'a b c a' });
    for (let index = 0; index < 4; index++) {
      if (index === 2) streams[1]!.perceive({ type: 'mark', mark: 'result' });
      streams.forEach((stream, i) => stream.push({ lease: i + 1, index, pcm: pcm(), lost: 0, play: 0, dueMs: 0 }));
      await vi.waitFor(() => expect(floors[2]).toHaveLength(index + 1));
    }
    expect(floors[1]).toEqual(['speaking', 'speaking', 'silent', 'silent']);
    expect(floors[2]).toEqual(['silent', 'silent', 'speaking', 'silent']);
    await reading.close();
  });
});
