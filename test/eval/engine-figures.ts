import { OnnxModel } from '../../packages/edge/src/engine/onnx-model.js';
import type { Bundle } from '../../packages/edge/src/engine/bundle.js';
import { rowElements } from '../../packages/edge/src/engine/manifest.js';
import { Streams, type Sound } from './bundle-listener.js';
import { percentile, type Figure } from './heard.js';

const ROWS = [1, 8, 32];
const STEPS = 60;
/** The first steps make buffers and warm caches. */
const WARM = 10;

/** What a step costs on this machine now, by rows that step together, and how much a row remembers. */
export async function engineFigures(bundle: Bundle, sound: Sound): Promise<Figure[]> {
  const suite = 'engine, one thread';
  const figures: Figure[] = [];
  const short = { ...sound, play: sound.play.subarray(0, STEPS) };
  for (const rows of ROWS) {
    const model = await OnnxModel.load(bundle, { rows, laneSize: rows });
    const decided = await new Streams(model, rows).hear(Array.from({ length: rows }, () => short));
    await model.close();
    const steps = decided[0]!.slice(WARM).map(({ stepMs }) => stepMs);
    const measure = `step of ${rows} ${rows === 1 ? 'row' : 'rows'}, median`;
    figures.push({ suite, measure, unit: 'ms', better: 'lower', ...percentile(steps, 0, 0.5) });
  }
  const kB = bundle.manifest.states.reduce((sum, { shape }) => sum + rowElements(shape), 0) * 4e-3;
  figures.push({ suite, measure: 'state of a row', unit: 'kB', better: 'lower', value: kB, n: 1, low: kB, high: kB });
  return figures;
}
