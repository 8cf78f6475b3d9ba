import { createSession, type SessionEvent } from '@microturn/sdk';
import { ManualClock, scriptedTransport, settled } from '@microturn/sdk/testing';
import { expect, it } from 'vitest';
import { noTrials, watchTrials } from '../trials/trials.js';
import { EXAMPLE_MS, exampleEvents } from './example-events.js';

it('shows each of the five suggestions', async () => {
  const transport = scriptedTransport();
  const session = createSession({ token: 't', url: 'http://localhost', microphone: false, transport, clock: new ManualClock() });
  const events: SessionEvent[] = [];
  session.events.subscribe((event) => events.push(event));
  await session.connect();
  await settled();
  // The transport checks every event against its schema.
  for (const { at, ...body } of exampleEvents()) transport.emit(body, at);

  expect(Object.keys(events.reduce(watchTrials, noTrials).seen).sort()).toEqual(['agree', 'count', 'pause', 'remind', 'stop']);
  expect(session.responses.value.filter(({ status }) => status === 'interrupted')).toHaveLength(1);
  expect(exampleEvents().at(-1)?.at).toBeLessThan(EXAMPLE_MS);
  await session.close();
});
