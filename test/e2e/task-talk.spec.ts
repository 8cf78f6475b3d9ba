import { OpenAiServer, type ChatScript, type RecordedChat } from '@microturn/edge/testing';
import { expect, test } from '@playwright/test';
import { writeFile } from 'node:fs/promises';
import { speak } from '../fixtures/speech.js';
import { EdgeProcess } from '../support/edge-process.js';
import { TaskCaller, WAIT } from '../support/task-caller.js';
import { TemporaryFolder } from '../support/temporary-folder.js';
import { sayTo } from '../support/voice-on-cue.js';

// What is said of tasks under way, and what is heard of those that go wrong: a real edge, Chromium and Nano, and a strict
// server of the wire format.

const voice = { accent: 'en-us', variant: 'john', rate: 150, pitch: 45 } as const;
/** Longer than any test: such an answer comes only where nobody waits for it any more. */
const NEVER_MS = 300_000;
/** From a question about the weather to its answer: long enough to leave it behind by word of mouth. */
const WEATHER_MS = 6000;

let server: OpenAiServer;
let edge: EdgeProcess;
/** What the transcriber makes of the next utterance. */
let transcript = '';
let busy = 0;

const questionOf = (messages: readonly unknown[]) =>
  /now asks: (\w+)(?:.*They add: ([\w ]+))?/.exec(
    JSON.stringify(messages.find((message) => (message as { role: string }).role === 'user')),
  ) ?? [];

const script: ChatScript = ({ messages }) => {
  const [, asked, added] = questionOf(messages);
  const last = messages.at(-1)!;
  if (asked === 'dinner') {
    return added === 'Make it vegetarian'
      ? { text: 'There is a vegetable pie.' }
      : { text: 'Beef.', delayMs: NEVER_MS };
  }
  if (asked === 'table') {
    return last.role === 'tool'
      ? { text: `You said: ${last.content}` }
      : { toolCalls: [{ name: 'ask_user', arguments: { question: 'For how many persons?' } }] };
  }
  if (asked === 'museum') return { text: 'It is closed.', delayMs: NEVER_MS };
  if (asked === 'weather') return { text: 'It is going to rain.', delayMs: WEATHER_MS };
  if (asked === 'late') return { text: 'This one took its time.', delayMs: 14_000 };
  if (asked === 'busy') return ++busy === 1 ? { status: 429, retryAfter: 1 } : { text: 'It is free now.' };
  if (asked === 'broken') return { text: 'It begins well and', malformedAfter: 2 };
  if (asked === 'wrong') return { status: 400 };
  if (asked === 'endless') return { text: Array.from({ length: 40_000 }, () => 'word ') };
  if (asked === 'anything') return { text: 'Here it is.' };
  return { text: '-' };
};

const chatsOf = (asked: string): readonly RecordedChat[] =>
  server.chats.filter(({ body }) => questionOf(body.messages)[1] === asked);

test.beforeAll(async () => {
  server = await OpenAiServer.start({ chat: script, transcribe: () => transcript });
  await using folder = await TemporaryFolder.create();
  const models = { scripted: { provider: 'openai-compatible', baseUrl: server.url, model: 'm' } };
  const background = { transcriber: { baseUrl: server.url, model: 'w' }, concurrent: 8 };
  await writeFile(folder.file('edge.yaml'), JSON.stringify({ llm: { models }, background }));
  edge = await EdgeProcess.start({ args: ['--config', folder.file('edge.yaml')] });
});
test.afterAll(async () => {
  await edge.stop();
  await server.close();
  expect(server.problems).toEqual([]);
});
test.beforeEach(() => test.setTimeout(180_000));

test('what is said amends a task that runs, answers what another asks, calls a third off, and leaves a fourth behind', async () => {
  const [amend, answer, callOff, moveOn] = await Promise.all(
    [
      'please make it vegetarian for me',
      'for the four of us please',
      'never mind forget about it',
      'can we talk about something else now',
    ].map((text) => speak(text, voice)),
  );
  await using caller = await TaskCaller.openOnCue({ url: edge.url });

  const dinner = await caller.ask('dinner');
  await expect.poll(() => chatsOf('dinner').length, WAIT).toBe(1);
  transcript = 'Make it vegetarian.';
  await sayTo(caller.page, amend!);
  await caller.until('task.completed', dinner, ({ revision }) => revision === 2);
  await caller.untilHeard(dinner, 'vegetable pie');
  expect(caller.heardOf(dinner).join(' ')).not.toContain('Beef');
  expect(chatsOf('dinner').map(({ outcome }) => outcome)).toEqual(['aborted', 'done']);

  const table = await caller.ask('table');
  await caller.untilHeard(table, 'how many persons');
  transcript = 'For four.';
  await sayTo(caller.page, answer!);
  await caller.untilHeard(table, 'You said: For four');

  const museum = await caller.ask('museum');
  await expect.poll(() => chatsOf('museum').length, WAIT).toBe(1);
  transcript = 'Never mind.';
  await sayTo(caller.page, callOff!);
  await caller.until('task.cancelled', museum);
  await expect.poll(() => chatsOf('museum').at(-1)?.outcome, WAIT).toBe('aborted');
  expect(caller.call.eventsOf('task.cancelled')).toEqual([expect.objectContaining({ taskId: museum, by: 'user' })]);
  expect(caller.heardOf(museum).join(' ')).not.toContain('closed');

  const weather = await caller.ask('weather');
  await expect.poll(() => chatsOf('weather').length, WAIT).toBe(1);
  transcript = 'Can we talk about something else now?';
  await sayTo(caller.page, moveOn!);
  await caller.until('task.stale', weather);
  // Past the time at which its result would have come, a later one is said, and that alone.
  const pastMs = chatsOf('weather').at(-1)!.atMs + WEATHER_MS + 500 - performance.now();
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, pastMs)));
  await caller.untilHeard(await caller.ask('anything'), 'Here it is');
  expect(caller.heardOf(weather).join(' ')).not.toContain('rain');
});

test('a provider that is slow, busy, broken, wrong or without end: what is heard of each', async () => {
  await using caller = await TaskCaller.open({ url: edge.url });
  const [late, occupied, broken, wrong] = [
    await caller.ask('late'),
    await caller.ask('busy'),
    await caller.ask('broken'),
    await caller.ask('wrong'),
  ];
  await caller.untilHeard(wrong, 'I could not find an answer to that');
  await caller.untilHeard(occupied, 'It is free now');
  await caller.untilHeard(broken, 'I could not finish that answer');
  await caller.untilHeard(late, 'I am still looking');
  await caller.untilHeard(late, 'This one took its time');
  const [refused, answered] = chatsOf('busy');
  expect(answered!.atMs - refused!.atMs).toBeGreaterThanOrEqual(1000);

  const endless = await caller.ask('endless');
  await caller.until('task.completed', endless);
  const { text } = caller.call.eventsOf('task.completed').find(({ taskId }) => taskId === endless)!;
  expect(text.length).toBeLessThanOrEqual(32_768);
  await caller.untilHeard(endless, 'word word');
  await caller.cancel(endless);
  await caller.until('task.cancelled', endless);
});
