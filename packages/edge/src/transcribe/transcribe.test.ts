import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MicroturnError } from '@microturn/protocol';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { SpeechServer, type ScriptedHearing } from '../testing/speech-server.js';
import { GrowingClip } from './growing-clip.js';
import { GrowingWords } from './growing-words.js';
import { HttpTranscriber, type HttpTranscriberOptions } from './http-transcriber.js';
import { RealtimeTranscriber } from './realtime-transcriber.js';
import type { Transcript } from './types.js';

const second = (seconds = 1) => new Int16Array(16_000 * seconds).fill(1000);

function listener() {
  const transcripts: Transcript[] = [];
  const errors: MicroturnError[] = [];
  const sent = { requests: 0, seconds: 0 };
  return {
    transcripts,
    errors,
    sent,
    onSent: ({ requests, seconds }: { requests: number; seconds: number }) => {
      sent.requests += requests;
      sent.seconds += seconds;
    },
    onTranscript: (transcript: Transcript) => transcripts.push(transcript),
    onFailed: (error: MicroturnError) => errors.push(error),
  };
}

describe('words that grow', () => {
  it('are stable where two hypotheses agree, and are never taken back', () => {
    const words = new GrowingWords();
    expect(words.take('The quick', 1)).toEqual({ words: ['The', 'quick'], stable: 0 });
    expect(words.take('the quick brow', 2)).toEqual({ words: ['the', 'quick', 'brow'], stable: 2 });
    expect(words.take('the quick brown fox', 3)).toMatchObject({ stable: 2 });
    expect(words.take('a quick brown fox.', 4)).toEqual({ words: ['the', 'quick', 'brown', 'fox.'], stable: 2 });
  });

  it('are settled up to a pause once more was said, and later hypotheses are of what follows', () => {
    const words = new GrowingWords();
    words.take('one two', 8000);
    words.take('One, two.', 16_000);
    expect(words.settleToPause()).toBeUndefined();
    words.take('One, two. Thr', 24_000);
    expect(words.settleToPause()).toBe(12_000);
    expect(words.take('three', 32_000)).toEqual({ words: ['One,', 'two.', 'three'], stable: 2 });
    expect(words.take('Three four', 40_000)).toEqual({ words: ['One,', 'two.', 'Three', 'four'], stable: 3 });
    expect(words.settleToPause()).toBeUndefined();
    expect(words.settleAll()).toBe(40_000);
    expect(words.take('five', 48_000)).toEqual({ words: ['One,', 'two.', 'Three', 'four', 'five'], stable: 4 });
  });

  it.each([
    ['the words before it have become others', ['I scream', 'I scream', 'ice cream is'], 8000],
    ['it was too short to be one', ['one', 'one', 'one two'], 3200],
  ])('have no pause where %s', (_, hypotheses, apart) => {
    const words = new GrowingWords();
    for (const [i, text] of hypotheses.entries()) words.take(text, (i + 1) * apart);
    expect(words.settleToPause()).toBeUndefined();
  });
});

describe('a clip that grows', () => {
  it('begins where it is told to, and takes no more than half a minute', () => {
    const clip = new GrowingClip(0);
    for (let i = 1; i <= 30; i++) expect(clip.push(second().fill(i), i * 1000)).toBe(true);
    expect(clip.push(second().fill(31), 31_000)).toBe(false);
    expect([clip.lengthMs, clip.toMs, clip.end]).toEqual([30_000, 30_000, 480_000]);
    clip.beginAt(10 * 16_000);
    clip.push(second().fill(31), 31_000);
    expect([clip.lengthMs, clip.toMs, clip.end]).toEqual([21_000, 31_000, 496_000]);
    const pcm = clip.read();
    expect([pcm[0], pcm.at(-1)]).toEqual([11, 31]);
  });
});

interface Answer {
  readonly text?: string;
  readonly status?: number;
  readonly body?: string;
  readonly after?: Promise<void>;
}

