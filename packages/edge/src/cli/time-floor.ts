import { MicroturnError, type Floor } from '@microturn/protocol';
import { monotonicClock } from '../clock.js';
import type { Decision, EngineHost } from '../engine/index.js';
import { Resampler } from '../pcm/resampler.js';
import { TRANSCRIBE_HZ } from '../transcribe/index.js';

/** Silence before and after the sentence: a caller does not speak at once, and may have to wait for longer than that. */
const BEFORE_MS = 1000;
const AFTER_MS = 3000;
/** An engine takes some ms for a micro-turn: one that takes this long for one stands still. */
const STEP_TIMEOUT_MS = 10_000;

/**
 * Lets a bundle hear a sentence and the silence after it, as fast as it steps, and finds when it gives the floor away.
 * @param sentence at `TRANSCRIBE_HZ`; it ends with its last sound
 * @param yields micro-turns in a row in which it must
 * @returns ms from the end of the sentence to the end of the micro-turn that decides it, by the session's clock;
 *   undefined where none did in 3 s
 * @throws {MicroturnError} as the engine fails
 */
export async function timeFloor(
  engine: Pick<EngineHost, 'info' | 'stats' | 'lease' | 'connect'>,
  sentence: Int16Array,
  yields: number,
): Promise<number | undefined> {
  const { microTurnMs, inputHz } = engine.info;
  const endMs = BEFORE_MS + (sentence.length * 1000) / TRANSCRIBE_HZ;
  const heard = new Float32Array(Math.ceil(((endMs + AFTER_MS) * TRANSCRIBE_HZ) / 1000));
  for (const [i, sample] of sentence.entries()) heard[(BEFORE_MS * TRANSCRIBE_HZ) / 1000 + i] = sample / 0x8000;
  const sound = new Resampler(TRANSCRIBE_HZ, inputHz).push(heard);
  const perTurn = Math.round((microTurnMs * inputHz) / 1000);

  let decided: (decision: Decision) => void = () => {};
  let failed: (error: MicroturnError) => void = () => {};
  using lease = engine.lease(
    (decision) => decided(decision),
    (error) => failed(error),
  );
  const port = engine.connect(lease.engine);
  const floorOf = (index: number) =>
    new Promise<Floor>((resolve, reject) => {
      const late = () => reject(new MicroturnError('engine/failed', `no decision in ${STEP_TIMEOUT_MS} ms`));
      const timer = setTimeout(late, STEP_TIMEOUT_MS);
      decided = ({ floor }) => (clearTimeout(timer), resolve(floor));
      failed = (error) => (clearTimeout(timer), reject(error));
      const pcm = sound.slice(index * perTurn, (index + 1) * perTurn);
      port.postMessage({ lease: lease.id, index, pcm, lost: 0, play: 0, dueMs: monotonicClock.now() }, [pcm.buffer]);
    });
  try {
    // The row is open on its thread once that answers.
    await engine.stats();
    let inARow = 0;
    for (let index = 0; (index + 1) * perTurn <= sound.length; index++) {
      inARow = (await floorOf(index)) === 'yielded' ? inARow + 1 : 0;
      const sinceMs = (index + 1) * microTurnMs - endMs;
      if (inARow >= yields && sinceMs >= 0) return sinceMs;
    }
    return undefined;
  } finally {
    port.close();
  }
}
