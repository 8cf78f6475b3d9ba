import type { InteractionSession } from '@microturn/sdk';
import { expect, test } from '@playwright/test';
import { RoomServiceClient } from 'livekit-server-sdk';
import { Caller } from '../call/caller.js';
import { compose, speak } from '../fixtures/speech.js';
import { LlmWorld } from '../support/llm-world.js';

// What goes over the wires of a recipe, from a microphone or a page in Chromium to servers of each format.

const SPEEDS = { transcribeMs: 60, firstTokenMs: 150, tokensPerSecond: 60, firstAudioMs: 80 };
const WAIT = { timeout: 60_000 };
const ASKED = 'How do I get to the airport?';
const ANSWER = 'It is better to take the bus. It leaves every ten minutes.';

interface CallPage {
  readonly caller: Promise<{ readonly session: InteractionSession }>;
}

test.beforeEach(() => test.setTimeout(180_000));

// Both at once: most of a call is waiting.
test('words come over a WebSocket in either dialect, are answered, and everything is counted', async () => {
  const inDialect = async (dialect: 'openai' | 'vllm') => {
    const words = ASKED.split(' ');
    const question = await speak(ASKED, { accent: 'en-us', variant: 'm3', rate: 150, pitch: 50 });
    await using world = await LlmWorld.start({
      speeds: SPEEDS,
      voice: 'service',
      answer: () => ({ text: ANSWER }),
      recipe: { drafting: { enabled: false } },
      // One word in 150 ms: all of them are there well before the end of the sound.
      hear: { dialect, words: (heardMs) => words.slice(0, Math.floor(heardMs / 150)).join(' ') },
    });
    await using caller = await Caller.open({
      url: world.edge.url,
      record: false,
      microphone: compose([2_000, question, 6_000]),
    });
    await expect.poll(() => caller.eventsOf('response.completed').length, WAIT).toBe(1);
    expect(caller.eventsOf('transcript.word').map(({ text }) => text)).toEqual(words);
    expect(world.openAi.chats.map(({ body }) => body.messages.at(-1))).toEqual([{ role: 'user', content: ASKED }]);
    expect(world.openAi.transcriptions).toEqual([]);
    const [hearing] = world.speech.heard;
    expect(hearing).toMatchObject({ dialect, model: 'stt' });
    expect(hearing!.commits).toBeGreaterThan(0);
    expect(hearing!.heardMs).toBeGreaterThan(1_000);
    // A socket is closed with its utterance.
    await expect.poll(() => world.speech.heard.every(({ closed }) => closed), WAIT).toBe(true);
    // What was used is told once a minute, and at the end: where the app's server ends the call, its page hears of that.
    const [started] = caller.eventsOf('session.started');
    const { url, key, secret } = world.edge;
    await new RoomServiceClient(url, key, secret).removeParticipant(started!.room, started!.participant);
    await expect.poll(() => caller.eventsOf('session.closed').length, WAIT).toBe(1);
    const { voice, transcriber } = caller.eventsOf('session.usage').at(-1)!;
    const inputs = world.speech.spoken.map(({ body }) => body.input);
    expect(Math.abs(voice!.characters - inputs.join(' ').length)).toBeLessThan(inputs.length + 1);
    expect(inputs.join(' ')).toBe(ANSWER);
    const heardMs = caller.eventsOf('response.completed')[0]!.heardMs;
    // What was made is what was heard, to a packet or two.
    expect(Math.abs(voice!.seconds * 1000 - heardMs)).toBeLessThan(100);
    const sentS = world.speech.heard.reduce((sum, one) => sum + one.heardMs / 1000, 0);
    expect(Math.abs(transcriber!.seconds - sentS)).toBeLessThan(0.3);
    expect(transcriber!.requests).toBeGreaterThan(0);
    expect(caller.eventsOf('error')).toEqual([]);
    expect(world.problems).toEqual([]);
  };
  await Promise.all([inDialect('openai'), inDialect('vllm')]);
});

