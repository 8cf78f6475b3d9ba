import { createSession, type SessionEvent } from '@microturn/sdk';
import { ManualClock, scriptedTransport, settled } from '@microturn/sdk/testing';
import { expect, it } from 'vitest';
import { noTrials, watchTrials } from '../trials/trials.js';
import { recording } from './recording.js';

it('is a call that the protocol of this build can tell, and shows the first four suggestions', async () => {
  const { participant, model, microTurnMs } = recording;
  const transport = scriptedTransport({ join: { participant, model, microTurnMs } });
  const session = createSession({
    token: 't',
    url: 'http://localhost',
    microphone: false,
    transport,
    clock: new ManualClock(),
  });
  const events: SessionEvent[] = [];
  const problems: unknown[] = [];
  session.events.subscribe((event) => events.push(event));
  session.errors.subscribe((error) => problems.push(error));
  await session.connect();
  await settled();
  for (const { at, ...body } of recording.events) transport.emit(body, at);

  expect(problems).toEqual([]);
  // And `session.started`.
  expect(events).toHaveLength(recording.events.length + 1);
  const { seen } = events.reduce(watchTrials, noTrials);
  expect(Object.keys(seen).sort()).toEqual(['agree', 'count', 'pause', 'stop']);
  expect(session.responses.value.map(({ status }) => status)).toContain('interrupted');
  await session.close();
});

it('has its events in order, and its levels within the call', () => {
  const times = recording.events.map(({ at }) => at);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times.at(-1)).toBeLessThanOrEqual(recording.durationMs);
  for (const [turn, rms] of recording.levels) {
    expect(turn * recording.microTurnMs).toBeLessThanOrEqual(recording.durationMs + 1000);
    expect(rms).toBeGreaterThan(0);
    expect(rms).toBeLessThanOrEqual(1);
  }
});
