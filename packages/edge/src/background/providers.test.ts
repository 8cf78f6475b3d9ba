import { describe, expect, it, onTestFinished } from 'vitest';
import { askHere } from '../llm/ask-model.js';
import { LanguageModels, type LanguageModelsParts } from '../llm/index.js';
import { silentLog } from '../telemetry/index.js';
import { monotonicClock } from '../clock.js';
import { OpenAiServer, type OpenAiServerOptions } from '../testing/openai-server.js';
import { EmbeddedProvider } from './embedded-provider.js';
import { DeskStage, limits, settle } from './fixtures/desk-stage.js';
import { LlmProvider } from './llm-provider.js';
import type { Tool } from './toolbox.js';
import { showSurface } from './tools/surface.js';

async function llm(options: OpenAiServerOptions, takes: ('audio' | 'image')[] = []) {
  const server = await OpenAiServer.start(options);
  onTestFinished(() => server.close());
  const after: LanguageModelsParts['after'] = (ms, fn) => {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  };
  const languageModels = new LanguageModels({
    ask: askHere({ clock: monotonicClock, after }),
    configs: {
      a: {
        provider: 'openai-compatible',
        baseUrl: server.url,
        model: 'm',
        headers: {},
        takes,
        maxOutputTokens: 500,
        firstTokenMs: 5000,
        idleMs: 5000,
      },
    },
    clock: monotonicClock,
    after,
    log: silentLog,
    env: {},
    random: () => 0,
  });
  const provider = new LlmProvider({ languageModels, models: undefined, instructions: 'Be kind.' });
  return { server, provider };
}

const lookup = (run: Tool['run'] = () => 'It is four.', more: Partial<Tool> = {}): Tool => ({
  name: 'lookup',
  description: 'looks up',
  parameters: { type: 'object', properties: { q: { type: 'string' } }, required: ['q'] },
  run,
  ...more,
});
const ask = (stage: DeskStage, text: string) => stage.desk.ask({ text, origin: 'text' }).taskId;
const over = (stage: DeskStage) =>
  expect.poll(() => stage.task().status, { timeout: 30_000 }).toMatch(/^(?:done|failed|woven)$/);

