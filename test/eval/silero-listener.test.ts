import { expect, it } from 'vitest';
import { Silero, trackOf } from './silero-listener.js';

it('hears no speech in silence and in noise, in every row of a batch', async () => {
  const silero = await Silero.load();
  const silent = new Int16Array(16_000);
  const noise = Int16Array.from({ length: 16_000 }, (_, i) => ((i * 7919) % 200) - 100);
  const rows = await silero.probabilities([silent, noise, silent]);
  for (const probabilities of rows) expect(Math.max(...probabilities)).toBeLessThan(0.5);
  expect(rows[0]).toEqual(rows[2]);
  await silero.close();
});

const speech = (frames: number) => Array<number>(frames).fill(0.9);
const silence = (frames: number) => Array<number>(frames).fill(0.01);

it('takes the turn once the silence has lasted, and not before anybody spoke', () => {
  const probabilities = Float32Array.from([...silence(20), ...speech(20), ...silence(30)]);
  const { yields, stops } = trackOf(probabilities, new Uint8Array(12), 0.5);
  expect(yields[0]).toBeCloseTo(40 * 0.032 + 0.512);
  expect(stops).toEqual([]);
});

it('stops the agent at speech, not at a click, and finds the end of a turn while it is audible as well', () => {
  const probabilities = Float32Array.from([...silence(10), 0.9, ...silence(10), ...speech(10), ...silence(40)]);
  const { yields, stops } = trackOf(probabilities, new Uint8Array(20).fill(1), 0.3);
  expect(yields.find((at) => at > 31 * 0.032)).toBeCloseTo(31 * 0.032 + 0.32);
  expect(stops[0]).toBeCloseTo(24 * 0.032);
});
