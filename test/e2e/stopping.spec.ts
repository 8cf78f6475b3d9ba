import { expect, test } from '@playwright/test';
import { Caller } from '../call/caller.js';
import { summarize } from '../call/summary.js';
import type { TimedEvent } from '../call/timed-event.js';
import { remarks } from '../fixtures/recordings.js';
import { voiceName } from '../fixtures/speech.js';
import { median } from '../soak/theil-sen.js';
import { EdgeProcess } from '../support/edge-process.js';
import { oneByOne } from '../support/one-by-one.js';
import { LONG_TEXT } from './texts.js';

/** When the agent begins its ten seconds, and when the user remarks on it. */
const SAY_AT_MS = 2_000;
const REMARK_AT_MS = 6_000;
const VOICES = 6;
const HEARD_TOLERANCE_MS = 40;

let edge: EdgeProcess;
test.beforeAll(async () => {
  edge = await EdgeProcess.start();
});
test.afterAll(() => edge.stop());

test('a say of ten seconds is stopped by the model when the user says “wait, stop”, and heard tells what was played', async () => {
  test.setTimeout(5 * 60_000);
  const results: { stopped: boolean; heardErrorMs: number | undefined }[] = [];
  for (const { name, voice, pcm } of await remarks('Wait, stop.', REMARK_AT_MS, VOICES, 2)) {
    await using caller = await Caller.open({ url: edge.url, microphone: pcm });
    await caller.untilRecorded(caller.microphoneMs + SAY_AT_MS);
    const { responseId } = await caller.say(LONG_TEXT);
    const end = await caller.until(
      'end of the response',
      (event) =>
        (event.type === 'response.interrupted' || event.type === 'response.completed') &&
        event.responseId === responseId,
    );
    await caller.untilRecorded(end.receivedMs + 700);
    const { bargeInMs, heardErrorMs } = summarize(await caller.hangUp());
    const stopped = end.type === 'response.interrupted' && end.by === 'user';
    results.push({ stopped, heardErrorMs: heardErrorMs[0] });
    const heard =
      end.type === 'response.interrupted'
        ? `${Math.round(end.heardMs)} ms heard, “…${end.heardText.slice(-20)}”`
        : 'to the end';
    console.log(
      `  ${stopped ? '✓' : '✗'} ${name}: ${heard}; told less played ${heardErrorMs[0]} ms; silent ${bargeInMs[0]} ms after the onset; ${voiceName(voice)}`,
    );
  }
  expect(results.filter(({ stopped }) => stopped)).toHaveLength(VOICES);
  // A browser that is starved when a response begins stretches it, and names its packets up to 40 ms early from then on.
  const within = results.filter(
    ({ heardErrorMs }) => heardErrorMs !== undefined && Math.abs(heardErrorMs) <= HEARD_TOLERANCE_MS,
  );
  expect(within.length, 'told within 40 ms of what was played').toBeGreaterThanOrEqual(VOICES - 1);
});

test('“uh huh” does not stop the agent', async () => {
  test.setTimeout(5 * 60_000);
  const ends = await oneByOne(await remarks('Uh huh.', REMARK_AT_MS, VOICES, 3), async ({ name, voice, pcm }) => {
    await using caller = await Caller.open({ url: edge.url, microphone: pcm });
    await caller.untilRecorded(caller.microphoneMs + SAY_AT_MS);
    const { responseId } = await caller.say(LONG_TEXT);
    const end = await caller.until(
      'end of the response',
      (event) =>
        (event.type === 'response.interrupted' || event.type === 'response.completed') &&
        event.responseId === responseId,
    );
    const kinds = caller
      .eventsOf('interruption')
      .map(({ kind, taken }) => `${kind}${taken ? ' that took the floor' : ''}`);
    console.log(
      `  ${end.type === 'response.completed' ? '✓' : '✗'} ${name}: ${end.type}; ${kinds.join(', ') || 'no interruption'}; ${voiceName(voice)}`,
    );
    return end.type;
  });
  const toTheEnd = ends.filter((type) => type === 'response.completed').length;
  console.log(`  went on to the end: ${toTheEnd} of ${VOICES}`);
  expect(toTheEnd).toBeGreaterThanOrEqual(VOICES - 1);
});

test('interrupt() silences the agent at once, and tells how much was heard', async () => {
  await using caller = await Caller.open({ url: edge.url });
  const asked: number[] = [];
  for (let i = 0; i < 3; i++) {
    const { responseId } = await caller.say(LONG_TEXT);
    const isHeard = (event: TimedEvent) =>
      event.type === 'response.heard' && event.responseId === responseId && event.heardMs > 2_000;
    await caller.until('two seconds heard', isHeard);
    const { askedMs, ...answer } = await caller.interrupt();
    const isStopped = (event: TimedEvent) => event.type === 'response.interrupted' && event.responseId === responseId;
    const end = await caller.until('interruption', isStopped);
    expect(answer.responseId).toBe(responseId);
    expect(answer.heardMs).toBeGreaterThan(2_000);
    expect(end).toMatchObject({ by: 'client', heardMs: answer.heardMs });
    asked.push(askedMs);
    await caller.untilRecorded(askedMs + 800);
  }
  const { heardErrorMs, agentSegments } = summarize(await caller.hangUp());
  const silentMs = asked.map((askedMs) => {
    const talking = agentSegments.findLast(({ startMs }) => startMs < askedMs);
    return Math.max(0, talking!.endMs - askedMs);
  });
  console.log(
    `  told less played ${heardErrorMs.join(', ')} ms; silent ${silentMs.map(Math.round).join(', ')} ms after the call`,
  );
  expect(heardErrorMs).toHaveLength(3);
  expect(median(heardErrorMs.map(Math.abs))).toBeLessThanOrEqual(HEARD_TOLERANCE_MS);
  expect(median(silentMs)).toBeLessThan(150);
});

test('what is said after a stop is heard again', async () => {
  await using caller = await Caller.open({ url: edge.url });
  await caller.say(LONG_TEXT);
  await caller.until('heard', (event) => event.type === 'response.heard' && event.heardMs > 500);
  await caller.interrupt();
  await caller.until('interruption', (event) => event.type === 'response.interrupted');
  const { responseId } = await caller.say('Now the weather.');
  await caller.until('end', (event) => event.type === 'response.completed' && event.responseId === responseId);
  const { agentSegments } = summarize(await caller.hangUp());
  expect(agentSegments.at(-1)!.text).toMatch(/Now the weather\.$/);
});
