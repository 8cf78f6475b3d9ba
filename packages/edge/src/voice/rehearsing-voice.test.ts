import type { MicroturnError } from '@microturn/protocol';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SpeechServer, type SpeechServerOptions } from '../testing/speech-server.js';
import { FallbackVoice } from './fallback-voice.js';
import { httpVoice } from './http-voice.js';
import { RehearsingVoice } from './rehearsing-voice.js';
import { ToneVoice } from './tone-voice.js';
import type { SpeechClause, Voice } from './types.js';
import { voiceContract } from './voice.contract.js';

voiceContract('RehearsingVoice', async () => new RehearsingVoice(new ToneVoice()));
voiceContract('RehearsingVoice, of what was rehearsed', async () => {
  const voice = new RehearsingVoice(new ToneVoice());
  for (const text of ['Well, this is the first clause,', 'One more time.', 'yes']) voice.rehearse(text);
  return voice;
});

/** What is late here is this machine. */
const WAIT = { timeout: 10_000 };
const PATIENT = { firstAudioMs: 60_000, stallMs: 60_000 };

async function open(options: SpeechServerOptions = {}, now?: () => number) {
  const server = await SpeechServer.start(options);
  const voice = new RehearsingVoice(httpVoice({ baseUrl: server.url, model: 'tts', voice: 'alloy', ...PATIENT }), now);
  onTestFinished(async () => {
    await voice.close();
    await server.close();
    expect(server.problems).toEqual([]);
  });
  const inputs = () => server.spoken.map(({ body }) => body.input);
  const made = (count: number) =>
    expect.poll(() => server.spoken.filter(({ outcome }) => outcome === 'done'), WAIT).toHaveLength(count);
  return { server, voice, inputs, made };
}

async function say(voice: Voice, text: string, options: Parameters<Voice['speak']>[1] = {}): Promise<SpeechClause[]> {
  const clauses: SpeechClause[] = [];
  for await (const clause of voice.speak(text, options)) clauses.push(clause);
  return clauses;
}
const textOf = (clauses: readonly SpeechClause[]) =>
  clauses.flatMap(({ text }) => (text === '' ? [] : [text])).join(' ');

describe('a voice that rehearses', { timeout: 30_000 }, () => {
  it('has the sound there when it is said, and asks for it once', async () => {
    const { voice, inputs, made } = await open();
    voice.rehearse('It is noon.');
    voice.rehearse('It is noon.');
    await made(1);
    expect(textOf(await say(voice, 'It is noon.'))).toBe('It is noon.');
    expect(inputs()).toEqual(['It is noon.']);
    // What was said is not kept: the sound was the caller's to take.
    await say(voice, 'It is noon.');
    expect(inputs()).toHaveLength(2);
  });

  it('begins with what is there, and asks only for the rest', async () => {
    const { voice, inputs } = await open();
    voice.rehearse('Yes,');
    voice.rehearse('Yes, it is.');
    expect(textOf(await say(voice, 'Yes, it is. And it rains.'))).toBe('Yes, it is. And it rains.');
    expect(inputs().toSorted()).toEqual(['And it rains.', 'Yes,', 'Yes, it is.']);
  });

  it('takes no beginning of a word for it', async () => {
    const { voice, inputs } = await open();
    voice.rehearse('No');
    expect(textOf(await say(voice, 'None at all.'))).toBe('None at all.');
    expect(inputs()).toEqual(['No', 'None at all.']);
  });

  it('is asked anew for another pace than its own', async () => {
    const { voice, inputs, made } = await open();
    voice.rehearse('It is noon.');
    await made(1);
    await say(voice, 'It is noon.', { rate: 0.8 });
    expect(inputs()).toEqual(['It is noon.', 'It is noon.']);
  });

  it('goes on from what is still being made, and waits for it no longer than it may take', async () => {
    const { voice, inputs } = await open({ speak: [{ delayMs: 60 }] });
    voice.rehearse('It is noon.');
    expect(textOf(await say(voice, 'It is noon.'))).toBe('It is noon.');
    expect(inputs()).toHaveLength(1);
  });

  it('gives nobody what was rehearsed for another', async () => {
    const { voice, inputs, made } = await open();
    voice.rehearse('It is noon.', 'ann');
    await made(1);
    await say(voice, 'It is noon.', { caller: 'bob' });
    expect(inputs()).toHaveLength(2);
    await say(voice, 'It is noon.', { caller: 'ann' });
    expect(inputs()).toHaveLength(2);
  });

  it('ends what nobody needs any more: the oldest of a caller’s many, what is old, and all when it closes', async () => {
    const open = new Set<string>();
    const endless: Voice = {
      name: 'endless',
      async *speak(text, { signal } = {}) {
        open.add(text);
        await new Promise<void>((resolve) => signal!.addEventListener('abort', () => resolve()));
        open.delete(text);
        yield* [];
      },
      close: async () => undefined,
    };
    let nowMs = 0;
    const voice = new RehearsingVoice(endless, () => nowMs);
    voice.rehearse('This is for Bob.', 'bob');
    for (let i = 0; i < 20; i++) voice.rehearse(`This is number ${i}.`, 'ann');
    await expect.poll(() => open.size, WAIT).toBe(5);
    expect([...open].slice(0, 2)).toEqual(['This is for Bob.', 'This is number 16.']);
    nowMs = 20_000;
    voice.rehearse('It is late.');
    await expect.poll(() => [...open], WAIT).toEqual(['It is late.']);
    await voice.close();
    await expect.poll(() => open.size, WAIT).toBe(0);
  });

  it('stops what is being made when its listener stops it', async () => {
    const { voice, server } = await open({ speak: [{ speed: 0.5 }] });
    voice.rehearse('It is noon in Rome.');
    const abort = new AbortController();
    for await (const _ of voice.speak('It is noon in Rome.', { signal: abort.signal })) abort.abort();
    await expect.poll(() => server.spoken.map(({ outcome }) => outcome), WAIT).toEqual(['aborted']);
  });

  it('is silent about a rehearsal that failed: whoever says it is told, and stood in for', async () => {
    const { voice, inputs } = await open({ speak: [{ status: 500 }] });
    const problems: MicroturnError[] = [];
    const both = new FallbackVoice(voice, new ToneVoice());
    both.rehearse('It is noon.');
    await expect.poll(inputs, WAIT).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(problems).toEqual([]);
    expect(textOf(await say(both, 'It is noon.', { onProblem: (error) => problems.push(error) }))).toBe('It is noon.');
    expect(problems.map(({ code }) => code)).toEqual(['voice/failed']);
    // While it cools, nothing is rehearsed.
    both.rehearse('And it rains.');
    expect(inputs()).toHaveLength(2);
  });
});
