import { createServer } from 'node:net';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { MicroTurn } from '../engine/types.js';
import { silentLog } from '../telemetry/log.js';
import { MediaHost } from './media-host.js';
import type { MediaEvent, MediaPorts } from './types.js';

const workerBin = process.env['MEDIASOUP_WORKER_BIN'];
const built = new URL('../../node_modules/.cache/media-thread.test.mjs', import.meta.url);
const opened: MediaHost[] = [];

interface StartOptions {
  readonly workerBin?: string;
  readonly port?: number;
  readonly threadUrl?: URL;
  readonly answerMs?: number;
  readonly reconnect?: () => MediaPorts;
}

async function start({ answerMs, reconnect, threadUrl = built, ...options }: StartOptions = {}) {
  const engine = new MessageChannel();
  const voice = new MessageChannel();
  const host = await MediaHost.start({
    options: { workerBin, listenIp: '127.0.0.1', port: 0, ...options },
    log: silentLog,
    threadUrl,
    answerMs,
    reconnect,
  });
  opened.push(host);
  host.connect({ engines: new Map([[0, engine.port1]]), voice: voice.port1 });
  return { host, engine: engine.port2, voice: voice.port2 };
}

beforeAll(() =>
  build({
    entryPoints: [fileURLToPath(new URL('./media-thread.ts', import.meta.url))],
    outfile: fileURLToPath(built),
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  }),
);

afterEach(async () => {
  await Promise.all(opened.splice(0).map((host) => host.close()));
});

describe('MediaHost', () => {
  it('says which worker is missing', async () => {
    await expect(start({ workerBin: '/nowhere/mediasoup-worker' })).rejects.toMatchObject({ code: 'edge/no-worker' });
  });

  it('says so where the worker is not one', async () => {
    await expect(start({ workerBin: '/bin/false' })).rejects.toMatchObject({ code: 'edge/no-worker' });
  });

  it('tells everyone who waits that the thread died, and those who come later', async () => {
    const thread = `
      import { parentPort } from 'node:worker_threads';
      parentPort.postMessage({ event: { type: 'ready', port: 1 } });
      parentPort.on('message', () => { throw new Error('out of luck'); });`;
    const { host } = await start({ threadUrl: new URL(`data:text/javascript,${encodeURIComponent(thread)}`) });
    const events: MediaEvent[] = [];
    host.events.subscribe((event) => events.push(event));
    const failure = { code: 'edge/internal', message: expect.stringContaining('out of luck') };
    await expect(host.request('stats', {})).rejects.toMatchObject(failure);
    await expect(host.request('stats', {})).rejects.toMatchObject(failure);
    expect(events).toEqual([{ type: 'failed', ...failure }]);
  });

  it('does not wait for ever for a thread that hangs', async () => {
    const thread = `
      import { parentPort } from 'node:worker_threads';
      parentPort.postMessage({ event: { type: 'ready', port: 1 } });
      parentPort.on('message', () => { for (;;); });`;
    const { host } = await start({
      threadUrl: new URL(`data:text/javascript,${encodeURIComponent(thread)}`),
      answerMs: 50,
    });
    await expect(host.request('stats', {})).rejects.toMatchObject({
      code: 'edge/internal',
      message: expect.stringContaining('stats'),
    });
    await host.close();
  });

  it('ends what an answer opened that came too late for whoever asked', async () => {
    const thread = `
      import { parentPort } from 'node:worker_threads';
      parentPort.postMessage({ event: { type: 'ready', port: 1 } });
      const answers = { 'endpoint.open': {}, produce: { producerId: 'p', kind: 'audio' } };
      parentPort.on('message', ({ id, method, params }) => {
        const answer = () => parentPort.postMessage({ id, result: answers[method] });
        if (method in answers) setTimeout(answer, 300);
        else answer();
        parentPort.postMessage({ log: { level: 'info', fields: { method, ...params }, message: 'asked' } });
      });`;
    const asked: object[] = [];
    const host = await MediaHost.start({
      options: { workerBin, listenIp: '127.0.0.1', port: 0 },
      log: { ...silentLog, info: (fields) => void asked.push(fields) },
      threadUrl: new URL(`data:text/javascript,${encodeURIComponent(thread)}`),
      answerMs: 100,
    });
    opened.push(host);
    const late = { code: 'edge/internal', message: expect.stringContaining('did not answer') as string };
    const open = host.request('endpoint.open', { room: 'a', endpoint: 'e', participant: 'ann' });
    const params = { endpoint: 'f', transportId: 't', source: 'microphone', rtpParameters: {} } as const;
    await Promise.all([
      expect(open).rejects.toMatchObject(late),
      expect(host.request('produce', params)).rejects.toMatchObject(late),
    ]);
    await expect
      .poll(() => asked.slice(2))
      .toEqual([
        { method: 'endpoint.close', endpoint: 'e' },
        { method: 'producer.close', endpoint: 'f', producerId: 'p' },
      ]);
  });

  it('fault 47, takes what ends something also where very many wait, and refuses the rest', async () => {
    const thread = `
      import { parentPort } from 'node:worker_threads';
      parentPort.postMessage({ event: { type: 'ready', port: 1 } });
      parentPort.on('message', ({ id, method }) => {
        if (/close|suspend|stop|cut/.test(method)) parentPort.postMessage({ id, result: undefined });
      });`;
    const { host } = await start({ threadUrl: new URL(`data:text/javascript,${encodeURIComponent(thread)}`) });
    const waiting = Array.from({ length: 1024 }, () => host.request('stats', {}).catch((error: unknown) => error));
    await expect(host.request('stats', {})).rejects.toMatchObject({ code: 'edge/internal' });
    for (const method of ['endpoint.suspend', 'row.stop', 'endpoint.close'] as const)
      await expect(host.request(method, { endpoint: 'e' })).resolves.toBeUndefined();
    await host.request('producer.close', { endpoint: 'e', producerId: 'p' });
    await host.request('speech.cut', { voice: 'room:a', responseId: 'r' });
    await host.request('room.close', { room: 'a' });
    await host.close();
    expect(new Set((await Promise.all(waiting)).map((error) => (error as { code: string }).code))).toEqual(
      new Set(['edge/draining']),
    );
  });
});

