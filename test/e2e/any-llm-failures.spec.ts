import type { InteractionSession } from '@microturn/sdk';
import { expect, test } from '@playwright/test';
import { Caller } from '../call/caller.js';
import { timed } from '../fixtures/questions.js';
import { compose, lengthMs, speak } from '../fixtures/speech.js';
import { LlmWorld, type WorldOptions } from '../support/llm-world.js';
import { withTaskStory } from '../support/task-story.js';

const SPEEDS = { transcribeMs: 60, firstTokenMs: 150, tokensPerSecond: 60, firstAudioMs: 80 };
const WAIT = { timeout: 60_000 };
const BROKEN = 'It is noon in Rome. And the sun is out there today.';
/** The tokens of its first sentence, and two of the next. */
const BREAKS_AFTER = 7;

interface CallPage {
  readonly caller: Promise<{ readonly session: InteractionSession }>;
}

const send = (caller: Caller, text: string) =>
  caller.page.evaluate(async (message) => {
    await (await (window as unknown as CallPage).caller).session.send(message);
  }, text);
/** What its listener's device played, response by response. */
const heardBy = (caller: Caller): string[] =>
  caller
    .eventsOf('response.started')
    .map(
      ({ responseId }) =>
        caller.eventsOf('response.heard').findLast((heard) => heard.responseId === responseId)?.heardText ?? '',
    );
const errorsOf = (caller: Caller) => caller.eventsOf('error').map(({ code }) => code);
const completed = (caller: Caller, count: number) =>
  expect.poll(() => caller.eventsOf('response.completed').length, WAIT).toBe(count);

async function callTo(options: Partial<WorldOptions>, microphone?: Parameters<typeof compose>[0]) {
  const world = await LlmWorld.start({ speeds: SPEEDS, recipe: { drafting: { enabled: false } }, ...options });
  try {
    const pcm = microphone && compose(microphone);
    const caller = await Caller.open({ url: world.edge.url, record: false, ...(pcm && { microphone: pcm }) });
    const close = async () => {
      await caller.close();
      await world[Symbol.asyncDispose]();
    };
    return { world, caller, [Symbol.asyncDispose]: close };
  } catch (error) {
    await world[Symbol.asyncDispose]();
    throw error;
  }
}

test.beforeEach(() => test.setTimeout(180_000));

test('an LLM that stalls for ten seconds before its first word is announced, and its answer is heard', async () => {
  await using call = await callTo({ answer: () => ({ text: 'It is noon in Rome.', delayMs: 10_000 }) });
  const { caller, world } = call;
  await send(caller, 'What time is it?');
  await completed(caller, 1);
  expect(heardBy(caller)).toEqual(['One moment. It is noon in Rome.']);
  const [first] = caller.eventsOf('response.text');
  const rest = caller.eventsOf('response.text').find(({ text }) => text.includes('noon'))!;
  // On the session's clock: the word came while the server kept its silence of ten seconds.
  expect(first!.text).toBe('One moment.');
  expect(rest.at - first!.at).toBeGreaterThan(5_000);
  expect(errorsOf(caller)).toEqual([]);
  expect(world.problems).toEqual([]);
});

test('an LLM that refuses is excused to whoever asked, with its code in the page, and asked again', async () => {
  await using call = await callTo({ answer: (_last, index) => (index === 0 ? { status: 401 } : { text: 'At noon.' }) });
  const { caller, world } = call;
  await send(caller, 'When do we leave?');
  await completed(caller, 1);
  expect(heardBy(caller)).toEqual(['Sorry, I could not get an answer.']);
  expect(errorsOf(caller)).toEqual(['llm/denied']);
  await send(caller, 'And now?');
  await completed(caller, 2);
  expect(heardBy(caller)[1]).toBe('At noon.');
  expect(world.problems).toEqual([]);
});

