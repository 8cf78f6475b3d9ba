import { expect, test } from '@playwright/test';
import { placeCall } from '../call/place-call.js';
import { overlapOf } from '../call/segments.js';
import { PAUSE_MS, pauseRecordings } from '../fixtures/recordings.js';
import { voiceName } from '../fixtures/speech.js';
import { EdgeProcess } from '../support/edge-process.js';
import { oneByOne } from '../support/one-by-one.js';

/** By then a word that was begun before the pause has been said. */
const SETTLED_MS = 700;

let edge: EdgeProcess;
test.beforeAll(async () => {
  edge = await EdgeProcess.start();
});
test.afterAll(() => edge.stop());

// Whether it finds the end after such a pause is told and not asserted: Nano 0.5.0 does in one of three, and in which depends on where
// the micro-turns cut it, so four calls say nothing (`npm run eval` has hundreds). That ends reach a client: any-llm.spec, background.spec.
test('the agent is silent in a pause of 3 s inside a sentence', async () => {
  test.setTimeout(4 * 60_000);
  const recordings = await pauseRecordings(4);
  const yielded = await oneByOne(recordings, async ({ name, voice, pcm, text }) => {
    const { summary, recording } = await placeCall({ url: edge.url, microphone: pcm });
    const pauseAt = summary.userSegments.findIndex(({ endMs }, i) => {
      const next = summary.userSegments[i + 1];
      return next !== undefined && Math.abs(next.startMs - endMs - PAUSE_MS) < 400;
    });
    expect(pauseAt, `${name}: the pause, in ${JSON.stringify(summary.userSegments)}`).toBeGreaterThanOrEqual(0);
    const startMs = summary.userSegments[pauseAt]!.endMs;
    const endMs = summary.userSegments[pauseAt + 1]!.startMs;
    const spokenMs = overlapOf(summary.agentSegments, [{ startMs: startMs + SETTLED_MS, endMs }]);
    const trueEndMs = summary.userSegments.at(-1)!.endMs;
    const floors = recording.events.filter((event) => event.type === 'floor.changed');
    const gaveUp = floors.find(({ floor, receivedMs }) => floor === 'yielded' && receivedMs > trueEndMs - 300);
    const inPause = floors
      .filter(({ receivedMs }) => receivedMs > startMs && receivedMs < endMs)
      .map(({ floor }) => floor);
    console.log(
      `  ${name}: spoke ${Math.round(spokenMs)} ms in the pause (floor in it: ${inPause.join(', ') || 'unchanged'}), yielded ${gaveUp ? `${Math.round(gaveUp.receivedMs - trueEndMs)} ms after the end` : 'never'}; ${voiceName(voice)}; ${text}`,
    );
    expect(spokenMs, `${name}: speech in the pause`).toBe(0);
    return gaveUp !== undefined;
  });
  console.log(`  yielded after their end: ${yielded.filter(Boolean).length} of ${recordings.length}`);
});
