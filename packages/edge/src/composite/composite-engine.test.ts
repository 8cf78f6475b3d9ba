import type { SessionEvent, SessionEventBody } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import type { Decision, InteractionModel, InteractionStream, LeaseId } from '../engine/types.js';
import type { EngineOutlet, SessionEngine, SessionTools } from '../session/index.js';
import type { ChatToolCall } from '../llm/index.js';
import { silentLog } from '../telemetry/index.js';
import { hum, interactionModelContract } from '../testing/interaction-model.contract.js';
import { ManualClock } from '../testing/manual-clock.js';
import { ScriptedModel, type Script } from '../testing/scripted-model.js';
import type { Transcriber, TranscriptListener } from '../transcribe/index.js';
import { CompositeEngine } from './composite-engine.js';
import type { CompositeParts } from './composite-row.js';
import type { ChatSource } from './types.js';

const turnTaking: CompositeParts['turnTaking'] = {
  eagerness: 'normal',
  drafting: { enabled: true, everyMs: 500, perUtterance: 8, tokensPerMinute: 10_000 },
};

/** An LLM that is told what to write, one request at a time. */
class ScriptedChat implements ChatSource {
  readonly requests: Parameters<ChatSource['stream']>[0][] = [];
  firstTokenMs: number | undefined;
  #queue: { text: string; fail?: Error; call?: ChatToolCall }[] = [];
  #wake: (() => void) | undefined;
  async *stream(request: Parameters<ChatSource['stream']>[0]): ReturnType<ChatSource['stream']> {
    this.requests.push(request);
    request.signal.addEventListener('abort', () => this.#wake?.());
    for (;;) {
      if (request.signal.aborted) {
        request.budget.spend({ tokensIn: 100, tokensOut: 0 });
        throw new Error('aborted');
      }
      const next = this.#queue.shift();
      if (!next) await new Promise<void>((resolve) => (this.#wake = resolve));
      else if (next.fail) throw next.fail;
      else if (next.call) yield next.call;
      else if (next.text === '') break;
      else yield { type: 'text', text: next.text };
    }
    request.budget.spend({ tokensIn: 100, tokensOut: 20, cost: 0.5 });
    yield { type: 'done' };
  }
  writes(...texts: string[]): void {
    this.#queue.push(...texts.map((text) => ({ text })));
    this.#wake?.();
  }
  /** Calls a tool, which ends what it writes. */
  calls(name: string, args: object): void {
    const call: ChatToolCall = { type: 'tool-call', callId: `call-${name}`, name, arguments: args };
    this.#queue.push({ text: '', call }, { text: '' });
    this.#wake?.();
  }
  fails(fail: Error): void {
    this.#queue.push({ text: '', fail });
    this.#wake?.();
  }
}

/** The floor of a bundle, as main sees it: a lease, and decisions for it. */
function floorOf(model: InteractionModel, zeroMs = 0): SessionEngine & { stream: InteractionStream } {
  let leases = 0;
  const engine = {
    info: model.info,
    assertRoom: () => undefined,
    stream: undefined as unknown as InteractionStream,
    lease: (...[onDecision, onFailed]: Parameters<SessionEngine['lease']>) => {
      const id = ++leases;
      engine.stream = model.open(id, onDecision, { onFailed });
      return { id, engine: 0, zeroMs, release: () => engine.stream.close() };
    },
  };
  return engine;
}

const nothing: EngineOutlet = { nowMs: () => 0, more() {}, emit() {} };

/** The composite behind the interface of a model, for the suite that all models keep to. */
class CompositeModel implements InteractionModel {
  readonly info;
  readonly rows;
  readonly #floor: InteractionModel;
  readonly #parts: CompositeParts;
  constructor(floor: InteractionModel, parts: CompositeParts) {
    this.info = floor.info;
    this.rows = floor.rows;
    this.#floor = floor;
    this.#parts = parts;
  }
  open(lease: LeaseId, onDecision: (decision: Decision) => void): InteractionStream {
    const opened: { stream?: InteractionStream } = {};
    const engine: SessionEngine = {
      info: this.info,
      assertRoom: () => undefined,
      lease: (decide, onFailed) => {
        const stream = this.#floor.open(lease, decide, { onFailed });
        opened.stream = stream;
        return { id: lease, engine: 0, zeroMs: 0, release: () => stream.close() };
      },
    };
    const row = new CompositeEngine(engine, this.#parts).lease(
      onDecision,
      () => {},
      () => {},
      nothing,
    );
    return {
      push: (turn) => opened.stream!.push(turn),
      perceive: (perceived) => row.perceive?.(perceived),
      close: () => row.release(),
    };
  }
  close(): Promise<void> {
    return this.#floor.close();
  }
}

const partsOf = (more: Partial<CompositeParts> = {}): CompositeParts => ({
  llm: new ScriptedChat(),
  clip: async (fromMs, toMs) => ({ pcm: new Int16Array((toMs - fromMs) * 16), rateHz: 16_000, toMs }),
  turnTaking,
  maxOutputTokens: 100,
  log: silentLog,
  ...more,
});

interactionModelContract('CompositeEngine on a scripted floor', async (rows, clock) => {
  const script: Script = { 0: { floor: 'speaking' }, 1: { floor: 'speaking' }, 3: { floor: 'yielded' } };
  return new CompositeModel(new ScriptedModel({ rows, clock, script }), partsOf());
});

describe('a composite row', () => {
  /** A transcriber whose words the test gives. */
  class Scribe implements Transcriber {
    readonly name = 'scribe';
    listener: TranscriptListener | undefined;
    pushedMs: number[] = [];
    settled = 0;
    closed = 0;
    start(_fromMs: number, listener: TranscriptListener) {
      this.listener = listener;
      return {
        push: (_pcm: Int16Array, toMs: number) => void this.pushedMs.push(toMs),
        settle: () => void this.settled++,
        close: () => void this.closed++,
      };
    }
    close(): void {}
    says(text: string, coveredMs: number): void {
      const words = text.split(' ');
      this.listener!.onTranscript({ words, stable: words.length, coveredMs });
    }
  }

  const letters = { S: 'speaking', h: 'holding', Y: 'yielded', '.': 'silent' } as const;

  function talk(floors: string, more: Partial<CompositeParts> = {}, tools?: SessionTools) {
    const clock = new ManualClock();
    const script: Script = ({ index }) => ({
      floor: letters[floors[index] as keyof typeof letters] ?? 'silent',
      words: [{ text: `own${index}`, endMs: index * 200, confidence: 1 }],
      say: 'seven',
    });
    const model = new ScriptedModel({ clock, script });
    const llm = new ScriptedChat();
    const scribe = new Scribe();
    const floor = floorOf(model);
    const decisions: Decision[] = [];
    const said: string[] = [];
    const events: SessionEventBody[] = [];
    const parts = partsOf({ llm, transcriber: scribe, ...more });
    const row = new CompositeEngine(floor, parts).lease(
      (decision) => {
        decisions.push(decision);
        if (decision.say) said.push(decision.say);
      },
      () => {},
      () => {},
      {
        nowMs: () => clock.now(),
        more: (text) => said.push(text),
        emit: (event) => events.push(event),
        ...(tools && { tools: () => tools }),
      },
    );
    const settle = () => new Promise((resolve) => setTimeout(resolve, 2));
    let index = 0;
    const turns = async (count: number) => {
      for (let i = 0; i < count; i++) {
        clock.advance(200);
        floor.stream.push(hum(model, 1, index++, clock.now()));
        await settle();
      }
    };
    const observe = (event: SessionEventBody) =>
      row.observe!({ ...event, seq: 1, at: clock.now(), turn: index } as SessionEvent);
    return { clock, llm, scribe, decisions, said, events, row, turns, settle, observe };
  }

  it('passes every decision on in its place, with the transcriber’s words and the LLM’s speech for the bundle’s', async () => {
    const { turns, decisions, scribe, llm, said, settle } = talk('.SSSSY');
    await turns(5);
    expect(scribe.pushedMs).toEqual([400, 600, 800, 1000]);
    scribe.says('what time is it', 1000);
    await settle();
    expect(llm.requests).toHaveLength(1);
    expect(llm.requests[0]).toMatchObject({
      purpose: 'draft',
      messages: [{ role: 'user', content: 'what time is it …' }],
    });
    llm.writes('It is noon.', '');
    await turns(1);
    expect(scribe.settled).toBe(1);
    expect(said).toEqual([]);
    scribe.says('what time is it', 1200);
    expect(said).toEqual(['It is noon.']);
    await turns(2);
    expect(decisions.map(({ index, floor }) => [index, floor])).toEqual([
      [0, 'silent'],
      [1, 'speaking'],
      [2, 'speaking'],
      [3, 'speaking'],
      [4, 'speaking'],
      [5, 'yielded'],
      [6, 'silent'],
      [7, 'silent'],
    ]);
    expect(decisions.flatMap(({ words }) => words.map(({ text }) => text))).toEqual(['what', 'time', 'is', 'it']);
    expect(scribe.closed).toBe(1);
  });

  it('left to itself, drafts from the moment on in which the LLM is known to be slow', async () => {
    const auto = { ...turnTaking, drafting: { ...turnTaking.drafting, enabled: 'auto' as const } };
    const { turns, scribe, llm, settle } = talk('.SSSSSSSY', { turnTaking: auto });
    await turns(5);
    scribe.says('what time is it', 1000);
    await settle();
    expect(llm.requests).toEqual([]);
    llm.firstTokenMs = 900;
    await turns(1);
    expect(llm.requests).toMatchObject([{ purpose: 'draft' }]);
  });

  it('counts what its transcribers were sent, over all utterances', async () => {
    const { turns, scribe, row } = talk('.SSSSY...SSSY');
    await turns(3);
    scribe.listener!.onSent!({ requests: 1, seconds: 0.5 });
    scribe.listener!.onSent!({ requests: 1, seconds: 1 });
    await turns(3);
    scribe.says('what time is it', 1200);
    await turns(4);
    scribe.listener!.onSent!({ requests: 1, seconds: 2 });
    expect(row.transcribed).toEqual({ requests: 3, seconds: 3.5 });
  });

  it('without a transcriber understands what the bundle does', async () => {
    const { turns, llm, decisions, row } = talk('.SSSSY', { transcriber: undefined });
    expect(row.transcribed).toBeUndefined();
    await turns(7);
    expect(llm.requests.at(-1)).toMatchObject({ messages: [{ content: 'own1 own2 own3 own4 own5 own6' }] });
    expect(decisions[3]!.words).toMatchObject([{ text: 'own3' }]);
  });

  it('goes on with the bundle’s words where the transcriber fails, and says so', async () => {
    const { MicroturnError } = await import('@microturn/protocol');
    const { turns, scribe, llm, events } = talk('.SSSSY');
    await turns(3);
    scribe.listener!.onFailed(new MicroturnError('transcriber/failed'));
    await turns(4);
    expect(events).toContainEqual(expect.objectContaining({ type: 'error', code: 'transcriber/failed' }));
    expect(llm.requests.at(-1)).toMatchObject({
      purpose: 'reply',
      messages: [{ content: 'own1 own2 own3 own4 own5 own6' }],
    });
  });

  it('a media thread that has no sound costs the utterance its transcriber, not the call', async () => {
    const { turns, llm, events } = talk('.SSSSY', { clip: () => Promise.reject(new Error('gone')) });
    await turns(7);
    expect(events.filter(({ type }) => type === 'error')).toHaveLength(1);
    expect(llm.requests.at(-1)).toMatchObject({ purpose: 'reply' });
  });

  it('an LLM that fails in the middle of an answer ends it there, with a coded error', async () => {
    const { turns, scribe, llm, said, events, decisions, settle } = talk('.SSSSY');
    await turns(6);
    scribe.says('what time is it', 1200);
    await settle();
    llm.writes('It is noon. And');
    await settle();
    llm.fails(new Error('connection reset'));
    await settle();
    await turns(1);
    expect(said).toEqual(['It is noon.', 'And']);
    expect(events.filter(({ type }) => type === 'error')).toMatchObject([{ code: 'edge/internal' }]);
    expect(decisions.at(-1)!.more).toBeUndefined();
  });

  it('tells the LLM what was heard, and cancels what it writes when the call ends', async () => {
    const { turns, scribe, llm, observe, row, settle } = talk('.SSSSY..SSSSY');
    await turns(6);
    scribe.says('tell me a story', 1200);
    await settle();
    llm.writes('Once upon a time there was a fox. ', '');
    await settle();
    observe({ type: 'response.started', responseId: 'r1', kind: 'reply', audience: 'room' });
    observe({ type: 'response.text', responseId: 'r1', text: 'Once upon a time there was a fox.', words: [] });
    observe({
      type: 'response.interrupted',
      responseId: 'r1',
      by: 'user',
      heardMs: 1,
      heardText: 'Once upon',
      unheardText: 'a',
    });
    await turns(7);
    scribe.says('no a joke', 2600);
    await settle();
    const last = llm.requests.at(-1)!;
    expect(last.messages).toEqual([
      { role: 'user', content: 'tell me a story' },
      { role: 'assistant', content: 'Once upon —' },
      { role: 'user', content: 'no a joke' },
    ]);
    expect(last.signal.aborted).toBe(false);
    row.release();
    row.release();
    expect(last.signal.aborted).toBe(true);
  });

  it('knows what was said and heard in a process that is gone', async () => {
    const { turns, scribe, llm, row, observe, settle } = talk('.SSSSY');
    const word = (text: string) => ({ type: 'transcript.word', participant: 'ann', text, endMs: 1, confidence: 1, final: true }) as const; // prettier-ignore
    const said = (responseId: string, text: string): SessionEventBody[] => [
      { type: 'response.started', responseId, kind: 'reply', audience: 'room' },
      { type: 'response.text', responseId, text, words: [] },
    ];
    const events: SessionEventBody[] = [
      ...said('greeting', 'Hello.'),
      { type: 'response.completed', responseId: 'greeting', heardMs: 400 },
      ...['tell', 'me', 'a'].map(word),
      { type: 'response.started', responseId: 'hm', kind: 'backchannel', audience: 'room' },
      word('story'),
      ...said('story', 'Once upon a time there was a fox.'),
      { type: 'response.heard', responseId: 'story', heardMs: 300, heardText: 'Once upon' },
    ];
    row.restore!(events.map((event, i) => ({ ...event, seq: i + 1, at: i, turn: 0 }) as SessionEvent));
    // Where the process ended, so did what it was saying.
    observe({ type: 'response.interrupted', responseId: 'story', by: 'agent', heardMs: 300, heardText: 'Once upon', unheardText: 'a time there was a fox.' }); // prettier-ignore
    await turns(6);
    scribe.says('go on', 1200);
    await settle();
    expect(llm.requests.at(-1)!.messages).toEqual([
      { role: 'user', content: '(They have joined.)' },
      { role: 'assistant', content: 'Hello.' },
      { role: 'user', content: 'tell me a story' },
      { role: 'assistant', content: 'Once upon —' },
      { role: 'user', content: 'go on' },
    ]);
  });

  it('a decision never waits: an LLM that says nothing for ten seconds delays none', async () => {
    const { turns, scribe, decisions, settle } = talk('.SSSSY');
    await turns(6);
    scribe.says('what time is it', 1200);
    await settle();
    await turns(50);
    expect(decisions).toHaveLength(56);
    expect(decisions.every(({ lagMs }) => lagMs === 0)).toBe(true);
  });

  it('counts what drafts and answers have cost, also those that it gave up', async () => {
    const { turns, scribe, llm, row, settle } = talk('.SSSSSSSY');
    await turns(5);
    scribe.says('what time is it', 1000);
    await settle();
    llm.writes('It is noon.', '');
    await settle();
    expect(row.spent).toEqual({ tokensIn: 100, tokensOut: 20, cost: 0.5 });
    await turns(3);
    scribe.says('what time is it in Rome', 1600);
    await settle();
    expect(llm.requests).toHaveLength(2);
    scribe.says('what time was dinner', 1600);
    await settle();
    expect(llm.requests[1]!.signal.aborted).toBe(true);
    expect(row.spent).toEqual({ tokensIn: 200, tokensOut: 20, cost: 0.5 });
  });

  it('words that become known between two decisions are in the transcript, with the next', async () => {
    const { turns, scribe, decisions } = talk('.SSSSY..');
    await turns(6);
    scribe.says('what time is it', 1200);
    await turns(1);
    expect(decisions.map(({ words }) => words.map(({ text }) => text).join(' '))).toEqual([
      ...Array.from<string>({ length: 6 }).fill(''),
      'what time is it',
    ]);
  });

  describe('with tools', () => {
    /** One tool, whose calls the test answers. */
    function weather() {
      const calls: { args: unknown; signal: AbortSignal; answer: (text: string) => void; fail: (error: Error) => void }[] = []; // prettier-ignore
      const tools: SessionTools = {
        list: () => [{ name: 'weather', description: 'of a place', parameters: { type: 'object' } }],
        call: ({ arguments: args }, signal) =>
          new Promise((answer, fail) => {
            calls.push({ args, signal, answer, fail });
            signal.addEventListener('abort', () => fail(signal.reason as Error));
          }),
      };
      return { tools, calls };
    }
    const called = { type: 'tool-call', toolCallId: 'call-weather', toolName: 'weather', input: { place: 'Rome' } };
    const resultOf = (type: string, value: string) => ({
      role: 'tool',
      content: [{ type: 'tool-result', toolCallId: 'call-weather', toolName: 'weather', output: { type, value } }],
    });

    it('an answer calls one while it talks, and goes on with the result; no decision waits for it', async () => {
      const { tools, calls } = weather();
      const { turns, scribe, llm, said, decisions, observe, settle } = talk('.SSSSY', {}, tools);
      await turns(6);
      scribe.says('is it warm in Rome', 1200);
      await settle();
      llm.writes('Let me look.');
      llm.calls('weather', { place: 'Rome' });
      await settle();
      expect(said).toEqual(['Let me look.']);
      expect(llm.requests[0]).toMatchObject({ tools: [{ name: 'weather' }] });
      observe({ type: 'response.started', responseId: 'r1', kind: 'reply', audience: 'room' });
      observe({ type: 'response.text', responseId: 'r1', text: 'Let me look.', words: [] });
      await turns(60);
      // Nothing of it is being said: the response ends, and others may speak.
      expect(decisions.at(-1)!.more).toBeUndefined();
      expect(decisions).toHaveLength(66);
      observe({ type: 'response.completed', responseId: 'r1', heardMs: 400 });
      expect(calls).toMatchObject([{ args: { place: 'Rome' } }]);
      calls[0]!.answer('21 degrees');
      await settle();
      llm.writes('It is 21 degrees.', '');
      await settle();
      expect(llm.requests[1]!.messages).toEqual([
        { role: 'user', content: 'is it warm in Rome' },
        { role: 'assistant', content: [{ type: 'text', text: 'Let me look.' }, called] },
        resultOf('text', '21 degrees'),
      ]);
      expect(said).toEqual(['Let me look.', 'It is 21 degrees.']);
      observe({ type: 'response.started', responseId: 'r2', kind: 'reply', audience: 'room' });
      observe({ type: 'response.completed', responseId: 'r2', heardMs: 400 });
      await turns(1);
      expect(llm.requests).toHaveLength(2);
    });

    it('what the user says meanwhile calls nothing off, and is told with the result', async () => {
      const { tools, calls } = weather();
      const { turns, scribe, llm, settle } = talk('.SSSSY..SSSY', {}, tools);
      await turns(6);
      scribe.says('is it warm in Rome', 1200);
      await settle();
      llm.calls('weather', { place: 'Rome' });
      await turns(6);
      scribe.says('yes you may', 2400);
      await settle();
      expect(calls[0]!.signal.aborted).toBe(false);
      calls[0]!.fail(new Error('no network'));
      await settle();
      expect(llm.requests.at(-1)!.messages.slice(2)).toEqual([
        resultOf('error-text', expect.stringContaining('no network') as unknown as string),
        { role: 'user', content: 'yes you may' },
      ]);
    });

    it('a draft calls none before it is the answer, and one that is dropped never does', async () => {
      const { tools, calls } = weather();
      const { turns, scribe, llm, settle } = talk('.SSSShY', {}, tools);
      await turns(5);
      scribe.says('is it warm in Rome', 1000);
      await settle();
      expect(llm.requests).toMatchObject([{ purpose: 'draft' }]);
      llm.calls('weather', { place: 'Rome' });
      await turns(1);
      expect(calls).toEqual([]);
      await turns(1);
      scribe.says('is it warm in Rome', 1400);
      await settle();
      expect(calls).toHaveLength(1);
      expect(llm.requests).toHaveLength(1);
    });

    it('is given up with its answer', async () => {
      const { tools, calls } = weather();
      const { turns, scribe, llm, row, settle } = talk('.SSSSY', {}, tools);
      await turns(6);
      scribe.says('is it warm in Rome', 1200);
      await settle();
      llm.calls('weather', { place: 'Rome' });
      await settle();
      row.typed!({ field: 'message', text: 'never mind', sent: true });
      expect(calls[0]!.signal.aborted).toBe(true);
      await settle();
      expect(llm.requests.at(-1)!.messages.at(-1)).toMatchObject({ content: expect.stringContaining('never mind') });
    });
  });

  it('does not hear what comes after the end', async () => {
    const { turns, row, decisions, scribe } = talk('.SSSS');
    await turns(3);
    row.release();
    scribe.says('anybody there', 600);
    row.observe!({ type: 'session.closed', reason: 'x', seq: 1, at: 1, turn: 1 });
    expect(decisions).toHaveLength(3);
    expect(scribe.closed).toBe(1);
  });
});
