import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { MicroturnError } from '@microturn/protocol';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { HttpTranscriber, type HttpTranscriberOptions } from './http-transcriber.js';
import { TRANSCRIBE_HZ, type Transcript } from './types.js';

const piece = (seconds: number) => new Int16Array(TRANSCRIBE_HZ * seconds).fill(1000);

/** A server that answers what it is told to, one request after the other; the last answer stays. */
function open(answers: readonly (() => Response)[], options: Partial<HttpTranscriberOptions> = {}) {
  let asked = 0;
  let nowMs = 0;
  const transcriber = new HttpTranscriber({
    baseUrl: 'http://server/v1',
    model: 'whisper',
    now: () => nowMs,
    fetch: async () => answers[Math.min(asked++, answers.length - 1)]!(),
    ...options,
  });
  onTestFinished(() => transcriber.close());
  const transcripts: Transcript[] = [];
  const errors: MicroturnError[] = [];
  const stream = transcriber.start(0, {
    onTranscript: (transcript) => transcripts.push(transcript),
    onFailed: (error) => errors.push(error),
  });
  /** They speak on, and what is asked for that is answered. */
  const speaks = async (seconds: number) => {
    nowMs += seconds * 1000;
    stream.push(piece(seconds), nowMs);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { stream, speaks, transcripts, errors, asked: () => asked };
}
const words = (text: string) => () => Response.json({ text });
const status =
  (code: number, headers: Record<string, string> = {}) =>
  () =>
    new Response('', { status: code, headers });

describe('partial words that a server refuses', () => {
  it('are asked for again with what is said next, and cost the utterance nothing', async () => {
    const { stream, speaks, transcripts, errors } = open([status(429), status(502), words('all of it')]);
    for (let i = 0; i < 3; i++) await speaks(1);
    stream.settle();
    await vi.waitFor(() => expect(transcripts).toMatchObject([{ words: ['all', 'of', 'it'], coveredMs: 3000 }]));
    expect(errors).toEqual([]);
  });

  it('are left alone for as long as it says, unless somebody waits for them', async () => {
    const busy = status(429, { 'retry-after': '3' });
    const { stream, speaks, transcripts, errors, asked } = open([busy, busy, words('all of it')]);
    await speaks(1);
    for (let i = 0; i < 2; i++) await speaks(1);
    expect(asked()).toBe(1);
    await speaks(1);
    expect(asked()).toBe(2);
    await speaks(1);
    stream.settle();
    await vi.waitFor(() => expect(transcripts).toMatchObject([{ coveredMs: 5000 }]));
    expect(errors).toEqual([]);
  });

  it('are left alone also where the clip is so long that it has to be shortened', async () => {
    const { speaks, errors, asked } = open([status(429, { 'retry-after': '60' })]);
    for (let i = 0; i < 28; i++) await speaks(1);
    expect(asked()).toBe(1);
    expect(errors).toEqual([]);
  });

  it('are given up where somebody waits for them, after one more try', async () => {
    const { stream, speaks, errors, asked } = open([status(503)]);
    for (let i = 0; i < 3; i++) await speaks(1);
    expect([asked(), errors]).toEqual([3, []]);
    stream.settle();
    await vi.waitFor(() => expect(errors).toMatchObject([{ code: 'transcriber/failed' }]));
    expect(asked()).toBe(5);
  });
});

describe('a server that hangs', () => {
  it.each(['before it answers', 'in the middle of its answer'])(
    '%s is given up in time, however often what nobody holds is collected',
    async (when) => {
      const server = createServer((_, response) => {
        if (when !== 'before it answers') response.writeHead(200).write('{');
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as () => void;
      const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
      const { stream, errors } = open([], { baseUrl, fetch, timeoutMs: 500 });
      stream.push(piece(1), 1000);
      stream.settle();
      await vi.waitFor(
        () => {
          collect();
          expect(errors).toMatchObject([{ code: 'transcriber/failed' }]);
        },
        { interval: 20, timeout: 10_000 },
      );
      expect(errors[0]!.message).toContain('no answer in time');
    },
  );
});
