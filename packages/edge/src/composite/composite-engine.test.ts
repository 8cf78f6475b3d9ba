import type { SessionEvent, SessionEventBody } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import type { Decision, InteractionModel, InteractionStream, LeaseId } from '../engine/types.js';
import { freshDecoder } from '../engine/decode.js';
import type { SessionEngine } from '../session/index.js';
import { interactionModelContract } from '../testing/interaction-model.contract.js';
import { ManualClock } from '../testing/manual-clock.js';
import { ScriptedModel, type Script } from '../testing/scripted-model.js';
import { CompositeEngine } from './composite-engine.js';
import type { CompositeParts } from './composite-row.js';
import { nothing, partsOf, talk, turnTaking } from './fixtures/row-talk.js';

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

interactionModelContract('CompositeEngine on a scripted floor', async (rows, clock) => {
  const script: Script = { 0: { floor: 'speaking' }, 1: { floor: 'speaking' }, 3: { floor: 'yielded' } };
  return new CompositeModel(new ScriptedModel({ rows, clock, script }), partsOf());
});

describe('a composite row', () => {
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

  it('keeps what the transcriber had understood before it failed, and takes the bundle’s words from there on', async () => {
    const { MicroturnError } = await import('@microturn/protocol');
    const { turns, scribe, llm, decisions } = talk('.SSSSSSY');
    await turns(5);
    scribe.says('what time is it', 800);
    await turns(1);
    scribe.listener!.onFailed(new MicroturnError('transcriber/failed'));
    await turns(5);
    expect(llm.requests.at(-1)).toMatchObject({
      purpose: 'reply',
      messages: [{ content: 'what time is it own5 own6 own7 own8' }],
    });
    const told = decisions.flatMap(({ words }) => words.map(({ text }) => text));
    expect(told).toEqual(['what', 'time', 'is', 'it', 'own5', 'own6', 'own7', 'own8']);
  });

  it('takes all of the bundle’s words for what the transcriber had only begun to understand', async () => {
    const { MicroturnError } = await import('@microturn/protocol');
    const { turns, scribe, llm } = talk('.SSSSY');
    await turns(5);
    scribe.listener!.onTranscript({ words: ['what', 'time'], stable: 1, covered: 0, coveredMs: 0 });
    scribe.listener!.onTranscript({ words: [], stable: 0, coveredMs: 800 });
    scribe.listener!.onFailed(new MicroturnError('transcriber/failed'));
    await turns(3);
    expect(llm.requests.at(-1)).toMatchObject({ messages: [{ content: 'own1 own2 own3 own4 own5 own6' }] });
  });

  it('takes them, too, where the transcriber has not a word in time, and says so once', async () => {
    const { turns, scribe, llm, events } = talk(`.SSSSY${'.'.repeat(20)}`);
    await turns(18);
    expect(events).toEqual([]);
    await turns(8);
    expect(events).toEqual([expect.objectContaining({ type: 'error', code: 'transcriber/failed' })]);
    expect(scribe.closed).toBe(1);
    expect(llm.requests).toHaveLength(1);
    expect(llm.requests[0]).toMatchObject({
      purpose: 'reply',
      messages: [{ content: expect.stringMatching(/^own1 own2 own3 own4 own5/) as unknown }],
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

  it('of a draft that was cut it says so once it is the answer, and nothing where it never is', async () => {
    const { turns, scribe, llm, said, events, settle } = talk('.SSSSSSSSSY..');
    const errors = () => events.filter(({ type }) => type === 'error');
    llm.reason = 'length';
    await turns(4);
    scribe.says('what time is', 800);
    await turns(1);
    llm.writes('It is now.', '');
    await turns(1);
    scribe.says('what time was it', 1200);
    await turns(3);
    llm.writes('It was noon. And', '');
    await settle();
    expect([llm.requests.map(({ purpose }) => purpose), errors()]).toEqual([['draft', 'draft'], []]);
    await turns(2);
    scribe.says('what time was it', 2200);
    await settle();
    expect(said).toEqual(['It was noon. And']);
    expect(errors()).toMatchObject([{ code: 'llm/malformed', message: expect.stringContaining('maxOutputTokens') }]);
    await turns(2);
    expect(errors()).toHaveLength(1);
  });

  it('asks for an answer again that it gave up for what was not meant for it, with the question as it was', async () => {
    const { turns, scribe, llm, said, settle } = talk('.SSSSYSSSSSSe.');
    await turns(6);
    scribe.says('what time is it', 1200);
    await turns(6);
    expect(llm.requests[0]!.signal.aborted).toBe(true);
    await turns(2);
    expect(llm.requests.map(({ messages }) => messages)).toEqual([
      [{ role: 'user', content: 'what time is it' }],
      [{ role: 'user', content: 'what time is it' }],
    ]);
    llm.writes('It is noon.', '');
    await settle();
    expect(said).toEqual(['It is noon.']);
  });

  it('and says something with it, where a word of it was heard', async () => {
    const { turns, scribe, llm, observe, settle } = talk('.SSSSYSSSSSSe.');
    await turns(6);
    scribe.says('what time is it', 1200);
    await settle();
    observe({ type: 'response.started', responseId: 'r1', kind: 'reply', audience: 'room' });
    observe({ type: 'response.text', responseId: 'r1', text: 'One moment.', words: [] });
    observe({ type: 'response.completed', responseId: 'r1', heardMs: 400 });
    await turns(8);
    expect(llm.requests.at(-1)!.messages).toEqual([
      { role: 'user', content: 'what time is it' },
      { role: 'assistant', content: 'One moment.' },
      { role: 'user', content: '(They wait for your answer.)' },
    ]);
  });

  it('says so, too, where the user coughed when it failed', async () => {
    const { turns, scribe, llm, events, settle } = talk('.SSSSYS');
    await turns(6);
    scribe.says('what time is it', 1200);
    await turns(1);
    llm.fails(new Error('connection reset'));
    await settle();
    expect(events).toEqual([expect.objectContaining({ type: 'error' })]);
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
      { type: 'transcript.typed', participant: 'ann', text: 'of 3 foxes' },
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
      { role: 'user', content: 'tell me a story of 3 foxes' },
      { role: 'assistant', content: 'Once upon —' },
      { role: 'user', content: 'go on' },
    ]);
  });

  it('goes on from what the floor of another process remembered', () => {
    const remembered = { index: 4, decoder: freshDecoder, floor: 'silent', state: new Float32Array(1) } as const;
    const wentOn: unknown[] = [];
    const floor: SessionEngine = {
      info: new ScriptedModel({ clock: new ManualClock() }).info,
      assertRoom: () => undefined,
      lease: () => ({
        id: 1,
        engine: 0,
        zeroMs: 0,
        remembered: () => remembered,
        goOn: (from) => wentOn.push(from) === 1,
        release: () => undefined,
      }),
    };
    const lease = () => new CompositeEngine(floor, partsOf()).lease(() => {}, () => {}, () => {}, nothing); // prettier-ignore
    expect(lease().remembered!()).toBe(remembered);
    expect([lease().goOn!(remembered), wentOn]).toEqual([true, [remembered]]);
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

  it('drafts no more in a minute in which drafts have cost enough', async () => {
    const drafting = { ...turnTaking.drafting, everyMs: 0, costPerMinute: 0.5 };
    const { turns, scribe, llm, settle } = talk('.SSSSSSSS', { turnTaking: { ...turnTaking, drafting } });
    await turns(5);
    scribe.says('what time is it', 1000);
    llm.writes('It is noon.', '');
    await turns(2);
    expect(llm.requests).toHaveLength(1);
    scribe.says('what time is it in Rome', 1400);
    await settle();
    expect(llm.requests).toHaveLength(1);
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

  it('tells an utterance once, when all of its words are known, and where its sound begins', async () => {
    const { turns, scribe, told } = talk('...SSSY....');
    await turns(5);
    scribe.says('yes', 1000);
    await turns(4);
    scribe.says('yes', 1200);
    expect(told).toEqual([]);
    scribe.says('yes but not yet', 1400);
    await turns(2);
    expect(told).toEqual([{ words: ['yes', 'but', 'not', 'yet'], fromMs: 200 }]);
  });

  it('without a transcriber tells none: the words are the bundle’s, and in its decisions', async () => {
    const { turns, told } = talk('.SSSSY...', { transcriber: undefined });
    await turns(9);
    expect(told).toEqual([]);
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