for (const { what, codes, reply } of [
  { what: 'stalls', codes: /^llm\/timeout$/, reply: { stallAfter: BREAKS_AFTER } },
  { what: 'sends a line that is no JSON', codes: /^llm\/malformed$/, reply: { malformedAfter: BREAKS_AFTER } },
  { what: 'ends its stream without an end', codes: /^llm\/malformed$/, reply: { endAfter: BREAKS_AFTER } },
  { what: 'loses its connection', codes: /^llm\/(malformed|unavailable)$/, reply: { cutAfter: BREAKS_AFTER } },
]) {
  test(`an LLM that ${what} in mid-answer is heard as far as it came, told of by a code, and asked again`, async () => {
    await using call = await callTo({
      answer: (_last, index) => (index === 0 ? { text: BROKEN, ...reply } : { text: 'All is well again.' }),
    });
    const { caller, world } = call;
    await send(caller, 'What time is it in Rome?');
    await completed(caller, 1);
    await expect.poll(() => errorsOf(caller), WAIT).toEqual([expect.stringMatching(codes)]);
    const [heard] = heardBy(caller);
    expect(heard).toMatch(/^It is noon in Rome\./);
    expect(heard).not.toContain('today');
    // The call goes on: micro-turns were decided all the while, and the next question is answered.
    await send(caller, 'And now?');
    await completed(caller, 2);
    expect(heardBy(caller)[1]).toBe('All is well again.');
    expect(world.openAi.chats).toHaveLength(2);
    expect(world.openAi.chats[1]!.body.messages.slice(1)).toEqual([
      { role: 'user', content: 'What time is it in Rome?' },
      { role: 'assistant', content: expect.stringMatching(/^It is noon in Rome\./) },
      { role: 'user', content: 'And now?' },
    ]);
    expect(caller.eventsOf('session.closed')).toEqual([]);
    expect(world.problems).toEqual([]);
  });
}

test('a tool works while the user talks: they are heard meanwhile, and the answer goes on with what it gave', async () => {
  const voice = { accent: 'en-us', variant: 'm3', rate: 150, pitch: 50 } as const;
  const remark = 'I have to be there before noon.';
  const spoken = await speak(remark, voice);
  const SILENCE_MS = 9_000;
  await using call = await callTo(
    {
      answer: (_last, _index, messages) =>
        messages.some(({ role }) => role === 'tool')
          ? { text: 'It leaves at nine.' }
          : { text: 'Let me look.', toolCalls: [{ name: 'trains', arguments: { to: 'Rome' } }] },
    },
    [SILENCE_MS, spoken],
  );
  const { caller, world } = call;
  world.listenTo(compose([SILENCE_MS, spoken]), timed(remark, SILENCE_MS, lengthMs(spoken)));
  await caller.page.evaluate(async () => {
    const { session } = await (window as unknown as CallPage).caller;
    session.registerTool({
      name: 'trains',
      description: 'When trains leave.',
      parameters: { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] },
      // Until the page says so.
      execute: () => new Promise((resolve) => Object.assign(window, { trainsLeave: resolve })),
    });
  });
  // The tool is asked for before they begin to speak, and answers after they have.
  await send(caller, 'When is the next train to Rome?');
  await expect.poll(() => heardBy(caller)[0], WAIT).toBe('Let me look.');
  const saidMs = () => caller.eventsOf('transcript.word').length;
  await expect.poll(saidMs, WAIT).toBeGreaterThan(3);
  expect(world.openAi.chats).toHaveLength(1);
  await caller.page.evaluate(() => (window as unknown as { trainsLeave(text: string): void }).trainsLeave('09:00'));
  await withTaskStory(
    () => caller.events,
    () => expect.poll(() => heardBy(caller).at(-1), WAIT).toBe('It leaves at nine.'),
  );
  const calls = caller.eventsOf('tool.call');
  expect(calls).toMatchObject([{ name: 'trains', arguments: { to: 'Rome' } }]);
  const [word] = caller.eventsOf('transcript.word');
  const rest = caller.eventsOf('response.text').at(-1)!;
  expect([calls[0]!.seq, word!.seq, rest.seq]).toEqual([calls[0]!.seq, word!.seq, rest.seq].toSorted((a, b) => a - b));
  expect(world.openAi.chats.at(-1)!.body.messages).toContainEqual(
    expect.objectContaining({ role: 'tool', content: expect.stringContaining('09:00') }),
  );
  expect(errorsOf(caller)).toEqual([]);
  expect(world.problems).toEqual([]);
});

test('a voice that stops in the middle is stood in for, and one that fails before it is silent about it', async () => {
  await using call = await callTo({
    voice: 'service',
    speak: (index) => (index === 0 ? { stallAfterMs: 400 } : { status: 500 }),
    answer: (_last, index) => ({ text: index === 0 ? BROKEN : 'All is well again.' }),
  });
  const { caller, world } = call;
  await send(caller, 'What time is it?');
  await completed(caller, 1);
  expect(heardBy(caller)[0]).toBe(BROKEN);
  await send(caller, 'And now?');
  await completed(caller, 2);
  expect(heardBy(caller)[1]).toBe('All is well again.');
  expect(new Set(errorsOf(caller))).toEqual(new Set(['voice/failed']));
  expect(world.problems).toEqual([]);
});