test('with nothing on the network but the LLM, Nano hears the words and espeak-ng says the answer', async () => {
  // Of words that Nano knows.
  const asked = 'What should I eat for dinner tomorrow?';
  const question = await speak(asked, { accent: 'en-us', variant: 'm3', rate: 150, pitch: 50 });
  await using world = await LlmWorld.start({
    speeds: SPEEDS,
    answer: () => ({ text: ANSWER }),
    recipe: {
      drafting: { enabled: false },
      transcriber: { provider: 'bundle' },
      voice: { provider: 'espeak-ng', voice: 'en-gb', wordsPerMinute: 180 },
    },
  });
  await using caller = await Caller.open({
    url: world.edge.url,
    record: false,
    microphone: compose([2_000, question, 6_000]),
  });
  await expect.poll(() => caller.eventsOf('response.completed').length, WAIT).toBe(1);
  const [answer] = caller.eventsOf('response.started');
  const heard = caller.eventsOf('transcript.word').filter(({ seq }) => seq < answer!.seq);
  expect(world.openAi.chats[0]!.body.messages.at(-1)).toEqual({
    role: 'user',
    content: heard.map(({ text }) => text).join(' '),
  });
  const known = asked.toLowerCase().match(/\w+/g)!;
  expect(heard.filter(({ text }) => known.includes(text)).length).toBeGreaterThan(known.length / 2);
  const said = caller.eventsOf('response.text').map(({ text }) => text);
  expect(said.join(' ')).toBe(ANSWER);
  expect(caller.eventsOf('response.completed')[0]!.heardMs).toBeGreaterThan(2_000);
  // Flite would stand in for a voice that is not there, and say so.
  expect(caller.eventsOf('error')).toEqual([]);
  expect(world.openAi.transcriptions).toEqual([]);
  expect(world.speech.spoken).toEqual([]);
  expect(world.problems).toEqual([]);
});

test('a picture that the page shows is in the next request, and in none after it is taken away', async () => {
  await using world = await LlmWorld.start({
    speeds: SPEEDS,
    answer: () => ({ text: 'I see.' }),
    recipe: { drafting: { enabled: false } },
    llm: { takes: ['image'] },
  });
  await using caller = await Caller.open({ url: world.edge.url, record: false });
  const shown = await caller.page.evaluate(async () => {
    const { session } = await (window as unknown as CallPage).caller;
    const canvas = new OffscreenCanvas(320, 240);
    const context = canvas.getContext('2d')!;
    context.fillStyle = 'teal';
    context.fillRect(40, 40, 100, 100);
    const image = await canvas.convertToBlob({ type: 'image/jpeg' });
    await session.show([image], { name: 'screen' });
    await session.send('What is this?');
    const bytes = new Uint8Array(await image.arrayBuffer());
    return `data:image/jpeg;base64,${btoa(String.fromCharCode(...bytes))}`;
  });
  const lastMessage = () => world.openAi.chats.at(-1)?.body.messages.at(-1)?.content;
  await expect.poll(() => caller.eventsOf('response.completed').length, WAIT).toBe(1);
  expect(lastMessage()).toEqual([
    { type: 'text', text: 'What is this?' },
    { type: 'image_url', image_url: { url: shown } },
  ]);
  await caller.page.evaluate(async () => {
    const { session } = await (window as unknown as CallPage).caller;
    await session.show([], { name: 'screen' });
    await session.send('And now?');
  });
  await expect.poll(lastMessage, WAIT).toBe('And now?');
  expect(world.problems).toEqual([]);
});