/** As much of `/audio/transcriptions` as it takes to look at each request. */
async function transcriptionServer(answers: readonly Answer[]) {
  const requests: { seconds: number; fields: Record<string, string>; authorization: string | undefined }[] = [];
  let aborted = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const contentType = request.headers['content-type'] ?? '';
    const form = await new Response(Buffer.concat(chunks), { headers: { 'content-type': contentType } }).formData();
    const file = Buffer.from(await (form.get('file') as Blob).arrayBuffer());
    const fields = Object.fromEntries([...form].filter(([name]) => name !== 'file')) as Record<string, string>;
    const answer = answers[Math.min(requests.length, answers.length - 1)]!;
    requests.push({
      seconds: file.readUInt32LE(40) / 32_000,
      fields,
      authorization: request.headers.authorization,
    });
    response.once('close', () => {
      if (!response.writableEnded) aborted++;
    });
    await answer.after;
    response.writeHead(answer.status ?? 200).end(answer.body ?? JSON.stringify({ text: answer.text }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  return { baseUrl, requests, aborted: () => aborted };
}

describe('transcription over HTTP', () => {
  let nowMs = 0;
  const open = (baseUrl: string, options: Partial<HttpTranscriberOptions> = {}) => {
    const transcriber = new HttpTranscriber({ baseUrl, model: 'whisper', now: () => nowMs, ...options });
    onTestFinished(() => transcriber.close());
    const heard = listener();
    return { transcriber, heard, stream: transcriber.start(0, heard) };
  };

  it('sends the whole utterance each time, no more often than it may', async () => {
    const { baseUrl, requests } = await transcriptionServer([{ text: 'one' }, { text: 'one two' }]);
    const { stream, heard } = open(baseUrl, { apiKey: 'k', language: 'en', everyMs: 500 });
    stream.push(second(), 1000);
    await vi.waitFor(() => expect(heard.transcripts).toHaveLength(1));
    nowMs += 499;
    stream.push(second(), 2000);
    nowMs += 1;
    stream.push(second(), 3000);
    await vi.waitFor(() => expect(heard.transcripts).toHaveLength(2));
    expect(requests).toEqual([
      { seconds: 1, fields: { model: 'whisper', language: 'en', response_format: 'json' }, authorization: 'Bearer k' },
      { seconds: 3, fields: { model: 'whisper', language: 'en', response_format: 'json' }, authorization: 'Bearer k' },
    ]);
    expect(heard.transcripts[1]).toEqual({ words: ['one', 'two'], stable: 1, coveredMs: 3000 });
    // What is sent again is paid for again.
    expect(heard.sent).toEqual({ requests: 2, seconds: 4 });
  });

  it('where somebody waits, gives up an older request for one that has all', async () => {
    const never = new Promise<void>(() => {});
    const { baseUrl, requests, aborted } = await transcriptionServer([
      { text: 'x', after: never },
      { text: 'all of it' },
    ]);
    const { stream, heard } = open(baseUrl);
    stream.push(second(), 1000);
    await vi.waitFor(() => expect(requests).toHaveLength(1));
    stream.push(second(), 2000);
    stream.settle();
    await vi.waitFor(() => expect(heard.transcripts).toHaveLength(1));
    expect(heard.transcripts).toEqual([{ words: ['all', 'of', 'it'], stable: 0, coveredMs: 2000 }]);
    await vi.waitFor(() => expect(aborted()).toBe(1));
  });

  it('where they go on after somebody waited, hears the word anew that ended in the middle then', async () => {
    const { baseUrl } = await transcriptionServer([{ text: 'a good trav' }, { text: 'a good travel agency' }]);
    const { stream, heard } = open(baseUrl);
    stream.push(second(), 1000);
    stream.settle();
    await vi.waitFor(() => expect(heard.transcripts).toHaveLength(1));
    nowMs += 1000;
    stream.push(second(), 2000);
    await vi.waitFor(() => expect(heard.transcripts).toHaveLength(2));
    expect(heard.transcripts[1]).toMatchObject({ words: ['a', 'good', 'travel', 'agency'], stable: 2 });
  });

  it.each([
    ['HTTP 500', { status: 500 }],
    ['no JSON', { body: '<html>' }],
    ['no text', { body: '{}' }],
  ])('tries once more after %s, then gives the utterance up', async (_, answer) => {
    const { baseUrl, requests } = await transcriptionServer([answer]);
    const { stream, heard } = open(baseUrl);
    stream.push(second(), 1000);
    stream.settle();
    await vi.waitFor(() => expect(heard.errors).toMatchObject([{ code: 'transcriber/failed' }]));
    expect(requests).toHaveLength(2);
    stream.push(second(), 2000);
    expect(heard.transcripts).toEqual([]);
  });

  it('gives an utterance up whose words come so late that its sound has no room', async () => {
    const { baseUrl } = await transcriptionServer([{ after: new Promise<void>(() => {}) }]);
    const { stream, heard } = open(baseUrl, { timeoutMs: 60_000 });
    for (let i = 1; i <= 31; i++) stream.push(second(), i * 1000);
    expect(heard.errors).toMatchObject([{ code: 'transcriber/failed' }]);
    stream.push(second(), 32_000);
    expect(heard.errors).toHaveLength(1);
  });

  it('says nothing after it was closed', async () => {
    let answer = () => {};
    const after = new Promise<void>((resolve) => (answer = resolve));
    const { baseUrl, requests, aborted } = await transcriptionServer([{ text: 'late', after }]);
    const { stream, heard, transcriber } = open(baseUrl);
    stream.push(second(), 1000);
    await vi.waitFor(() => expect(requests).toHaveLength(1));
    transcriber.close();
    stream.close();
    await vi.waitFor(() => expect(aborted()).toBe(1));
    answer();
    expect(heard.transcripts).toEqual([]);
  });
});

describe.each(['openai', 'vllm'] as const)('transcription over a WebSocket, as %s speaks it', (dialect) => {
  const hear: ScriptedHearing = {
    words: (ms) =>
      'what time is it now'
        .split(' ')
        .slice(0, Math.floor((ms + 5) / 500))
        .join(' '),
  };
  async function open(script: ScriptedHearing = hear, timeoutMs?: number) {
    const server = await SpeechServer.start({ hear: script, apiKey: 'k' });
    const options = { dialect, baseUrl: server.url, apiKey: 'k', model: 'm', timeoutMs };
    const transcriber = new RealtimeTranscriber(options);
    onTestFinished(async () => {
      transcriber.close();
      await server.close();
    });
    const heard = listener();
    return { server, transcriber, heard, stream: transcriber.start(0, heard) };
  }

  it('sends the sound at its rate and tells the words, all of which are known after a pause', async () => {
    const { server, heard, stream, transcriber } = await open();
    stream.push(second(), 1000);
    stream.settle();
    await vi.waitFor(() =>
      expect(heard.transcripts.at(-1)).toEqual({ words: ['what', 'time'], stable: 2, coveredMs: 1000 }),
    );
    stream.push(second(), 2000);
    stream.settle();
    const all = { words: ['what', 'time', 'is', 'it'], stable: 4, coveredMs: 2000 };
    await vi.waitFor(() => expect(heard.transcripts.at(-1)).toEqual(all));
    expect(server.problems).toEqual([]);
    expect(server.heard).toMatchObject([{ dialect, model: 'm' }]);
    expect(Math.abs(server.heard[0]!.heardMs - 2000)).toBeLessThan(3);
    expect(heard.sent).toEqual({ requests: 2, seconds: 2 });
    transcriber.close();
    await vi.waitFor(() => expect(server.heard[0]!.closed).toBe(true));
    expect(heard.errors).toEqual([]);
  });

  it('loses nothing of who goes on while the words so far are waited for', async () => {
    const { server, heard, stream } = await open({ ...hear, delayMs: 50 });
    for (const toMs of [500, 1000, 1500, 2000, 2500]) {
      stream.push(second(0.5), toMs);
      if (toMs % 1000 === 0) stream.settle();
    }
    const known = { words: ['what', 'time', 'is', 'it'], stable: 4, coveredMs: 2000 };
    await vi.waitFor(() => expect(heard.transcripts).toContainEqual(known));
    stream.settle();
    const all = { words: ['what', 'time', 'is', 'it', 'now'], stable: 5, coveredMs: 2500 };
    await vi.waitFor(() => expect(heard.transcripts.at(-1)).toEqual(all));
    expect(Math.abs(server.heard[0]!.heardMs - 2500)).toBeLessThan(5);
    expect(server.problems).toEqual([]);
    expect(heard.errors).toEqual([]);
  });

  it.each([
    ['an error', { ...hear, error: 'overloaded' }, 'overloaded'],
    ['no words in time', { ...hear, delayMs: 5000 }, 'no words within'],
    ['a socket that ends', { ...hear, dropAfterMs: 100 }, ''],
  ])('gives the utterance up after %s', async (_, script, message) => {
    const { heard, stream } = await open(script, 300);
    stream.push(second(), 1000);
    stream.settle();
    await vi.waitFor(() => expect(heard.errors).toMatchObject([{ code: 'transcriber/failed' }]));
    expect(heard.errors[0]!.message).toContain(message);
  });

  it('is refused with a wrong key, in words', async () => {
    const server = await SpeechServer.start({ hear, apiKey: 'other' });
    onTestFinished(() => server.close());
    const heard = listener();
    new RealtimeTranscriber({ dialect, baseUrl: server.url, apiKey: 'k', model: 'm' }).start(0, heard);
    await vi.waitFor(() => expect(heard.errors).toMatchObject([{ code: 'transcriber/failed' }]));
    expect(heard.errors[0]!.message).toContain('401');
  });
});

it('over vLLM’s socket gives an utterance up whose sound waits for words and has no room', async () => {
  const server = await SpeechServer.start({ hear: { words: () => 'what', delayMs: 60_000 } });
  const transcriber = new RealtimeTranscriber({ dialect: 'vllm', baseUrl: server.url, model: 'm' });
  onTestFinished(async () => {
    transcriber.close();
    await server.close();
  });
  const heard = listener();
  const stream = transcriber.start(0, heard);
  stream.push(second(), 1000);
  stream.settle();
  await vi.waitFor(() => expect(server.heard[0]?.commits).toBe(2));
  for (let i = 2; i <= 20; i++) stream.push(second(), i * 1000);
  expect(heard.errors).toEqual([]);
  for (let i = 21; i <= 30; i++) stream.push(second(), i * 1000);
  expect(heard.errors).toMatchObject([{ code: 'transcriber/failed' }]);
  expect(Math.round(server.heard[0]!.heardMs)).toBe(1000);
});

it('waits as long for the words of a later pause as for those of the first', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => void server.close());
  let commits = 0;
  let done = (): void => {};
  server.on('connection', (socket) => {
    socket.on('message', (data) => void (String(data).includes('"final":true') && commits++));
    done = () => socket.send(JSON.stringify({ type: 'transcription.done', text: 'what' }));
  });
  await new Promise((resolve) => server.once('listening', resolve));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
  };
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const transcriber = new RealtimeTranscriber({ dialect: 'vllm', baseUrl, model: 'm', timeoutMs: 1000 });
  onTestFinished(() => transcriber.close());
  const heard = listener();
  const stream = transcriber.start(0, heard);
  for (const toMs of [1000, 2000]) {
    stream.push(second(), toMs);
    stream.settle();
  }
  await until(() => commits === 1);
  vi.advanceTimersByTime(999);
  done();
  await until(() => commits === 2);
  vi.advanceTimersByTime(999);
  expect(heard.errors).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(heard.errors).toMatchObject([{ code: 'transcriber/failed' }]);
});

