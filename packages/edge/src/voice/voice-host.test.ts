import { mkdir, rm } from 'node:fs/promises';
import type { MessagePort } from 'node:worker_threads';
import { build } from 'esbuild';
import { MicroturnError } from '@microturn/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { SpeechMessage } from '../media/types.js';
import { type Log, silentLog } from '../telemetry/log.js';
import type { SpokenClause } from './messages.js';
import type { VoiceSpec } from './open-voice.js';
import { SpeechServer } from '../testing/speech-server.js';
import { VoiceHost, type VoiceHostOptions, voiceQueue } from './voice-host.js';

const LONG = 'This is one sentence of the text. '.repeat(20).trim();
/** Where the packages that the thread imports are found. */
const builtDir = new URL(`../../node_modules/.cache/voice-thread-${process.pid}/`, import.meta.url);
const threadUrl = new URL('voice-thread.js', builtDir);

beforeAll(async () => {
  await mkdir(builtDir, { recursive: true });
  await build({
    entryPoints: [new URL('./voice-thread.ts', import.meta.url).pathname],
    outfile: threadUrl.pathname,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
});
afterAll(() => rm(builtDir, { recursive: true, force: true }));

/** A thread that does what the test says on each `speak`, and before it is ready. */
const scripted = (onSpeak: string, load = '') =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`
      import { parentPort } from 'node:worker_threads';
      let speech;
      ${load}
      parentPort.on('message', (m) => {
        if (m.type === 'connect') speech = m.port;
        if (m.type === 'speak') { ${onSpeak} }
      });
      parentPort.postMessage({ type: 'ready', name: 'scripted' });
    `)}`,
  );

class Listener {
  readonly messages: SpeechMessage[] = [];
  readonly port: MessagePort;
  #waiting: (() => void)[] = [];
  constructor(port: MessagePort) {
    this.port = port.on('message', (message: SpeechMessage) => {
      this.messages.push(message);
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }
  async until(holds: (messages: SpeechMessage[]) => boolean): Promise<void> {
    while (!holds(this.messages)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

describe('VoiceHost', () => {
  let host: VoiceHost;
  const ports: MessagePort[] = [];
  const start = async (options: Partial<VoiceHostOptions> = {}) => {
    host = await VoiceHost.start({ voice: 'tones', log: silentLog, threadUrl, warm: [], ...options });
    return host;
  };
  const listen = () => {
    const listener = new Listener(host.connect());
    ports.push(listener.port);
    return listener;
  };
  const speak = (
    responseId: string,
    text: string,
    options: { last?: boolean; onClause?: (clause: SpokenClause) => void } = {},
  ) => host.speak({ voiceKey: `room:${responseId}`, responseId, text, onClause: () => {}, ...options });
  const failure = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      (error: unknown) => error,
    );

  afterEach(async () => {
    for (const port of ports.splice(0)) port.close();
    await host?.close();
  });

  it('with Flite: sends sound to the port, and words to main', async () => {
    await start({ voice: 'slt', warm: ['one'] });
    const media = listen();
    const clauses: SpokenClause[] = [];
    const { lengthMs } = await speak('r1', 'Hello there, it is one, two, three.', {
      last: true,
      onClause: (c) => clauses.push(c),
    });
    await media.until((messages) => messages.some(({ last }) => last));
    expect(clauses.map((clause) => clause.text).join(' ')).toBe('Hello there, it is one, two, three.');
    expect(clauses.reduce((sum, clause) => sum + clause.lengthMs, 0)).toBe(lengthMs);
    expect(media.messages.reduce((sum, { pcm, rateHz }) => sum + (pcm.length * 1_000) / rateHz, 0)).toBe(lengthMs);
    expect(media.messages.every(({ voice, responseId }) => voice === 'room:r1' && responseId === 'r1')).toBe(true);
    expect(media.messages.map(({ last }) => last)).toEqual([...clauses.map(() => false), true]);
  });

  it('appends to an open response until it ends', async () => {
    await start();
    const media = listen();
    const clauses: SpokenClause[] = [];
    const onClause = (clause: SpokenClause) => clauses.push(clause);
    const [first, second] = await Promise.all([speak('r1', 'one', { onClause }), speak('r1', 'two', { onClause })]);
    expect(second!.lengthMs).toBeGreaterThan(first!.lengthMs);
    expect(clauses[1]!.offsetMs).toBe(first!.lengthMs);
    host.end('r1');
    host.end('r1');
    await media.until((messages) => messages.at(-1)?.last === true);
    expect(media.messages.filter(({ last }) => last)).toHaveLength(1);
    await expect(speak('r1', 'three')).rejects.toThrow('response r1 has ended');
    await expect(speak('r2', 'one', { last: true }).then(() => speak('r2', 'two'))).rejects.toThrow(TypeError);
  });

  it('cancels promptly, which is no error, and goes on with others', async () => {
    await start();
    const media = listen();
    const cancelled = speak('r1', LONG);
    await media.until((messages) => messages.length > 0);
    host.cancel('r1');
    host.cancel('never began');
    expect((await cancelled).lengthMs).toBeLessThan(20_000);
    expect(host.pending).toBe(0);
    await speak('r2', 'yes', { last: true });
    await media.until((messages) => messages.at(-1)?.last === true);
    const of = (id: string) => media.messages.filter(({ responseId }) => responseId === id);
    expect(of('r2')).toHaveLength(2);
    expect(of('r1').some(({ last }) => last)).toBe(false);
  });

  it('refuses with a code what is too long, what cannot be said, and what the queue has no room for', async () => {
    await start();
    listen();
    expect(await failure(speak('r1', 'a'.repeat(5_000)))).toMatchObject({ code: 'voice/failed' });
    expect(await failure(speak('r1', '世界', { last: true }))).toMatchObject({
      code: 'voice/failed',
      hint: expect.stringContaining('rephrase'),
    });
    const all = Array.from({ length: voiceQueue.calls + 5 }, (_, i) => failure(speak(`many${i}`, 'yes')));
    expect((await Promise.all(all)).filter((error) => error instanceof MicroturnError)).toHaveLength(5);
    const text = 'word '.repeat(800);
    const fit = Math.floor(voiceQueue.chars / text.length);
    const long = Array.from({ length: fit + 1 }, (_, i) => failure(speak(`long${i}`, text)));
    for (let i = 0; i < fit; i++) host.cancel(`long${i}`);
    expect((await Promise.all(long)).map((error) => (error as MicroturnError | undefined)?.code)).toEqual([
      ...Array.from({ length: fit }, () => undefined),
      'voice/failed',
    ]);
    await speak('after', 'yes');
  });

  it('says where the sound should go when nothing is connected', async () => {
    await start();
    expect(await failure(speak('r1', 'yes'))).toMatchObject({
      code: 'voice/failed',
      message: expect.stringContaining('no media thread'),
    });
  });

  it('rejects what was pending when the thread dies, starts another one, and asks for a new connection', async () => {
    const warned: string[] = [];
    const log: Log = { ...silentLog, warn: (_, message) => warned.push(message) };
    let restarted = () => {};
    const restart = new Promise<void>((resolve) => (restarted = resolve));
    await start({
      log,
      threadUrl: scripted(`
        if (m.text === 'die') throw new Error('out of memory');
        speech.postMessage({ type: 'speech', voice: m.voice, responseId: m.responseId, pcm: new Float32Array(16), rateHz: 16000, last: false });
        parentPort.postMessage({ type: 'clause', job: m.job, clause: { text: m.text, words: [], lengthMs: 100, offsetMs: m.offsetMs } });
        parentPort.postMessage({ type: 'done', job: m.job, lengthMs: m.offsetMs + 100 });`),
      onRestart: () => {
        listen();
        restarted();
      },
    });
    listen();
    await speak('r1', 'before');
    const [first, second] = await Promise.all([failure(speak('r1', 'die')), failure(speak('r2', 'behind it'))]);
    for (const error of [first, second])
      expect(error).toMatchObject({ code: 'voice/failed', message: expect.stringContaining('out of memory') });
    await restart;
    expect(warned).toEqual(['the voice thread died and is started again']);
    // The response goes on where its sound ended.
    expect(await speak('r1', 'after')).toEqual({ lengthMs: 200 });
  });

  it('gives up on a thread that dies again and again', async () => {
    const gaveUp: string[] = [];
    let restarts = 0;
    const log: Log = { ...silentLog, error: (_, message) => gaveUp.push(message) };
    await start({ log, threadUrl: scripted('process.exit(3)'), onRestart: () => restarts++ });
    for (let i = 0; i < 4; i++) expect(await failure(speak(`r${i}`, 'yes'))).toMatchObject({ code: 'voice/failed' });
    expect(restarts).toBe(3);
    expect(gaveUp).toHaveLength(1);
    expect(await failure(speak('r9', 'yes'))).toMatchObject({ message: expect.stringContaining('died too often') });
  });

  it('ends a thread that hangs', async () => {
    await start({ threadUrl: scripted('for (;;);'), pingMs: 20 });
    const hung = failure(speak('r1', 'yes'));
    expect(await hung).toMatchObject({ code: 'voice/failed', message: expect.stringContaining('died') });
  });

  it('takes no thread for hung that loads', async () => {
    const restarted = vi.fn();
    const onSpeak = `if (m.text === 'die') throw new Error('gone');
      parentPort.postMessage({ type: 'done', job: m.job, lengthMs: 100 })`;
    const load = `await new Promise((resolve) => setTimeout(resolve, 1200));`;
    await start({ threadUrl: scripted(onSpeak, load), pingMs: 100, onRestart: restarted });
    await failure(speak('r1', 'die'));
    expect(restarted).toHaveBeenCalledOnce();
    expect(await speak('r2', 'yes')).toEqual({ lengthMs: 100 });
    expect(restarted).toHaveBeenCalledOnce();
  });

  it('takes no thread for hung where this process itself stood still', async () => {
    let nowMs = 0;
    const done = `parentPort.postMessage({ type: 'done', job: m.job, lengthMs: 100 })`;
    await start({
      threadUrl: scripted(`setTimeout(() => ${done}, 700)`),
      clock: { now: () => nowMs },
      pingMs: 200,
    });
    const spoken = speak('r1', 'yes');
    nowMs = 60_000;
    expect(await spoken).toEqual({ lengthMs: 100 });
  });

  it('refuses a voice that there is not, and a thread that does not start', async () => {
    expect(await failure(start({ voice: 'nobody' }))).toMatchObject({
      code: 'edge/config',
      message: expect.stringContaining('slt'),
    });
    const broken = new URL(`data:text/javascript,throw new Error('broken')`);
    expect(await failure(start({ threadUrl: broken }))).toMatchObject({
      code: 'voice/failed',
      message: expect.stringContaining('broken'),
    });
  });

  it('closes more than once, rejects what is pending, and throws when it is used afterwards', async () => {
    await start();
    listen();
    const pending = failure(speak('r1', LONG));
    await host.close();
    await host.close();
    expect(await pending).toMatchObject({ code: 'voice/failed' });
    expect(host.pending).toBe(0);
    expect(() => host.connect()).toThrow(TypeError);
    await expect(speak('r2', 'yes')).rejects.toThrow(TypeError);
    host.cancel('r1');
    host.end('r1');
  });

  it('goes on when the listener of a clause throws', async () => {
    await start();
    listen();
    const onClause = () => {
      throw new Error('a bug of the caller');
    };
    expect((await speak('r1', 'yes', { onClause })).lengthMs).toBeGreaterThan(0);
  });

  it('has what may be said soon made by a speaker that works elsewhere, and by no other', async () => {
    const server = await SpeechServer.start();
    onTestFinished(() => server.close());
    const speakers: Record<string, VoiceSpec> = {
      service: {
        provider: 'openai-compatible',
        baseUrl: server.url,
        model: 'tts',
        voice: 'alloy',
        firstAudioMs: 60_000,
      },
      flite: { provider: 'flite' },
    };
    host = await VoiceHost.start({ voice: 'tones', warm: [], speakers, log: silentLog, threadUrl });
    const listener = new Listener(host.connect());
    const text = 'It is noon.';
    expect([undefined, 'flite', 'service'].map((speaker) => host.rehearse({ text, speaker }))).toEqual([
      false,
      false,
      true,
    ]);
    await expect.poll(() => server.spoken.map(({ outcome }) => outcome), { timeout: 10_000 }).toEqual(['done']);
    await host.speak({ voiceKey: 'room:a', responseId: 'r', text, speaker: 'service', onClause() {}, last: true });
    await listener.until((messages) => messages.some(({ last }) => last));
    expect(server.spoken).toHaveLength(1);
    expect(host.rehearse({ text: 'x'.repeat(100_000), speaker: 'service' })).toBe(false);
  }, 30_000);
});
