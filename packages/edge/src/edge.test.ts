import { EventEmitter } from 'node:events';
import { Subject } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { parseConfig } from './config.js';
import { Edge, type EdgeParts } from './edge.js';
import type { MediaEvent } from './media/index.js';
import { createHttpServer } from './signaling/http-server.js';
import { EdgeMetrics, silentLog } from './telemetry/index.js';

vi.mock(import('./signaling/http-server.js'));

class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readonly readyState = 1;
  readonly bufferedAmount = 0;
  readonly terminate = vi.fn();
  readonly send = vi.fn();
  readonly close = vi.fn(() => this.emit('close', 1008));
}

/** An edge on fakes: a media thread that says what the test has it say, and sockets without a network. */
async function open() {
  const sockets = new Set<FakeSocket>();
  let connect: (socket: WebSocket, address: string) => void = () => undefined;
  vi.mocked(createHttpServer).mockImplementation((parts) => {
    connect = parts.onSocket;
    const address = { address: '127.0.0.1', family: 'IPv4', port: 7880 };
    const close = () => vi.waitFor(() => expect(sockets.size).toBe(0));
    return Promise.resolve({ listen: vi.fn(), close, server: { address: () => address } } as never);
  });
  const events = new Subject<MediaEvent>();
  const metrics = new EdgeMetrics();
  const edge = new Edge({
    config: parseConfig({ port: 0 }),
    log: silentLog,
    metrics,
    media: { events, port: 1, request: vi.fn() },
    recorder: { durable: false },
    agents: { names: [] },
    keys: { current: {} },
    opened: [metrics],
  } as unknown as EdgeParts);
  await edge.listen();
  const openSocket = () => {
    const socket = new FakeSocket();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    connect(socket as unknown as WebSocket, '192.0.2.1');
    return { socket, sent: () => socket.send.mock.calls.map(([text]) => JSON.parse(text as string) as unknown) };
  };
  return { edge, events, openSocket };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('an edge whose mediasoup worker answers nothing', () => {
  const stalled = (stalled: boolean): MediaEvent => ({ type: 'worker.stalled', stalled });
  const lost: MediaEvent = { type: 'lost', message: 'it died' };
  const restored: MediaEvent = { type: 'restored', port: 1 };
  const failed: MediaEvent = { type: 'failed', code: 'edge/worker-died', message: 'once too often' };

  it.each<[string, ...[MediaEvent[], boolean][]]>([
    ['until it answers again', [[stalled(true)], false], [[stalled(false)], true]],
    [
      'while another thread is restored, whatever the worker says',
      [[lost], false],
      [[stalled(true), stalled(false)], false],
      [[restored], true],
    ],
    [
      'though its thread is restored meanwhile',
      [[lost], false],
      [[restored, stalled(true)], false],
      [[stalled(false)], true],
    ],
    ['until it is replaced, without another word of it', [[stalled(true)], false], [[lost, restored], true]],
    ['ever again where none takes its place', [[stalled(true)], false], [[failed, stalled(false)], false]],
  ])('lets nobody in %s', async (_how, ...story) => {
    const { edge, events } = await open();
    for (const [told, ready] of story) {
      for (const event of told) events.next(event);
      await new Promise((resolve) => setTimeout(resolve));
      expect([told, edge.ready]).toEqual([told, ready]);
    }
    await edge.close();
  });
});

describe('an edge that closes', () => {
  it('says so to every socket, those that are opened meanwhile too, and waits for none to speak', async () => {
    const { edge, openSocket } = await open();
    const early = openSocket();
    const closing = edge.close();
    const late = openSocket();
    await closing;
    const goodbye = expect.objectContaining({
      type: 'goodbye',
      error: expect.objectContaining({ code: 'edge/draining' }),
    });
    expect([early.sent(), late.sent()]).toEqual([[goodbye], [goodbye]]);
  });
});
