import { expect, test } from '@playwright/test';
import { placeCall } from '../call/place-call.js';
import type { TimedEvent } from '../call/timed-event.js';
import { questions, timed, type Question } from '../fixtures/questions.js';
import { compose, lengthMs, speak } from '../fixtures/speech.js';
import { LlmWorld } from '../support/llm-world.js';
import { LONG_TEXT } from './texts.js';

/** Before the first word, and how long the user listens to the answer before they stop it. */
const LEAD_MS = 2_000;
const LISTENS_MS = 5_000;
/** For an end that is taken for a pause, and a short answer. */
const ANSWERS_MS = 5_000;
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
  const { recording, summary } = await placeCall({ url: world.edge.url, microphone: question.pcm, tailMs: 8_000 });
  const errors = eventsOf(recording.events, 'error').map(({ code }) => code);
  expect(errors).toContain('voice/failed');
  expect(errors.some((code) => code.startsWith('llm/'))).toBe(true);
  const said = summary.agentSegments.map(({ text }) => text).join(' ');
  expect(said).toContain('It is better to take the bus.');
  expect(said).not.toContain('ten minutes');
  expect(eventsOf(recording.events, 'response.completed')).toHaveLength(1);
});

test('an answer that the user interrupts stands in the next prompt as far as it was heard', async () => {
  test.setTimeout(120_000);
  await using world = await LlmWorld.start({
    speeds: SPEEDS,
    answer: (_last, index) => ({ text: index === 0 ? LONG_TEXT : 'As you like.' }),
    recipe: { drafting: { enabled: false } },
  });
  const voice = { accent: 'en-us', variant: 'm3', rate: 150, pitch: 50 } as const;
  const [asks, stops] = ['How do I get to the airport?', 'Wait, stop.'];
  const [question, remark] = [await speak(asks, voice), await speak(stops, voice)];
  const microphone = compose([LEAD_MS, question, LISTENS_MS, remark]);
  const remarkMs = LEAD_MS + lengthMs(question) + LISTENS_MS;
  world.listenTo(microphone, [
    ...timed(asks, LEAD_MS, lengthMs(question)),
    ...timed(stops, remarkMs, lengthMs(remark)),
  ]);
  const { recording } = await placeCall({ url: world.edge.url, microphone, tailMs: 4_000 });
  const [cut] = eventsOf(recording.events, 'response.interrupted');
  expect(cut).toMatchObject({ by: 'user' });
  expect(cut!.heardText).not.toBe('');
  expect(cut!.unheardText).not.toBe('');
  const next = world.openAi.chats[1]!.body.messages.slice(1);
  expect(next.slice(0, 2)).toEqual([
    // On a busy machine its first or last word may fall outside of the clip that is transcribed.
    { role: 'user', content: expect.stringContaining('get to the') },
    { role: 'assistant', content: `${cut!.heardText} —` },
  ]);
  expect(next).toHaveLength(3);
  expect(LONG_TEXT.startsWith(cut!.heardText)).toBe(true);
  expect(world.problems).toEqual([]);
});

test('an answer begins within 100 ms of what floor and voice take, where words and LLM are as fast as the documents say', async () => {
  test.setTimeout(180_000);
  const speeds = { transcribeMs: 50, firstTokenMs: 50, tokensPerSecond: 60, firstAudioMs: 150 };
  await using world = await LlmWorld.start({
    speeds,
    voice: 'service',
    answer: () => ({ text: 'Yes, that is fine.' }),
    recipe: { drafting: { enabled: true, everyMs: 500 } },
  });
  const asked = (await questions(6)).map(withoutPause);
  const microphone = compose(asked.flatMap(({ pcm }) => [pcm, ANSWERS_MS]));
  let atMs = 0;
  const words = asked.flatMap((one) => {
    const beganMs = atMs;
    atMs += one.endMs + ANSWERS_MS;
    return one.words.map(({ text, endMs }) => ({ text, endMs: beganMs + endMs }));
  });
  world.listenTo(microphone, words);
  const { recording } = await placeCall({ url: world.edge.url, microphone, tailMs: 1_000 });
  // By the session's clock, and the middle one: a machine that is busy makes some of them later.
  const beyondMs = eventsOf(recording.events, 'response.latency')
    .map(({ wordsMs, llmMs, voiceMs }) => wordsMs + llmMs + voiceMs - speeds.firstAudioMs)
    .toSorted((a, b) => a - b);
  expect(beyondMs.length).toBeGreaterThan(3);
  expect(beyondMs[Math.floor(beyondMs.length / 2)]).toBeLessThanOrEqual(100);
  expect(world.openAi.chats.length).toBeGreaterThan(beyondMs.length);
  expect(world.problems).toEqual([]);
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
