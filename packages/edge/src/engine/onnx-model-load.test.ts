import { describe, expect, it, vi } from 'vitest';
import { hum } from '../testing/interaction-model.contract.js';
import type { Bundle } from './bundle.js';
import { FakeDevice, FakeGraph, fakeManifest } from './fixtures/fake-graph.js';
import { OnnxModel } from './onnx-model.js';
import type { ProviderChoice } from './types.js';

const bundle: Bundle = { manifest: fakeManifest, files: new Map(), externalData: [] };

async function load(graph: FakeGraph, provider: ProviderChoice, laneSize = 1) {
  const cpu = new FakeGraph();
  const openOn = vi.fn(async (_: Bundle, choice: ProviderChoice) => (choice === 'cpu' ? cpu : graph));
  const model = await OnnxModel.load(bundle, { rows: 4, laneSize, gatherMs: 0, openOn }, provider);
  return { model, cpu };
}

describe('a model that is loaded', () => {
  it.each([1, 2])(
    'on a device has run there before it is ready, and remembers nothing, lanes of %i',
    async (laneSize) => {
      const states: number[] = [];
      const device = new FakeDevice({ spoil: (_, { next_count }) => states.push(++next_count!.data[0]!) });
      const { model } = await load(device, 'webgpu', laneSize);
      // By number of rows, and once more with rows that begin anew.
      expect(device.play.map((rows) => rows.length)).toEqual(laneSize === 1 ? [1, 1] : [1, 1, 2]);
      const decided = vi.fn();
      const stream = model.open(1, decided);
      for (const index of [0, 1]) {
        stream.push({ ...hum(model, 1, index), pcm: new Float32Array(160).fill(5) });
        await vi.waitFor(() => expect(decided).toHaveBeenCalledTimes(index + 1));
      }
      expect(states.slice(-2)).toEqual([106, 112]); // 100 for its reset, and 1 for each step
      expect(model.stats).toMatchObject({ steps: 2, muted: 0 });
      await model.close();
    },
  );

  it('on the CPU steps for those who call alone', async () => {
    const { cpu } = await load(new FakeDevice(), 'cpu');
    expect(cpu.runs).toBe(0);
  });

  it('on a device that does not run it says so where it was asked for, and else is on the CPU', async () => {
    const device = new FakeDevice();
    device.lost = true;
    await expect(load(device, 'webgpu')).rejects.toMatchObject({
      code: 'engine/provider',
      message: expect.stringContaining('webgpu: device lost'),
    });
    expect(device.closed).toBe(true);
    expect((await load(device, 'auto')).model.provider).toBe('cpu');
  });
});