describe('a language model at work', () => {
  it('is given the conversation, and its answer is said', async () => {
    const { server, provider } = await llm({ chat: [{ text: 'It is four. Quite sure.' }] });
    const stage = new DeskStage({ provider });
    await stage.turn('speaking', { words: ['hello'] });
    await stage.turns(3, 'yielded');
    ask(stage, 'what is two and two');
    await over(stage);
    await stage.turns(20, 'silent');
    expect(stage.heard).toEqual(['It is four. Quite sure.']);
    const { messages } = server.chats[0]!.body;
    expect(messages[0]).toMatchObject({ role: 'system', content: expect.stringContaining('Be kind.') });
    expect(messages[1]!.content).toMatch(/\[0\.2 s\] user: hello\n[\s\S]*The user now asks: what is two and two/);
    expect(stage.desk.spent.tokensIn).toBeGreaterThan(0);
    expect(server.problems).toEqual([]);
  });

  it('draws on the page while it works, is told what does not fit, and does not begin again once it has drawn', async () => {
    const shown = (...patch: object[]) => ({ name: 'show_surface', arguments: { surfaceId: 'trains', patch } });
    const table = { op: 'add', path: '', value: { rows: [{ to: 'Bern' }] } };
    const { server, provider } = await llm({
      chat: [
        { toolCalls: [shown(table), shown({ op: 'add', path: '/stops/-', value: 'Thun' })] },
        { toolCalls: [shown({ op: 'move', path: '/rows' })] },
        { status: 400 },
      ],
    });
    const stage = new DeskStage({ provider, tools: [showSurface], limits: { ...limits, retries: 2 } });
    ask(stage, 'the next trains');
    await over(stage);
    expect(stage.of('ui.patch')).toMatchObject([{ surfaceId: 'trains', patch: [table] }]);
    const told = server.chats.flatMap(({ body }) => body.messages.filter(({ role }) => role === 'tool'));
    expect(told.map(({ content }) => content).join('\n')).toMatch(
      /shown[\s\S]*no place '\/stops\/-' to add[\s\S]*show_surface: /,
    );
    expect(stage.of('task.failed')).toHaveLength(1);
    expect(server.chats).toHaveLength(3);
  });

  it('calls tools in the middle, and answers with what they gave', async () => {
    const { server, provider } = await llm({
      chat: [
        {
          text: 'Let me see.',
          toolCalls: [
            { name: 'lookup', arguments: { q: 'x' } },
            { name: 'lookup', arguments: { q: 'y' } },
          ],
        },
        { text: 'Found it.' },
      ],
    });
    const asked: unknown[] = [];
    const stage = new DeskStage({ provider, tools: [lookup((args) => asked.push(args))] });
    ask(stage, 'q');
    await over(stage);
    expect(asked).toEqual([{ q: 'x' }, { q: 'y' }]);
    expect(stage.task().text).toBe('Let me see.\nFound it.');
    expect(stage.of('task.progress').flatMap(({ note }) => note ?? [])).toEqual(['lookup', 'lookup']);
    expect(server.chats[1]!.body.messages.slice(-3).map(({ role }) => role)).toEqual(['assistant', 'tool', 'tool']);
    expect(server.problems).toEqual([]);
  });

  it('is told what went wrong with a tool, and goes on', async () => {
    const { server, provider } = await llm({
      chat: [
        {
          toolCalls: [
            { name: 'nowhere', arguments: {} },
            { name: 'lookup', arguments: { r: 1 } },
            { name: 'lookup', arguments: '{"q":' },
            { name: 'lookup', arguments: { q: 'boom' } },
          ],
        },
        { text: 'I could not look it up.' },
      ],
    });
    const boom = () => {
      throw new Error('the database is away');
    };
    const stage = new DeskStage({ provider, tools: [lookup(boom)] });
    ask(stage, 'q');
    await over(stage);
    const results = server.chats[1]!.body.messages.filter(({ role }) => role === 'tool').map(({ content }) => content);
    expect(results).toHaveLength(4);
    expect(results[3]).toContain('the database is away');
    expect(stage.task().text).toBe('I could not look it up.');
    expect(server.problems).toEqual([]);
  });

  it('fault 30: a tool result of 10 MB is cut, and its model told so', async () => {
    const { server, provider } = await llm({
      chat: [{ toolCalls: [{ name: 'lookup', arguments: { q: 'x' } }] }, { text: 'Long.' }],
    });
    const stage = new DeskStage({ provider, tools: [lookup(() => 'x'.repeat(10_000_000))] });
    ask(stage, 'q');
    await over(stage);
    const result = server.chats[1]!.body.messages.at(-1)!.content as string;
    expect(result.length).toBeLessThan(33_000);
    expect(result).toMatch(/cut: 32768 of 10000000 characters/);
    expect(stage.task().status).toBe('done');
  });

  it('tools are not run again where a request after them has to be tried again', async () => {
    const { provider } = await llm({
      chat: [{ toolCalls: [{ name: 'lookup', arguments: { q: 'x' } }] }, { status: 503 }, { text: 'Done.' }],
    });
    let runs = 0;
    const stage = new DeskStage({ provider, tools: [lookup(() => ++runs)] });
    ask(stage, 'q');
    await over(stage);
    expect([runs, stage.task().text]).toEqual([1, 'Done.']);
  });

  it('that calls tools on and on is over where it is offered none any more, and has failed for good where it says nothing', async () => {
    const toolCalls = [{ name: 'lookup', arguments: { q: 'x' } }];
    const message = expect.stringContaining('no answer in 8 requests') as string;
    for (const [text, expected] of [
      ['', { status: 'failed', failure: { code: 'llm/none', retryable: false, message } }],
      ['It is four.', { text: 'It is four.' }],
    ] as const) {
      const { server, provider } = await llm({
        chat: ({ tools = [] }) => (tools.length > 0 ? { toolCalls } : { text, toolCalls }),
      });
      const stage = new DeskStage({ provider, tools: [lookup()], limits: { ...limits, retries: 2 } });
      ask(stage, 'q');
      await expect
        .poll(() => stage.turn().then(() => stage.task().status), { timeout: 30_000 })
        .toMatch(/^(?:done|failed|woven)$/);
      expect(stage.task()).toMatchObject(expected);
      expect(server.chats).toHaveLength(8);
    }
  });

  it('fault 30: half an answer fails the task, and what there is of it can be read', async () => {
    const { provider } = await llm({ chat: [{ text: 'It is four or five.', endAfter: 3 }] });
    const stage = new DeskStage({ provider });
    ask(stage, 'q');
    await over(stage);
    expect(stage.task()).toMatchObject({ status: 'failed', text: 'It is four', failure: { code: 'llm/malformed' } });
  });

  it('fault 28: one that is called off ends its request at the provider', async () => {
    const { server, provider } = await llm({ chat: [{ delayMs: 60_000 }] });
    const stage = new DeskStage({ provider });
    const id = ask(stage, 'q');
    await expect.poll(() => server.chats.length).toBe(1);
    stage.desk.cancel(id, 'client');
    await expect.poll(() => server.chats[0]!.outcome).toBe('aborted');
  });

  it('a hyphen alone is nothing to say', async () => {
    const { provider } = await llm({ chat: [{ text: ' - ' }] });
    const stage = new DeskStage({ provider });
    ask(stage, 'so anyway');
    await over(stage);
    expect(stage.task()).toMatchObject({ status: 'woven', text: '' });
  });

  it('asks the user what it must know', async () => {
    const { server, provider } = await llm({
      chat: [{ toolCalls: [{ name: 'ask_user', arguments: { question: 'Which city?' } }] }, { text: 'Rain.' }],
    });
    const stage = new DeskStage({ provider });
    const id = ask(stage, 'the weather');
    await expect.poll(() => stage.task().question?.text).toBe('Which city?');
    stage.desk.answer(id, 'Oslo');
    await over(stage);
    expect(server.chats[1]!.body.messages.at(-1)).toMatchObject({ role: 'tool', content: 'Oslo' });
  });

  it('hears the question where it takes sound', async () => {
    const { server, provider } = await llm({ chat: [{ text: 'Heard.' }] }, ['audio']);
    const stage = new DeskStage({ provider, delegate: { by: 'act' } });
    await stage.turns(5, 'speaking');
    await stage.turn('yielded', { acts: ['delegate'], words: ['<unk>'] });
    await over(stage);
    const content = server.chats[0]!.body.messages.at(-1)!.content as { type: string }[];
    expect(content.map(({ type }) => type)).toEqual(['text', 'input_audio']);
    expect(server.problems).toEqual([]);
  });

  const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(50, 3)]);

  it('sees the pictures of a question where it takes them, also when it is amended', async () => {
    const { server, provider } = await llm({ chat: [{ delayMs: 60_000 }, { text: 'A dog.' }] }, ['image']);
    const stage = new DeskStage({ provider });
    expect(stage.desk.typed({ text: 'never mind the cat, what is this', images: [png] })).toMatchObject({
      taken: 'question',
    });
    expect(stage.of('task.created')).toMatchObject([{ images: 1 }]);
    await expect.poll(() => server.chats.length).toBe(1);
    stage.desk.typed({ text: 'but only in one word' });
    await over(stage);
    for (const { body } of server.chats) {
      expect(body.messages.at(-1)!.content).toMatchObject([
        { type: 'text', text: expect.not.stringContaining('ictures') },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${png.toString('base64')}` } },
      ]);
    }
    expect(server.chats).toHaveLength(2);
    expect(server.problems).toEqual([]);
  });

  it('is told of pictures that it cannot be shown', async () => {
    const { server, provider } = await llm({ chat: [{ text: 'I cannot see it.' }] });
    const stage = new DeskStage({ provider });
    stage.desk.ask({ text: 'what is this', images: [png, png], origin: 'app' });
    await over(stage);
    expect(server.chats[0]!.body.messages.at(-1)!.content).toMatch(
      /what is this\n\nPictures that came with it, 2, cannot/,
    );
    expect(server.problems).toEqual([]);
  });

  it('is told of pictures that were lost with the edge that had them', async () => {
    const { server, provider } = await llm({ chat: [{ text: 'It is lost.' }] }, ['image']);
    const before = new DeskStage();
    before.desk.ask({ text: 'what is this', images: [png], origin: 'text' });
    const stage = new DeskStage({ provider });
    stage.desk.restore(before.events, undefined);
    await over(stage);
    expect(server.chats[0]!.body.messages.at(-1)!.content).toMatch(/Pictures that came with it, 1, are lost/);
  });

  it('a session that has spent its budget is told so', async () => {
    const { server, provider } = await llm({
      chat: [{ text: 'ok', usage: { prompt_tokens: 90, completion_tokens: 20 } }],
    });
    const stage = new DeskStage({ provider, budget: { tokens: 100 } });
    ask(stage, 'one');
    await over(stage);
    ask(stage, 'two');
    await expect.poll(() => stage.task('task-2').status).toBe('failed');
    expect(stage.task('task-2').failure).toMatchObject({ code: 'llm/budget' });
    expect(server.chats).toHaveLength(1);
  });

  it('fault 31: fifty sessions never hear each other’s results', async () => {
    const { server, provider } = await llm({
      chat: async ({ messages }) => {
        const question = /The user now asks: (\w+)/.exec(JSON.stringify(messages))![1]!;
        return { text: `Answer for ${question} only.`, tokensPerSecond: 200 + 20 * (question.length % 7) };
      },
    });
    const stages = Array.from({ length: 50 }, () => new DeskStage({ provider }));
    for (const [i, stage] of stages.entries()) {
      ask(stage, `s${i}a`);
      ask(stage, `s${i}b`);
    }
    await expect
      .poll(() => stages.every(({ desk }) => desk.tasks.every(({ status }) => status === 'done')), { timeout: 50_000 })
      .toBe(true);
    for (const stage of stages) await stage.turns(60, 'silent');
    for (const [i, stage] of stages.entries()) {
      expect(stage.heard).toEqual([`Answer for s${i}a only.`, `Answer for s${i}b only.`]);
      expect(stage.desk.tasks.map(({ status }) => status)).toEqual(['woven', 'woven']);
    }
    expect(server.problems).toEqual([]);
  });
});

describe('the embedded tools alone', () => {
  const wallMs = () => Date.UTC(2026, 10, 20, 17, 5);
  const provider = new EmbeddedProvider({ documents: undefined, wallMs, timeZone: 'UTC' });

  it('say that they see no pictures', async () => {
    const stage = new DeskStage({ provider });
    stage.desk.ask({ text: 'what is 2 + 2', images: [Buffer.from('RIFF....WEBPVP8 ')], origin: 'text' });
    await settle();
    expect(stage.task().text).toMatch(/cannot look at pictures/);
  });

  it.each([
    ['what is 12 times 12?', '12 times 12 is 144.'],
    ['What’s 5 + 5', '10'],
    ['how many km are 5 miles', '5 miles is 8.04672 km.'],
    ['convert 100 fahrenheit to celsius', '37.7777777778 degC'],
    ['15 percent of 80', '12'],
    ['what time is it in Tokyo?', 'It is 02:05 on Saturday, 21 November 2026 in Tokyo.'],
    ['what day is it', 'Friday, 20 November 2026 in UTC'],
    ['what time is it in Atlantis', 'I do not know the time zone of Atlantis.'],
    ['who was the first person on the moon', 'without a language model I can only tell the time'],
  ])('%s → %s', async (question, answer) => {
    const stage = new DeskStage({ provider });
    ask(stage, question.replace('’', "'"));
    await settle();
    expect(stage.task().text).toContain(answer);
  });

  it.each([
    `a${' '.repeat(4000)}#`,
    `${'a '.repeat(2000)}#`,
    `1${' ?'.repeat(2000)}#`,
    `what time is it in a${' now'.repeat(1000)}#`,
  ])('take no time to see that nothing of it is to be worked out: %#', async (question) => {
    const stage = new DeskStage({ provider });
    const beganMs = performance.now();
    ask(stage, question);
    await settle();
    expect(stage.task().status).toBe('done');
    expect(performance.now() - beganMs).toBeLessThan(2000);
  });
});
