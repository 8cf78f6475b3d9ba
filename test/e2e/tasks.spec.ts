import { OpenAiServer, type ChatScript } from '@microturn/edge/testing';
import { expect, test } from '@playwright/test';
import { writeFile } from 'node:fs/promises';
import type { CallerOptions } from '../call/caller.js';
import { compose, speak } from '../fixtures/speech.js';
import { EdgeProcess } from '../support/edge-process.js';
import { TaskCaller, WAIT, type TaskPage } from '../support/task-caller.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const voice = { accent: 'en-us', variant: 'm3', rate: 150, pitch: 50 } as const;
const LONG =
  'The first part of it takes rather long to say aloud. The second part comes after that one. The third part is here as well. The fourth part is the last of them.';

let server: OpenAiServer;
let edge: EdgeProcess;
let transcript = '';

/** By what the task asks; what is heard besides is nobody's question. */
const script: ChatScript = ({ messages }) => {
  const last = messages.at(-1)!;
  if (last.role === 'tool') {
    return { text: last.content.includes('did not allow') ? 'I did not book it.' : 'The table is booked.' };
  }
  const asked = /now asks: (\w+)/.exec(JSON.stringify(last.content))?.[1];
  if (asked === 'book') return { toolCalls: [{ name: 'book_table', arguments: { persons: 2 } }] };
  if (asked === 'slow') return { text: 'This one took its time.', delayMs: 4000 };
  if (asked === 'long') return { text: LONG };
  if (asked === 'what')
    return { text: JSON.stringify(last.content).includes('image_url') ? 'It is a cat.' : 'I see none.' };
  return { text: '-' };
};

test.beforeAll(async () => {
  server = await OpenAiServer.start({ chat: script, transcribe: () => transcript });
  await using folder = await TemporaryFolder.create();
  const models = { scripted: { provider: 'openai-compatible', baseUrl: server.url, model: 'm', takes: ['image'] } };
  const background = { transcriber: { baseUrl: server.url, model: 'w' } };
  await writeFile(folder.file('edge.yaml'), JSON.stringify({ llm: { models }, background }));
  edge = await EdgeProcess.start({ args: ['--config', folder.file('edge.yaml')] });
});
test.afterAll(async () => {
  await edge.stop();
  await server.close();
  expect(server.problems).toEqual([]);
});
test.beforeEach(() => {
  test.setTimeout(180_000);
  transcript = '';
});

/** One whose network can be lost. */
interface LossyPage {
  away: boolean;
  readonly sockets: WebSocket[];
}

const openCaller = (options: Partial<CallerOptions> = {}) => TaskCaller.open({ url: edge.url, ...options });

test('a function of the page runs where the user allows it with a click, and not where they refuse', async () => {
  await using caller = await openCaller();
  const first = await caller.ask('book a table');
  await caller.until('task.question', first);
  expect(await caller.booked()).toEqual([]);
  await caller.answer(first, true);
  await caller.until('task.woven', first);
  expect(await caller.booked()).toEqual([{ persons: 2 }]);
  await expect.poll(() => caller.heardOf(first).at(-1), WAIT).toContain('The table is booked');

  const second = await caller.ask('book another table');
  await caller.until('task.question', second);
  await caller.answer(second, false);
  await caller.until('task.woven', second);
  expect(await caller.booked()).toHaveLength(1);
  await expect.poll(() => caller.heardOf(second).at(-1), WAIT).toContain('I did not book it');
});

test('a spoken yes is leave enough', async () => {
  const yes = await speak('yes please do that for me', voice);
  transcript = 'Yes, please do that for me.';
  // Said again for a machine that is slow to ask; what comes before the question is nothing.
  await using caller = await openCaller({ microphone: compose([9000, yes, 7000, yes, 9000, yes, 9000, yes]) });
  const taskId = await caller.ask('book a table');
  await caller.until('task.woven', taskId);
  expect(await caller.booked()).toEqual([{ persons: 2 }]);
  expect(caller.heardOf(taskId)[0]).toContain('May I use book table');
  await expect.poll(() => caller.heardOf(taskId).at(-1), WAIT).toContain('The table is booked');
});

