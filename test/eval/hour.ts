import type { Bundle } from '../../packages/edge/src/engine/bundle.js';
import { OnnxModel } from '../../packages/edge/src/engine/onnx-model.js';
import { marksOf, Streams, toTrack } from './bundle-listener.js';
import type { Figure, Heard } from './heard.js';
import { turnTaking } from './measures.js';
import type { Session } from './test-sets.js';
import { words } from './word-measures.js';

const ROWS = 4;
const SESSIONS_AN_HOUR = 120;
/** At either end of the hour: every row hears each of these at both. */
const COMPARED = 12;

/**
 * An hour without a reset, of sessions that have nothing to do with each other: whether the model hears at its end what it
 * heard at its beginning. Both ends are the same sessions.
 */
export async function hour(
  bundle: Bundle,
  vocabulary: ReadonlySet<string>,
  all: readonly Session[],
): Promise<Figure[]> {
  const model = await OnnxModel.load(bundle, { rows: ROWS, laneSize: ROWS });
  const streams = new Streams(model, ROWS, marksOf(bundle));
  const ends: Heard[][] = [[], []];
  for (let step = 0; step < SESSIONS_AN_HOUR; step++) {
    const place = step < SESSIONS_AN_HOUR - COMPARED ? step : step - (SESSIONS_AN_HOUR - COMPARED);
    const sessions = Array.from({ length: ROWS }, (_, row) => all[(row * COMPARED + place) % all.length]!);
    const heard = (await streams.hear(sessions)).map((decisions, i) => ({
      session: sessions[i]!,
      track: toTrack(decisions),
      reads: true,
    }));
    if (step < COMPARED) ends[0]!.push(...heard);
    if (step >= SESSIONS_AN_HOUR - COMPARED) ends[1]!.push(...heard);
  }
  await model.close();
  return ['first', 'last'].flatMap((name, i) =>
    [words(ends[i]!, vocabulary, 'words')[0]!, ...turnTaking(ends[i]!).slice(0, 4)].map((figure) => ({
      ...figure,
      suite: 'an hour on end',
      measure: `${name} six minutes: ${figure.measure}`,
    })),
  );
}