describe.skipIf(!workerBin)('MediaHost, with a mediasoup worker', () => {
  it('names a port that is in use', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
    await expect(start({ port })).rejects.toMatchObject({
      code: 'edge/port-in-use',
      message: expect.stringContaining(String(port)),
    });
    server.close();
  });

  it('opens one port for UDP and TCP, and offers both', async () => {
    const { host } = await start();
    expect(host.port).toBeGreaterThan(0);
    await host.request('room.open', { room: 'a' });
    const { sendTransport } = await host.request('endpoint.open', { room: 'a', endpoint: 'e', participant: 'p' });
    const { iceCandidates } = sendTransport as { iceCandidates: { protocol: string; port: number }[] };
    expect(iceCandidates.map(({ protocol, port }) => [protocol, port])).toEqual([
      ['udp', host.port],
      ['tcp', host.port],
    ]);
  });

  it('passes coded errors on as they are', async () => {
    const { host } = await start();
    await expect(host.request('endpoint.close', { endpoint: 'nobody' })).resolves.toBeUndefined();
    await expect(host.request('row.stop', { endpoint: 'nobody' })).rejects.toMatchObject({ code: 'protocol/state' });
  });

  it('posts micro-turns to the engine, to a new one once it is given, and paces speech', async () => {
    const { host, engine, voice } = await start();
    const events: MediaEvent[] = [];
    host.events.subscribe((event) => events.push(event));
    await host.request('room.open', { room: 'a' });
    await host.request('endpoint.open', { room: 'a', endpoint: 'e', participant: 'p' });
    const first = nextTurn(engine);
    const zeroMs = Number(process.hrtime.bigint()) / 1e6;
    await host.request('row.start', {
      endpoint: 'e',
      row: { lease: 7, microTurnMs: 200, inputHz: 16_000, engine: 0, zeroMs },
    });
    expect(await first).toMatchObject({ lease: 7, index: 0, lost: 0, play: 0, dueMs: zeroMs + 200 });
    const other = new MessageChannel();
    host.setEnginePort(other.port1, 0);
    expect((await nextTurn(other.port2)).pcm).toHaveLength(3200);
    const pcm = new Float32Array(2400).fill(0.1);
    const sent = new Promise((resolve) =>
      host.events.subscribe((event) => event.type === 'speech.sent' && resolve(event)),
    );
    voice.postMessage({ type: 'speech', voice: 'room:a', responseId: 'r', pcm, rateHz: 24_000, last: true }, [
      pcm.buffer,
    ]);
    expect(await sent).toMatchObject({ responseId: 'r', lengthMs: 100 });
    expect(events[0]).toMatchObject({ type: 'speech.started', voice: 'room:a', responseId: 'r' });
  });

  it('keeps the sound of a row that asks for it, and of no other', async () => {
    const { host, engine } = await start();
    await host.request('room.open', { room: 'a' });
    const zeroMs = Number(process.hrtime.bigint()) / 1e6;
    for (const keepClip of [true, false]) {
      const endpoint = keepClip ? 'kept' : 'other';
      await host.request('endpoint.open', { room: 'a', endpoint, participant: endpoint });
      const row = { lease: 1, engine: 0, microTurnMs: 40, inputHz: 16_000, zeroMs, keepClip };
      await host.request('row.start', { endpoint, row });
    }
    await nextTurn(engine);
    await expect.poll(async () => (await clipOf('kept')).toMs).toBeGreaterThanOrEqual(40);
    const { pcm, fromMs, toMs, rateHz } = await clipOf('kept');
    expect(pcm).toBeInstanceOf(Int16Array);
    expect(pcm).toHaveLength(((toMs - fromMs) * rateHz) / 1000);
    await expect(clipOf('other')).rejects.toMatchObject({ code: 'protocol/state' });

    function clipOf(endpoint: string) {
      return host.request('clip', { endpoint, fromMs: 0, toMs: 10_000 });
    }
  });

  it('posts the micro-turns of each row to the engine thread that the row is on', async () => {
    const { host, engine } = await start();
    const second = new MessageChannel();
    host.setEnginePort(second.port1, 4);
    await host.request('room.open', { room: 'a' });
    const zeroMs = Number(process.hrtime.bigint()) / 1e6;
    const turns = [nextTurn(engine), nextTurn(second.port2)];
    for (const id of [0, 4]) {
      await host.request('endpoint.open', { room: 'a', endpoint: `e${id}`, participant: `p${id}` });
      const row = { lease: 10 + id, engine: id, microTurnMs: 40, inputHz: 16_000, zeroMs };
      await host.request('row.start', { endpoint: `e${id}`, row });
    }
    expect((await Promise.all(turns)).map(({ lease }) => lease)).toEqual([10, 14]);
    second.port2.close(); // that thread has ended: its row posts to nobody, and the other goes on
    expect((await nextTurn(engine)).lease).toBe(10);
  });

  it('tells that the worker died, and answers with that from then on', async () => {
    const { host } = await start();
    const died = new Promise((resolve) =>
      host.events.subscribe((event) => event.type === 'worker.died' && resolve(event)),
    );
    const { workerPid } = await host.request('stats', {});
    process.kill(workerPid, 'SIGKILL');
    await died;
    await expect(host.request('room.open', { room: 'b' })).rejects.toMatchObject({ code: 'edge/worker-died' });
  });

  it('fault 1, starts another where its worker is killed, on the same port and with fresh ports of its own', async () => {
    const ports = { engine: new MessageChannel(), voice: new MessageChannel() };
    const { host } = await start({
      reconnect: () => ({ engines: new Map([[4, ports.engine.port1]]), voice: ports.voice.port1 }),
    });
    const { port } = host;
    const events: MediaEvent[] = [];
    host.events.subscribe((event) => events.push(event));
    await host.request('room.open', { room: 'a' });
    const { workerPid } = await host.request('stats', {});
    process.kill(workerPid, 'SIGKILL');
    const types = () => events.map(({ type }) => type).filter((type) => type === 'lost' || type === 'restored');
    await vi.waitFor(() => expect(types()).toEqual(['lost']));
    await expect(host.request('stats', {})).rejects.toMatchObject({ code: 'edge/worker-died', retryable: true });
    await vi.waitFor(() => expect(types()).toEqual(['lost', 'restored']));
    expect(host.port).toBe(port);
    await host.request('room.open', { room: 'a' });
    await host.request('endpoint.open', { room: 'a', endpoint: 'e', participant: 'p' });
    const turn = nextTurn(ports.engine.port2);
    const zeroMs = Number(process.hrtime.bigint()) / 1e6 - 10_000;
    await host.request('row.start', {
      endpoint: 'e',
      row: { lease: 7, engine: 4, microTurnMs: 200, inputHz: 16_000, zeroMs },
    });
    expect((await turn).index).toBeGreaterThanOrEqual(50);
  });

  it('a caller who is away has a row that ticks with silence, and comes back to fresh transports', async () => {
    const { host, engine } = await start();
    await host.request('room.open', { room: 'a' });
    const first = await host.request('endpoint.open', { room: 'a', endpoint: 'e', participant: 'p' });
    const zeroMs = Number(process.hrtime.bigint()) / 1e6;
    await host.request('row.start', {
      endpoint: 'e',
      row: { lease: 7, engine: 0, microTurnMs: 200, inputHz: 16_000, zeroMs },
    });
    await host.request('endpoint.suspend', { endpoint: 'e' });
    const turns = [await nextTurn(engine), await nextTurn(engine)];
    const second = await host.request('endpoint.reopen', { endpoint: 'e' });
    turns.push(await nextTurn(engine));
    expect(turns.map(({ index }) => index)).toEqual([0, 1, 2]);
    const idOf = ({ sendTransport }: { sendTransport: object }) => (sendTransport as { id: string }).id;
    expect(idOf(second)).not.toBe(idOf(first));
    const restart = (transportId: string) => host.request('transport.restart-ice', { endpoint: 'e', transportId });
    await expect(restart(idOf(first))).rejects.toMatchObject({ code: 'protocol/state' });
    expect(await restart(idOf(second))).toHaveProperty('iceParameters');
  });

  it('rejects what waits when it is closed, and leaves no process behind', async () => {
    const { host } = await start();
    const { workerPid } = await host.request('stats', {});
    const waiting = host.request('room.open', { room: 'a' }).catch((error: unknown) => error);
    await host.close();
    await host.close();
    await waiting;
    await expect(host.request('stats', {})).rejects.toMatchObject({ code: 'edge/draining' });
    expect(() => process.kill(workerPid, 0)).toThrow('ESRCH');
  });
});

function nextTurn(port: MessagePort): Promise<MicroTurn> {
  return new Promise((resolve) => port.once('message', resolve));
}
