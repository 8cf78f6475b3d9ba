import { askHere } from '../llm/ask-model.js';
import type { SessionEvent, SessionEventBody } from '@microturn/protocol';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseConfig } from '../config.js';
import type { Decision, InteractionStream } from '../engine/types.js';
import type { SessionEngine, SessionMedia, SessionTools } from '../session/index.js';
import { silentLog } from '../telemetry/index.js';
import { hum } from '../testing/interaction-model.contract.js';
import { ManualClock } from '../testing/manual-clock.js';
import { OpenAiServer, type ChatScript, type ScriptedReply } from '../testing/openai-server.js';
import { ScriptedModel } from '../testing/scripted-model.js';
import { Agents } from './agents.js';
import { resolveRecipes } from './resolve.js';

const MICRO_TURN_MS = 200;
/** Two questions, ten seconds of silence between them. */
const FLOORS = `.SSSSY${'.'.repeat(50)}SSSSY`;
const letters = { S: 'speaking', Y: 'yielded', '.': 'silent' } as const;

/** A call with a recipe in virtual time, its LLM behind a real connection. */
async function callWith(chat: readonly ScriptedReply[] | ChatScript, tools?: SessionTools, more: object = {}) {
  const server = await OpenAiServer.start({ chat });
  onTestFinished(() => server.close());
  const clock = new ManualClock();
  const llm = { baseUrl: server.url, model: 'm', idleMs: 8_000, ...more };
  const recipes = resolveRecipes(parseConfig({ recipes: { test: { llm, drafting: { enabled: false } } } }));
  const agents = new Agents(recipes, {
    ask: askHere({ clock, after: clock.after }),
    clock,
    after: clock.after,
    log: silentLog,
    env: {},
  });
  const model = new ScriptedModel({
    clock,
    script: ({ index }) => ({
      floor: letters[FLOORS[index] as keyof typeof letters] ?? 'silent',
      words: FLOORS[index] === 'S' ? [{ text: `word${index}`, endMs: index * MICRO_TURN_MS, confidence: 1 }] : [],
    }),
  });
  let stream: InteractionStream | undefined;
  const floor: SessionEngine = {
    info: model.info,
    assertRoom: () => undefined,
    lease: (onDecision) => {
      stream = model.open(1, onDecision);
      return { id: 1, engine: 0, zeroMs: 0, release: () => stream!.close() };
    },
  };
  const { engine } = agents.forCall('test', { floor, media: {} as SessionMedia, endpoint: 'e' });
  const decisions: Decision[] = [];
  const said: string[] = [];
  const errors: string[] = [];
  const row = engine.lease(
    (decision) => {
      decisions.push(decision);
      if (decision.say) said.push(decision.say);
    },
    () => undefined,
    () => undefined,
    {
      nowMs: () => clock.now(),
      more: (text) => void said.push(text),
      emit: (event) => void (event.type === 'error' && errors.push(event.code)),
      tools: () => tools,
    },
  );
  onTestFinished(() => {
    row.release();
    agents.close();
  });
  let index = 0;
  return {
    server,
    decisions,
    said,
    errors,
    async turns(count: number) {
      for (let i = 0; i < count; i++) {
        clock.advance(MICRO_TURN_MS);
        stream!.push(hum(model, 1, index++, clock.now()));
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
    observe: (event: SessionEventBody) =>
      row.observe!({ ...event, seq: 1, at: clock.now(), turn: index } as SessionEvent),
  };
}

const broken = 'It is noon. And the sun is out.';

describe('an LLM that answers nothing', () => {
  it.each(['length', 'content_filter'] as const)(
    'for it ends by “%s” before its first word: the user is told, and the page by a code',
    async (finishReason) => {
      const { said, errors, turns } = await callWith([{ text: [], finishReason }]);
      await turns(7);
      await vi.waitFor(() => expect(said).toEqual(['Sorry, I could not get an answer.']));
      expect(errors).toEqual(['llm/malformed']);
    },
  );

  it('and was not kept from it, wants silence', async () => {
    const { server, said, errors, turns } = await callWith([{ text: [] }]);
    await turns(7);
    await vi.waitFor(() => expect(server.chats).toMatchObject([{ outcome: 'done' }]));
    await turns(2);
    expect([said, errors]).toEqual([[], []]);
  });
});

describe('an LLM whose server takes no tools', () => {
  const tools: SessionTools = {
    list: () => [{ name: 'trains', description: 'When they leave.', parameters: { type: 'object' } }],
    call: () => Promise.reject(new Error('never called')),
  };
  const refusing: ChatScript = (body) =>
    body.tools ? { status: 400, message: 'm does not support tools' } : { text: 'All is well.' };

  it.each([
    ['is found out by its first request', {}, [true, false, false]],
    ['is said to by its configuration', { tools: false }, [false, false]],
  ])('answers without them: that it does %s', async (_how, more, offered) => {
    const { server, said, errors, turns } = await callWith(refusing, tools, more);
    await turns(7);
    await vi.waitFor(() => expect(said).toEqual(['All is well.']));
    await turns(56);
    await vi.waitFor(() => expect(said).toEqual(['All is well.', 'All is well.']));
    expect(server.chats.map(({ body }) => body.tools !== undefined)).toEqual(offered);
    // It is not told to call any either.
    expect(JSON.stringify(server.chats.at(-1)!.body.messages)).not.toContain('Call tools');
    expect(errors).toEqual([]);
  });
});

describe('an LLM that fails in the middle of an answer', () => {
  it.each([
    ['stalls for ten seconds', /^llm\/timeout$/, { text: broken, stallAfter: 5 }],
    ['sends a line that is no JSON', /^llm\/malformed$/, { text: broken, malformedAfter: 5 }],
    ['ends its stream without an end', /^llm\/malformed$/, { text: broken, endAfter: 5 }],
    ['loses its connection', /^llm\/(malformed|unavailable)$/, { text: broken, cutAfter: 5 }],
  ])('and %s ends it with a code of %s, and the floor goes on', async (_, code, reply) => {
    const { server, decisions, said, errors, turns, observe } = await callWith([reply, { text: 'All is well.' }]);
    await turns(7);
    await vi.waitFor(() => expect(said[0]).toBe('It is noon.'));
    observe({ type: 'response.started', responseId: 'r1', kind: 'reply', audience: 'room' });
    observe({ type: 'response.text', responseId: 'r1', text: 'It is noon.', words: [] });
    await turns(49);
    await vi.waitFor(() => expect(errors).toEqual([expect.stringMatching(code)]));
    expect(said.join(' ')).not.toContain('sun is out');
    observe({ type: 'response.completed', responseId: 'r1', heardMs: 900 });
    await turns(7);
    await vi.waitFor(() => expect(said.at(-1)).toBe('All is well.'));
    expect(decisions.map((decision) => decision.index)).toEqual(decisions.map((_decision, index) => index));
    expect(decisions).toHaveLength(63);
    expect(decisions.every(({ lagMs }) => lagMs === 0)).toBe(true);
    expect(server.chats).toHaveLength(2);
    expect(server.chats[1]!.body.messages.slice(1)).toMatchObject([
      { role: 'user', content: 'word1 word2 word3 word4' },
      { role: 'assistant', content: 'It is noon.' },
      { role: 'user', content: 'word56 word57 word58 word59' },
    ]);
    expect(server.problems).toEqual([]);
  });

  it('and has no more tokens, or is filtered, ends it there, with a code of llm/malformed', async () => {
    for (const finishReason of ['length', 'content_filter'] as const) {
      const { said, errors, turns } = await callWith([{ text: 'It is noon. And the sun', finishReason }]);
      await turns(7);
      await vi.waitFor(() => expect(errors).toEqual(['llm/malformed']));
      expect(said.join(' ')).toBe('It is noon. And the sun');
    }
  });

  it('a tool that works for ten seconds, while the talk goes on: what the provider is told of it is in order', async () => {
    let answer: (text: string) => void = () => {};
    const tools: SessionTools = {
      list: () => [{ name: 'trains', description: 'When they leave.', parameters: { type: 'object' } }],
      call: () => new Promise((resolve) => (answer = resolve)),
    };
    const call = await callWith(
      [
        { text: 'Let me look.', toolCalls: [{ name: 'trains', arguments: { to: 'Rome' } }] },
        { text: 'It leaves at nine.' },
      ],
      tools,
    );
    await call.turns(7);
    await vi.waitFor(() => expect(call.said).toEqual(['Let me look.']));
    await call.turns(49);
    expect(call.decisions).toHaveLength(56);
    answer('09:00');
    await vi.waitFor(() => expect(call.said.at(-1)).toBe('It leaves at nine.'));
    const { messages } = call.server.chats[1]!.body;
    expect(messages.slice(2)).toMatchObject([
      { role: 'assistant', content: 'Let me look.', tool_calls: [{ function: { name: 'trains', arguments: '{"to":"Rome"}' } }] }, // prettier-ignore
      { role: 'tool', content: '09:00' },
    ]);
    expect(call.server.problems).toEqual([]);
    expect(call.errors).toEqual([]);
  });
});