test('a camera that is shown is in every request with its newest frame, and in none when it is off', async () => {
  await using world = await LlmWorld.start({
    speeds: SPEEDS,
    answer: () => ({ text: 'I see.' }),
    recipe: { drafting: { enabled: false } },
    llm: { takes: ['image'] },
  });
  await using caller = await Caller.open({ url: world.edge.url, record: false });
  /** Asks when `pictures` more have arrived at the edge; resolves with what the LLM was given. */
  const ask = async (text: string, pictures: number) => {
    const asked = world.openAi.chats.length;
    await caller.page.evaluate(
      async ([question, more]) => {
        const { session } = await (window as unknown as CallPage).caller;
        const { show } = session;
        await new Promise<void>((resolve) => {
          let left = more;
          const counted: typeof show = async (...args) => {
            await show.apply(session, args);
            if (--left <= 0) resolve();
          };
          if (left === 0) resolve();
          else Object.assign(session, { show: counted });
        });
        Object.assign(session, { show });
        session.send(question);
      },
      [text, pictures] as const,
    );
    await expect.poll(() => caller.eventsOf('response.completed').length, WAIT).toBe(asked + 1);
    return world.openAi.chats.at(-1)!.body.messages.at(-1)!.content;
  };
  const pictureIn = (content: unknown) => (content as { image_url?: { url: string } }[])[1]?.image_url?.url;

  await caller.page.evaluate(async () => {
    await (await (window as unknown as CallPage).caller).session.camera.enable({ show: true });
  });
  const first = pictureIn(await ask('What do you see?', 1));
  const second = pictureIn(await ask('And now?', 2));
  for (const picture of [first, second]) expect(picture).toMatch(/^data:image\/jpeg;base64,/);
  expect(second).not.toBe(first);
  const size = await caller.page.evaluate(async (url) => {
    const { width, height } = await createImageBitmap(await (await fetch(url)).blob());
    return [width, height];
  }, second!);
  expect(size).toEqual([640, 360]);
  await caller.page.evaluate(async () => {
    await (await (window as unknown as CallPage).caller).session.camera.disable();
  });
  expect(await ask('And now?', 0)).toBe('And now?');
  expect(world.problems).toEqual([]);
});

test('what stands in a field is told with what is asked, before it is sent; what is masked never leaves the page', async () => {
  await using world = await LlmWorld.start({
    speeds: SPEEDS,
    answer: () => ({ text: 'I see.' }),
    recipe: { drafting: { enabled: false } },
  });
  await using caller = await Caller.open({ url: world.edge.url, record: false });
  const { page } = caller;
  await page.evaluate(async () => {
    const { session } = await (window as unknown as CallPage).caller;
    const sent: string[] = [];
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (data) {
      sent.push(String(data));
      send.call(this, data);
    };
    Object.assign(window, { sent });
    document.body.innerHTML = `<input name="order"><input name="code" type="password">
      <div id="note" contenteditable>call <b data-microturn-private>+1 555 123</b></div>`;
    for (const field of document.querySelectorAll<HTMLElement>('input, #note')) session.observeInput(field);
  });
  const sent = () => page.evaluate(() => (window as unknown as { sent: readonly string[] }).sent.join());
  await page.locator('[name=order]').focus();
  // As an input method does: what it tries stands in the field until a candidate is picked.
  const keys = await page.context().newCDPSession(page);
  await keys.send('Input.imeSetComposition', { text: 'はこ', selectionStart: 2, selectionEnd: 2 });
  await keys.send('Input.insertText', { text: '箱' });
  await page.locator('[name=order]').pressSequentially(' in 12 of');
  await page.locator('[name=code]').pressSequentially('open sesame');
  await page.locator('#note').pressSequentially('please ');
  await page.keyboard.press('End');
  await page.keyboard.type('4');
  await expect(page.locator('#note')).toHaveText('please call +1 555 1234');
  for (const text of ['箱 in 12 of', '"please call "']) await expect.poll(sent, WAIT).toContain(text);
  await page.evaluate(async () => {
    await (await (window as unknown as CallPage).caller).session.send('What am I ordering?');
  });
  await expect.poll(() => world.openAi.chats.length, WAIT).toBe(1);
  expect(world.openAi.chats[0]!.body.messages.at(-1)!.content).toBe(
    'What am I ordering?\n(They are typing into "order": "箱 in 12 of")\n(They are typing into "note": "please call ")',
  );
  expect(await sent()).not.toContain('はこ');
  for (const secret of ['sesame', '555', '1234']) expect(await sent()).not.toContain(secret);
  expect(world.problems).toEqual([]);
});
