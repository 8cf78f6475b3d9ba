import { expect, it } from 'vitest';
import type { TimedEvent } from './timed-event.js';
import { describeEvent } from './timeline.js';

it.each([
  ['interjection', 'begins an interjection'],
  ['reply', 'begins a reply'],
] as const)('a line for a person names the %s with its article', (kind, text) => {
  const event = { type: 'response.started', kind, receivedMs: 1200 } as TimedEvent;
  expect(describeEvent(event)).toContain(text);
});
