import type { AddressInfo } from 'node:net';
import type { MicroturnError } from '@microturn/protocol';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { RealtimeTranscriber, type RealtimeTranscriberOptions } from './realtime-transcriber.js';

function open(options: Partial<RealtimeTranscriberOptions>) {
  const transcriber = new RealtimeTranscriber({
    dialect: 'openai',
    baseUrl: 'http://127.0.0.1:9/v1',
    model: 'm',
    ...options,
  });
  onTestFinished(() => transcriber.close());
  const errors: MicroturnError[] = [];
  const stream = transcriber.start(0, { onTranscript: () => {}, onFailed: (error) => errors.push(error) });
  return { stream, errors };
}

describe('transcription over a WebSocket gives up the utterance, and throws nothing,', () => {
  it.each([
    ['a key with a line break', { apiKey: 'k\n' }],
    ['a URL of another scheme', { baseUrl: 'ftp://127.0.0.1/v1' }],
    ['what is no URL', { baseUrl: 'localhost' }],
  ])('where it is given %s', async (_, options) => {
    const { stream, errors } = open(options);
    // Who began it has it before it fails, and may go on until then.
    expect(errors).toEqual([]);
    stream.push(new Int16Array(16_000), 1000);
    stream.settle();
    await Promise.resolve();
    expect(errors).toMatchObject([{ code: 'transcriber/failed' }]);
    stream.push(new Int16Array(16_000), 2000);
    stream.settle();
    stream.close();
    expect(errors).toHaveLength(1);
  });

  it.each(['null', '7', '"words"', '<html>'])('where the server sends %s', async (message) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    onTestFinished(() => void server.close());
    server.on('connection', (socket) => socket.send(message));
    await new Promise((resolve) => server.once('listening', resolve));
    const { errors } = open({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` });
    await vi.waitFor(() => expect(errors).toMatchObject([{ code: 'transcriber/failed' }]));
  });
});
