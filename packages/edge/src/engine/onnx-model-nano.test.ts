import { beforeAll, describe, expect, it } from 'vitest';
import { interactionModelContract } from '../testing/interaction-model.contract.js';
import { loadBundle, type Bundle } from './bundle.js';
import { collectGarbage } from './fixtures/collect-garbage.js';
import { hasEspeak, slice, speech } from './fixtures/speech.js';
import { OnnxModel } from './onnx-model.js';
import type { Decision, MicroTurn } from './types.js';

const nano = new URL('../../../../models/nano/bundle/', import.meta.url).pathname;
let bundle: Bundle;
beforeAll(async () => {
  bundle = await loadBundle(nano);
});

for (const laneSize of [1, 8]) {
  interactionModelContract(`OnnxModel with Nano in lanes of ${laneSize}`, (rows, clock) =>
    OnnxModel.load(bundle, { rows, laneSize, clock, gatherMs: 1 }),
  );
}

describe('OnnxModel with Nano', () => {
  /** Plays speech into a stream of its own, alone or beside others, and returns what is decided. */
  async function converse(model: OnnxModel, lease: number, pcm: Float32Array, play = 0): Promise<Decision[]> {
    const decisions: Decision[] = [];
    let decided = () => {};
    const stream = model.open(lease, (decision) => {
      decisions.push(decision);
      decided();
    });
    for (let index = 0; index * 3200 < pcm.length; index++) {
      const turn: MicroTurn = { lease, index, pcm: slice(pcm, index), lost: 0, play, dueMs: 0 };
      const next = new Promise<void>((resolve) => (decided = resolve));
      stream.push(turn);
      await next;
    }
    stream.close();
    return decisions;
  }
  const essence = (decisions: Decision[]) =>
    decisions.map(({ index, words, floor, confidence, say, acts }) => ({ index, words, floor, confidence, say, acts }));

  it.skipIf(!hasEspeak)('hears words, counts while the user speaks, and notices the end', async () => {
    const model = await OnnxModel.load(bundle, { rows: 1 });
    const pcm = new Float32Array(12 * 16_000);
    pcm.set(speech('count the animals.', 'en-gb', 1000));
    pcm.set(
      speech('today I saw a horse and a small goat and then my sheep ran to the river with a rabbit.', 'en-gb'),
      56_000,
    );
    const decisions = await converse(model, 1, pcm);
    const heard = decisions.flatMap(({ words }) => words.map(({ text }) => text));
    // How many words it hears, and how often a count is exact, is measured by `npm run eval`: here it is enough that they come.
    expect(heard.filter((word) => ['horse', 'goat', 'rabbit'].includes(word))).toEqual(['horse', 'goat', 'rabbit']);
    const said = decisions.filter(({ say }) => say !== '');
    expect(said.slice(0, 2).map(({ say }) => say)).toEqual(['one', 'two']);
    expect(decisions.at(said[0]!.index)!.floor).toBe('speaking');
    expect(decisions.slice(said[0]!.index).map(({ floor }) => floor)).toContain('yielded');
    await model.close();
  });

  it.skipIf(!hasEspeak)('stops when it is told to, and not when the user agrees', async () => {
    const model = await OnnxModel.load(bundle, { rows: 1 });
    const acts = async (lease: number, text: string) =>
      (await converse(model, lease, speech(text, 'en-us', 2000), 1)).flatMap((decision) => decision.acts);
    expect(await acts(1, 'wait, stop.')).toContain('stop');
    expect(await acts(2, 'uh huh.')).toEqual([]);
    await model.close();
  });

  it.skipIf(!hasEspeak)('decides the same alone and in lanes of 8, whatever the others hear', async () => {
    const texts = ['count the animals. I saw a horse.', 'wait, stop.', 'what time is it?', 'a cat and a dog', 'hello'];
    const pcms = texts.map((text, i) => speech(text, ['en-us', 'en-gb', 'en-029'][i % 3], 300 + 90 * i));
    const alone = await OnnxModel.load(bundle, { rows: 5 });
    const lanes = await OnnxModel.load(bundle, { rows: 8, laneSize: 8, gatherMs: 1 });
    const together = await Promise.all(pcms.map((pcm, i) => converse(lanes, i + 1, pcm)));
    for (const [i, pcm] of pcms.entries()) {
      expect(essence(together[i]!)).toEqual(essence(await converse(alone, i + 1, pcm)));
    }
    await alone.close();
    await lanes.close();
  });

  it('keeps no byte of its bundle on the CPU, beside what the runtime made of it', async () => {
    const load = async () => {
      const bundle = await loadBundle(nano);
      return { model: await OnnxModel.load(bundle, { rows: 1 }), files: new WeakRef(bundle.files) };
    };
    const { model, files } = await load();
    await collectGarbage();
    expect(files.deref() === undefined).toBe(true); // to print what is left would take minutes
    await model.close();
  });
});
