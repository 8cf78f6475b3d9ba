import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { OpenAiServer } from '@microturn/edge/testing';
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { InteractionSession } from '../../packages/sdk-js/src/index.js';
import { EdgeProcess } from '../support/edge-process.js';
import { connectSdk } from '../support/sdk-session.js';
import { TemporaryFolder } from '../support/temporary-folder.js';
import type { SessionEvent } from '@microturn/protocol';

const sockets: WebSocket[] = [];
class WatchedWebSocket extends WebSocket {
  constructor(url: string) {
    super(url);
    sockets.push(this);
    // A browser's is quiet about it; its close event says the same.
    this.on('error', () => undefined);
  }
}

const isConnected = (session: InteractionSession) => session.connection.value.status === 'connected';

// `npm test` provides the worker.
describe.skipIf(!process.env['MEDIASOUP_WORKER_BIN'])('the SDK, with an edge of its own and libwebrtc', () => {
  let edge: EdgeProcess | undefined;
  let session: InteractionSession | undefined;
  beforeAll(() => {
    const globals = globalThis as Record<string, unknown>;
    globals['WebSocket'] = WatchedWebSocket;
  });
  afterEach(async () => {
    await session?.close();
    await edge?.stop();
  });

  it('comes back after a dropped socket and after a killed worker, and is spoken to again', async () => {
    edge = await EdgeProcess.start();
    session = await connectSdk(edge);
    const seqs: number[] = [];
    session.events.subscribe(({ seq }) => seqs.push(seq));
    const { sessionId } = session.info.value!;

    const worker = Number(
      execFileSync('ps', ['-o', 'pid=', '--ppid', String(edge.pid)], { encoding: 'utf8' })
        .trim()
        .split('\n')[0],
    );
    for (const fault of [() => sockets.at(-1)!.terminate(), () => process.kill(worker, 'SIGKILL')]) {
      fault();
      await vi.waitFor(() => expect(isConnected(session!)).toBe(false), { interval: 5 });
      await vi.waitFor(() => expect(isConnected(session!)).toBe(true), { interval: 5 });
      expect(session.info.value!.sessionId).toBe(sessionId);
      expect(session.agentTrack.value?.readyState).toBe('live');
      const { responseId } = await session.say('back again');
      // Heard to its end by the SDK's own reports, or by the edge's patience where this runtime has none to give.
      await session.until(
        ({ responses }) => responses.some(({ id, status }) => id === responseId && status === 'completed'),
        { timeoutMs: 10_000 },
      );
    }
    expect(seqs).toEqual(seqs.map((_, i) => seqs[0]! + i));
  });

  it('fault 3, the edge is killed in mid-response: comes back to its session in the process that follows', async () => {
    await using folder = await TemporaryFolder.create();
    const args = ['--store', 'disk', '--data', folder.path];
    edge = await EdgeProcess.start({ args });
    session = await connectSdk(edge);
    const events: SessionEvent[] = [];
    session.events.subscribe((event) => events.push(event));
    const { sessionId } = session.info.value!;
    const { responseId } = await session.say('one two three four five six seven eight nine ten eleven twelve');
    await session.until(({ responses }) => responses.some(({ text }) => text !== ''), { timeoutMs: 10_000 });
    await new Promise((resolve) => setTimeout(resolve, 600)); // two batches of the store
    const killedAtMs = session.nowMs;
    const killedAt = performance.now();
    await edge.kill();
    edge = await EdgeProcess.start({ args, after: edge });
    await vi.waitFor(() => expect(isConnected(session!)).toBe(true), { interval: 5 });
    expect(session.info.value!.sessionId).toBe(sessionId);
    const seqs = events.map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, i) => seqs[0]! + i));
    expect(events.findLast((event) => 'responseId' in event && event.responseId === responseId)).toMatchObject({
      type: 'response.interrupted',
      by: 'agent',
    });
    const resumed = events.find(({ type }) => type === 'session.resumed')!;
    // The clock went on while there was no edge.
    expect(resumed.at - killedAtMs).toBeGreaterThan(300);
    expect(resumed).toMatchObject({ lostMs: expect.any(Number) });
    expect(Math.abs(session.nowMs - killedAtMs - (performance.now() - killedAt))).toBeLessThan(1000);
    const again = await session.say('back again');
    await session.until(
      ({ responses }) => responses.some(({ id, status }) => id === again.responseId && status === 'completed'),
      { timeoutMs: 10_000 },
    );
    // Nothing of what was being said is said again.
    expect(events.filter(({ type }) => type === 'response.started')).toHaveLength(2);
  });

  it.each([
    ['fault 4, SIGTERM', (one: EdgeProcess) => one.stop()],
    ['fault 3, SIGKILL', (one: EdgeProcess) => one.kill()],
  ])('%s: Nano reminds at the time that it was asked for, in the process that follows', async (signal, end) => {
    await using folder = await TemporaryFolder.create();
    const args = ['--store', 'disk', '--data', folder.path];
    edge = await EdgeProcess.start({ args });
    session = await connectSdk(edge);
    const events: SessionEvent[] = [];
    session.events.subscribe((event) => events.push(event));
    const askedAtMs = session.nowMs;
    session.send('Remind me in twenty seconds.');
    // For the model to note it, and for two batches of the store.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await end(edge);
    edge = await EdgeProcess.start({ args, after: edge });
    const reminded = await vi.waitFor(
      () => events.find(({ type }) => type === 'reminder.fired') ?? expect.unreachable('no reminder'),
      { timeout: 40_000, interval: 50 },
    );
    const resumed = events.find((event) => event.type === 'session.resumed')!;
    const waitedMs = reminded.at - askedAtMs;
    const { lostMs, snapshotAgeMs } = resumed;
    console.log(`  ${signal}: reminded after ${waitedMs} ms; ${JSON.stringify({ lostMs, snapshotAgeMs })}`);
    // Or as soon as it is back, where a busy machine takes longer than that.
    const dueMs = Math.max(20_000, resumed.at - askedAtMs);
    expect(Math.abs(waitedMs - dueMs)).toBeLessThan(2000);
    if (signal.endsWith('SIGTERM')) expect(snapshotAgeMs).toBeGreaterThan(0);
    else expect(resumed).not.toHaveProperty('snapshotAgeMs');
  });

  it('fault 3, with an LLM: the process that follows tells it what was typed and heard', async () => {
    await using folder = await TemporaryFolder.create();
    const answer = 'The train leaves at nine from the second platform.';
    const server = await OpenAiServer.start({ chat: [{ text: answer }, { text: 'As I said, at nine.' }] });
    onTestFinished(() => server.close());
    const recipes = { scripted: { llm: { baseUrl: server.url, model: 'm' } } };
    await writeFile(folder.file('edge.yaml'), JSON.stringify({ recipes }));
    const args = ['--config', folder.file('edge.yaml'), '--store', 'disk', '--data', folder.file('data')];
    edge = await EdgeProcess.start({ args });
    session = await connectSdk(edge);
    const isSaid = (text: string) =>
      session!.until(({ responses }) => responses.some((one) => one.text === text && one.status === 'completed'), {
        timeoutMs: 20_000,
      });
    session.send('When does the train leave?');
    await isSaid(answer);
    await new Promise((resolve) => setTimeout(resolve, 600)); // two batches of the store
    await edge.kill();
    edge = await EdgeProcess.start({ args, after: edge });
    await vi.waitFor(() => expect(isConnected(session!)).toBe(true), { interval: 5 });
    session.send('What did you say?');
    await isSaid('As I said, at nine.');
    const { messages } = server.chats.at(-1)!.body;
    expect(messages.slice(1)).toEqual([
      { role: 'user', content: 'When does the train leave?' },
      { role: 'assistant', content: answer },
      { role: 'user', content: 'What did you say?' },
    ]);
    expect(session.transcript.value.map(({ text }) => text)).toEqual([
      'When does the train leave?',
      answer,
      'What did you say?',
      'As I said, at nine.',
    ]);
    expect(server.problems).toEqual([]);
  });

  it('fault 3, with tasks: the unfinished begins again, the unsaid is said once, and nothing is said twice', async () => {
    await using folder = await TemporaryFolder.create();
    let unfinished = 0;
    const server = await OpenAiServer.start({
      chat: ({ messages }) => {
        const asked = /now asks: (\w+)/.exec(JSON.stringify(messages.at(-1)))?.[1];
        if (asked === 'unfinished' && ++unfinished === 1) return { text: 'This is lost.', stallAfter: 2 };
        return { text: `The ${asked} one.` };
      },
    });
    onTestFinished(() => server.close());
    const models = { scripted: { provider: 'openai-compatible', baseUrl: server.url, model: 'm' } };
    await writeFile(folder.file('edge.yaml'), JSON.stringify({ llm: { models } }));
    const args = ['--config', folder.file('edge.yaml'), '--store', 'disk', '--data', folder.file('data')];
    edge = await EdgeProcess.start({ args });
    session = await connectSdk(edge);
    const events: SessionEvent[] = [];
    session.events.subscribe((event) => events.push(event));
    const statusOf = (prompt: string) => session!.tasks.value.find((task) => task.prompt === prompt)?.status;
    const isNow = (prompt: string, status: string) =>
      vi.waitFor(() => expect(statusOf(prompt)).toBe(status), { interval: 20 });

    await session.ask('said');
    await isNow('said', 'woven');
    // While the agent says something else, nothing is woven in.
    await session.say('one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen');
    await session.ask('unsaid');
    await session.ask('unfinished');
    await isNow('unsaid', 'done');
    await isNow('unfinished', 'streaming');
    await new Promise((resolve) => setTimeout(resolve, 600)); // two batches of the store
    expect([statusOf('unsaid'), statusOf('unfinished')]).toEqual(['done', 'streaming']);
    await edge.kill();
    edge = await EdgeProcess.start({ args, after: edge });
    await isNow('unsaid', 'woven');
    await isNow('unfinished', 'woven');
    // Time for one that would be said again.
    await new Promise((resolve) => setTimeout(resolve, 1500));

    const seqs = events.map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, i) => seqs[0]! + i));
    const relays = events.filter((event) => event.type === 'response.started').filter(({ kind }) => kind === 'relay');
    const said = relays.map(({ responseId }) =>
      events.flatMap((event) =>
        event.type === 'response.text' && event.responseId === responseId ? [event.text.trim()] : [],
      ),
    );
    expect(said.map((texts) => texts.join(' ')).toSorted()).toEqual([
      'The said one.',
      'The unfinished one.',
      'The unsaid one.',
    ]);
    expect(events.filter(({ type }) => type === 'task.created')).toHaveLength(3);
    expect(events.filter(({ type }) => type === 'task.woven')).toHaveLength(3);
    // The finished ones were not asked again.
    expect(server.chats).toHaveLength(4);
    expect(server.problems).toEqual([]);
  });
});
