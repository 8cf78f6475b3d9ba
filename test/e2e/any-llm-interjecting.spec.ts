import { expect, test } from '@playwright/test';
import { placeCall } from '../call/place-call.js';
import type { TimedEvent } from '../call/timed-event.js';
import { compose, lengthMs, speak } from '../fixtures/speech.js';
import { LlmWorld } from '../support/llm-world.js';

const SPEEDS = { transcribeMs: 60, firstTokenMs: 150, tokensPerSecond: 60, firstAudioMs: 80 };
/** In one breath, with what is wrong in it near the beginning. */
const STORY =
  'We are going to Sydney because it is the capital of Australia and then we want to see the parliament there and the national museum and after that we take the train along the coast';
const WRONG = 'capital of Australia';

type EventOf<T extends TimedEvent['type']> = Extract<TimedEvent, { type: T }>;

test('what an LLM cannot wait to say is heard while the user still talks, and stands in what it is asked next', async () => {
  test.setTimeout(120_000);
  const story = await speak(STORY, { accent: 'en-us', variant: 'm3', rate: 150, pitch: 50 });
  const words = STORY.split(' ');
  const wordMs = lengthMs(story) / words.length;
  await using world = await LlmWorld.start({
    speeds: SPEEDS,
    answer: (last, _index, messages) => {
      if (messages.some(({ role }) => role === 'assistant')) return { text: 'I see.' };
      return { text: last.includes(WRONG) ? '[interject] That is Canberra.' : '[silence]' };
    },
    // A floor that is sure of its user lets nobody in before a pause, unless the app is eager.
    recipe: { eagerness: 'eager', drafting: { enabled: true, everyMs: 800 } },
    // Words come as they are said: by their length.
    hear: { dialect: 'vllm', words: (heardMs) => words.slice(0, Math.floor(heardMs / wordMs)).join(' ') },
  });
  const microphone = compose([2_000, story]);
  const { recording, summary } = await placeCall({ url: world.edge.url, microphone, tailMs: 4_000 });
  const eventsOf = <T extends TimedEvent['type']>(type: T) =>
    recording.events.filter((event): event is EventOf<T> => event.type === type);
  const interjection = eventsOf('response.started').find(({ kind }) => kind === 'interjection');
  expect(interjection).toBeDefined();
  expect(eventsOf('interruption')).toContainEqual(expect.objectContaining({ kind: 'interjection', taken: true }));
  const heard = eventsOf('response.heard').findLast(({ responseId }) => responseId === interjection!.responseId);
  expect(heard?.heardText).toMatch(/^That is/);
  // Both at once in the page: they had not ended when it was there.
  expect(summary.agentSegments[0]!.startMs).toBeLessThan(summary.userSegments.at(-1)!.endMs);
  expect(summary.overlapMs).toBeGreaterThan(200);
  const [before, said] = world.openAi.chats.at(-1)!.body.messages.slice(1);
  expect(before).toEqual({ role: 'user', content: expect.stringContaining(WRONG) });
  expect(said).toEqual({ role: 'assistant', content: expect.stringMatching(/^That is/) });
  expect(world.problems).toEqual([]);
});
