import { expect, test } from '@playwright/test';
import { placeCall } from '../call/place-call.js';
import type { TimedEvent } from '../call/timed-event.js';
import { questions, type Question } from '../fixtures/questions.js';
import { LlmWorld } from '../support/llm-world.js';

const SPEEDS = { transcribeMs: 60, firstTokenMs: 150, tokensPerSecond: 60, firstAudioMs: 80 };

type EventOf<T extends TimedEvent['type']> = Extract<TimedEvent, { type: T }>;
const eventsOf = <T extends TimedEvent['type']>(events: readonly TimedEvent[], type: T) =>
  events.filter((event): event is EventOf<T> => event.type === type);

test('a voice that is slow is stood in for, and a provider that breaks off ends its answer with a coded error', async () => {
  test.setTimeout(120_000);
  await using world = await LlmWorld.start({
    speeds: SPEEDS,
    voice: 'service',
    speak: () => ({ delayMs: 8_000 }),
    answer: () => ({ text: 'It is better to take the bus. It leaves every ten minutes from here.', cutAfter: 9 }),
    recipe: { drafting: { enabled: false } },
  });
  const [question] = (await questions(1)).map(withoutPause) as [Question];
  world.listenTo(question.pcm, question.words);
  const { recording, summary } = await placeCall({ url: world.edge.url, microphone: question.pcm, tailMs: 4_000 });
  const errors = eventsOf(recording.events, 'error').map(({ code }) => code);
  expect(errors).toContain('voice/failed');
  expect(errors.some((code) => code.startsWith('llm/'))).toBe(true);
  const said = summary.agentSegments.map(({ text }) => text).join(' ');
  expect(said).toContain('It is better to take the bus.');
  expect(said).not.toContain('ten minutes');
  expect(eventsOf(recording.events, 'response.completed')).toHaveLength(1);
});

/** The same question in one breath. */
function withoutPause(question: Question): Question {
  const { pcm, pauseMs, words, endMs } = question;
  const pause = Math.round((pauseMs * pcm.rateHz) / 1000);
  const pauseAt = words.findIndex(({ text }) => text.endsWith(','));
  const from = Math.round((words[pauseAt]!.endMs * pcm.rateHz) / 1000);
  const samples = new Float32Array(pcm.samples.length - pause);
  samples.set(pcm.samples.subarray(0, from));
  samples.set(pcm.samples.subarray(from + pause), from);
  return {
    ...question,
    pcm: { ...pcm, samples },
    words: words.map((word, i) => (i > pauseAt ? { ...word, endMs: word.endMs - pauseMs } : word)),
    endMs: endMs - pauseMs,
  };
}