test('who is away while a task runs hears its result once, when they are back', async () => {
  await using caller = await openCaller({
    initScript: `
      window.sockets = [];
      window.WebSocket = class extends WebSocket {
        constructor(url) {
          const signaling = String(url).includes('/v1/connect');
          super(signaling && window.away ? 'ws://127.0.0.1:9/' : url);
          if (signaling) window.sockets.push(this);
        }
      };`,
  });
  const taskId = await caller.ask('slow');
  await caller.page.evaluate(() => {
    const page = window as unknown as LossyPage;
    page.away = true;
    // As a lost network, and not as one who leaves.
    page.sockets.at(-1)!.close(4000);
  });
  await expect.poll(() => server.chats.at(-1)?.outcome, WAIT).toBe('done');
  // Longer than a free floor waits for what is to be said.
  await caller.page.waitForTimeout(3000);
  expect(caller.heardOf(taskId)).toEqual([]);
  await caller.page.evaluate(() => ((window as unknown as LossyPage).away = false));
  await caller.until('task.woven', taskId);
  expect(caller.call.eventsOf('session.resumed')).toHaveLength(1);
  await expect
    .poll(() => caller.heardOf(taskId).map((text) => text.replaceAll(/\W+$/g, '')), WAIT)
    .toEqual(['This one took its time']);
});

test('who leaves the page is told nothing any more, and what they asked is given up', async () => {
  await using caller = await openCaller();
  await caller.ask('slow');
  await expect.poll(() => server.chats.at(-1)?.outcome, WAIT).toBe('open');
  await caller.page.goto('about:blank');
  await expect.poll(() => server.chats.at(-1)?.outcome, WAIT).toBe('aborted');
  expect(caller.call.eventsOf('response.started')).toEqual([]);
});

test('who talks over a result does not cancel its task: it is taken up again, and said to its end', async () => {
  const remark = await speak('wait, stop', voice);
  transcript = 'Wait, stop.';
  await using caller = await openCaller({ microphone: compose([9000, remark]) });
  const taskId = await caller.ask('long');
  await caller.until('task.woven', taskId);
  const relays = caller.call.eventsOf('response.started').filter((response) => response.taskId === taskId);
  const cut = caller.call.eventsOf('response.interrupted').filter(({ by }) => by === 'user');
  expect(cut.map(({ responseId }) => responseId)).toEqual([relays[0]!.responseId]);
  expect(caller.call.eventsOf('task.cancelled')).toEqual([]);
  expect(relays.length).toBeGreaterThan(1);
  await expect.poll(() => caller.heardOf(taskId).at(-1), WAIT).toContain('the last of them');
});

test('a picture that is shown with a typed question is what the model gets, and its answer is heard', async () => {
  await using caller = await openCaller();
  const { taskId, picture } = await caller.page.evaluate(async () => {
    const { session } = await (window as unknown as TaskPage).caller;
    const canvas = new OffscreenCanvas(320, 240);
    const context = canvas.getContext('2d')!;
    // Noise, so that it does not fit into one piece.
    const pixels = context.createImageData(320, 240);
    for (let i = 0; i < pixels.data.length; i++) pixels.data[i] = i % 4 === 3 ? 255 : Math.random() * 256;
    context.putImageData(pixels, 0, 0);
    const image = await canvas.convertToBlob({ type: 'image/png' });
    const reader = new FileReader();
    const read = new Promise((resolve) => (reader.onload = resolve));
    reader.readAsDataURL(image);
    await read;
    const { taskId: id } = await session.ask('what is this?', { images: [image] });
    return { taskId: id!, picture: reader.result as string };
  });
  await caller.until('task.woven', taskId);
  const content = server.chats.at(-1)!.body.messages.at(-1)!.content;
  expect(content).toEqual([
    { type: 'text', text: expect.stringContaining('now asks: what is this?') },
    { type: 'image_url', image_url: { url: picture } },
  ]);
  expect(caller.call.eventsOf('task.created').at(-1)).toMatchObject({ taskId, origin: 'text', images: 1 });
  await expect.poll(() => caller.heardOf(taskId).at(-1), WAIT).toContain('It is a cat');
});

test('what is typed as a message, and is nothing that the model does itself, is asked and answered aloud', async () => {
  await using caller = await openCaller();
  await caller.page.evaluate(async () => (await (window as unknown as TaskPage).caller).session.send('what is this?'));
  await expect.poll(() => caller.call.eventsOf('task.created').length, WAIT).toBe(1);
  const { taskId, origin, prompt } = caller.call.eventsOf('task.created')[0]!;
  expect({ origin, prompt }).toEqual({ origin: 'text', prompt: 'what is this?' });
  expect(caller.call.eventsOf('transcript.typed')).toMatchObject([{ text: 'what is this?' }]);
  await caller.until('task.woven', taskId);
  const relay = caller.call.eventsOf('response.started').find((response) => response.taskId === taskId);
  expect(relay).toMatchObject({ kind: 'relay' });
  await expect.poll(() => caller.heardOf(taskId).at(-1), WAIT).toContain('I see none');
});
