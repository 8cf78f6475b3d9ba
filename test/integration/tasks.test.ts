import type { SessionEvent } from '@microturn/protocol';
import { OpenAiServer } from '@microturn/edge/testing';
import wrtc from '@roamhq/wrtc';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { InteractionSession } from '../../packages/sdk-js/src/index.js';
import { EdgeProcess } from '../support/edge-process.js';
import { connectSdk } from '../support/sdk-session.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const FRAME_MS = 10;
const LOUD = 0.01 * 32_768;
const LATE_MS = 1500;

/** The longest silence between the first and the last sound of a track so far, ms. */
class GapMeter {
  #quietMs = 0;
  #heard = false;
  longestMs = 0;
  loudMs = 0;
  readonly #sink: InstanceType<typeof wrtc.nonstandard.RTCAudioSink>;

  constructor(track: MediaStreamTrack) {
    this.#sink = new wrtc.nonstandard.RTCAudioSink(track);
    this.#sink.ondata = ({ samples }: { samples: Int16Array }) => {
      if (samples.some((sample) => Math.abs(sample) > LOUD)) {
        if (this.#heard) this.longestMs = Math.max(this.longestMs, this.#quietMs);
        this.#heard = true;
        this.#quietMs = 0;
        this.loudMs += FRAME_MS;
      } else this.#quietMs += FRAME_MS;
    };
  }

  stop(): void {
    this.#sink.stop();
  }
}

// `npm test` provides the worker.
describe.skipIf(!process.env['MEDIASOUP_WORKER_BIN'])('tasks of an edge of its own', () => {
  let server: OpenAiServer;
  let edge: EdgeProcess;
  beforeAll(async () => {
    (globalThis as Record<string, unknown>)['WebSocket'] = WebSocket;
    server = await OpenAiServer.start({
      chat: ({ messages }) =>
        JSON.stringify(messages.at(-1)).includes('now asks: slow')
          ? { text: 'This comes late.', delayMs: LATE_MS }
          : { text: 'One. Two. Three. Four. Five. Six.', tokensPerSecond: 5 },
    });
    await using folder = await TemporaryFolder.create();
    const models = { scripted: { provider: 'openai-compatible', baseUrl: server.url, model: 'm' } };
    await writeFile(folder.file('edge.yaml'), JSON.stringify({ llm: { models } }));
    edge = await EdgeProcess.start({ args: ['--config', folder.file('edge.yaml')] });
  });
  afterAll(async () => {
    await edge.stop();
    await server.close();
  });

  // Each in a room of its own: most of what they take is waiting, and being said.
  it.concurrent.each<[how: string, callOff: (session: InteractionSession) => Promise<unknown>, status: string]>([
    ['a click', (call) => call.cancel(), 'cancelled'],
    ['a change of subject', (call) => call.changeSubject(), 'stale'],
    ['“never mind”, typed as a question', (call) => call.ask('Never mind.'), 'cancelled'],
    ['“never mind”, sent as a message', async (call) => call.send('never mind'), 'cancelled'],
    ['“let’s talk about something else”', (call) => call.ask("Let's talk about something else"), 'stale'],
  ])('%s: a late result is never said, and the next one is', async (how, callOff, status) => {
    await using session = await connectSdk(edge, { room: how });
    const events: SessionEvent[] = [];
    session.events.subscribe((event) => events.push(event));
    const { taskId } = await session.ask('slow');
    await sleep(200);
    await callOff(session);
    await vi.waitFor(() => expect(session.tasks.value.find(({ id }) => id === taskId)?.status).toBe(status));
    // Past the time at which its result would have come, a later one is said.
    await sleep(LATE_MS);
    const next = await session.ask('quick');
    await vi.waitFor(() => expect(session.tasks.value.find(({ id }) => id === next.taskId)?.status).toBe('woven'), {
      interval: 50,
    });
    const relayed = events.filter((event) => event.type === 'response.started').map((response) => response.taskId);
    expect(new Set(relayed)).toEqual(new Set([next.taskId]));
    expect(events.some((event) => event.type === 'response.text' && event.text.includes('late'))).toBe(false);
  });

  it('what is being said goes on while tasks stream: no silence of a second in it', async () => {
    await using session = await connectSdk(edge);
    const meter = new GapMeter(session.agentTrack.value!);
    const { responseId } = await session.say(
      'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen',
    );
    const asked = await Promise.all(Array.from({ length: 4 }, (_, i) => session.ask(`question ${i}`)));
    await session.until(
      ({ responses }) => responses.some(({ id, status }) => id === responseId && status === 'completed'),
      { timeoutMs: 20_000 },
    );
    meter.stop();
    const tasks = session.tasks.value.filter(({ id }) => asked.some(({ taskId }) => taskId === id));
    expect(tasks.every(({ text }) => text !== '')).toBe(true);
    expect(meter.loudMs).toBeGreaterThan(2000);
    expect(meter.longestMs).toBeLessThan(1000);
  });
});