it('words of a later part that come first stand behind those of an earlier one, and cover nothing before they are there', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => void server.close());
  let commits = 0;
  server.on('connection', (socket) => {
    const about = (item: number, type: string, text: object) =>
      socket.send(
        JSON.stringify({ type: `conversation.item.input_audio_transcription.${type}`, item_id: `i${item}`, ...text }),
      );
    socket.on('message', (data) => {
      if (!String(data).includes('input_audio_buffer.commit')) return;
      socket.send(JSON.stringify({ type: 'input_audio_buffer.committed', item_id: `i${++commits}` }));
      if (commits < 2) return;
      about(1, 'delta', { delta: 'what' });
      about(2, 'delta', { delta: 'is it' });
      about(2, 'completed', { transcript: 'is it now' });
      about(1, 'completed', { transcript: 'what time' });
    });
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const heard = listener();
  const transcriber = new RealtimeTranscriber({ dialect: 'openai', baseUrl, model: 'm' });
  onTestFinished(() => transcriber.close());
  const stream = transcriber.start(0, heard);
  for (const toMs of [1000, 2000]) {
    stream.push(second(), toMs);
    stream.settle();
  }
  await vi.waitFor(() => expect(heard.transcripts).toHaveLength(4));
  expect(heard.transcripts.map(({ words, ...rest }) => ({ text: words.join(' '), ...rest }))).toEqual([
    { text: 'what', stable: 0, covered: 0, coveredMs: 0 },
    { text: 'what is it', stable: 0, covered: 0, coveredMs: 0 },
    { text: 'what is it now', stable: 0, covered: 0, coveredMs: 0 },
    { text: 'what time is it now', stable: 5, coveredMs: 2000 },
  ]);
  expect(heard.errors).toEqual([]);
});
