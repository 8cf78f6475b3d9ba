import { expect, test } from '@playwright/test';
import { placeCall } from '../call/place-call.js';
import { overlapOf } from '../call/segments.js';
import { countingRecordings } from '../fixtures/recordings.js';
import { voiceName } from '../fixtures/speech.js';
import { EdgeProcess } from '../support/edge-process.js';
import { oneByOne } from '../support/one-by-one.js';

const NUMBERS: ReadonlySet<string> = new Set(['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight']);
/** Less than this of a counted word inside the user's speech is an accident of its end. */
const HEARD_MS = 150;
const REQUIRED = 7;

/** The edge's own words, that are in a story as well. */
const WORDS_OF_THE_LOG: ReadonlySet<string> = new Set(['there', 'with', 'then', 'under', 'came']);

let edge: EdgeProcess;
test.beforeAll(async () => {
  edge = await EdgeProcess.start({ args: ['--log-level', 'debug'] });
});
test.afterAll(() => edge.stop());

test('the agent counts animals while the user is still talking, on at least 7 of 10 recordings', async () => {
  test.setTimeout(10 * 60_000);
  const recordings = await countingRecordings();
  expect(recordings).toHaveLength(10);
  const counts = await oneByOne(recordings, async ({ name, voice, text, pcm }) => {
    // What counts begins while the user talks; it is heard to its end in any case.
    const { summary } = await placeCall({ url: edge.url, microphone: pcm, tailMs: 1_000 });
    // Sound against sound: what was received while the microphone's own track was sounding.
    const during = summary.agentSegments
      .filter((segment) => overlapOf([segment], summary.userSegments) >= HEARD_MS)
      .map((segment) => segment.text);
    const said = summary.agentSegments.map((segment) => segment.text).join(' ');
    const ok =
      during.length > 0 &&
      during.every((word) => word.split(' ').every((part) => NUMBERS.has(part))) &&
      said.startsWith('one');
    console.log(
      `  ${ok ? '✓' : '✗'} ${name}: “${said}”, of it while the user spoke “${during.join(' ')}”; overlap ${Math.round(summary.overlapMs)} ms; ${voiceName(voice)}; ${text}`,
    );
    return ok;
  });
  const counted = counts.filter(Boolean).length;
  console.log(`  counted while the user was talking: ${counted} of ${recordings.length}`);
  expect(counted).toBeGreaterThanOrEqual(REQUIRED);

  // What people say stays out of the log, however much it tells.
  const said = new Set(recordings.flatMap(({ text }) => text.toLowerCase().match(/[a-z]{4,}/g) ?? []));
  const logged = edge.stderr.toLowerCase().match(/[a-z]+/g) ?? [];
  expect([...new Set(logged)].filter((word) => said.has(word) && !WORDS_OF_THE_LOG.has(word))).toEqual([]);
});
