import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { MicroturnError } from '@microturn/protocol';
import { OpenAiServer } from '../testing/openai-server.js';
import { HttpTranscriber } from './http-transcriber.js';
import { TRANSCRIBE_HZ, type Transcript } from './types.js';

const PER_MS = TRANSCRIBE_HZ / 1000;
const PIECE_MS = 200;
/** As long as Whisper hears at once. */
const WHISPER_MS = 30_000;
const EVERY_MS = 1000;

/** A word of so many ms is the sample of its number. */
function say(spoken: readonly { readonly word?: number; readonly ms: number }[]): Int16Array {
  const pcm = new Int16Array(spoken.reduce((sum, { ms }) => sum + ms, 0) * PER_MS);
  let from = 0;
  for (const { word = 0, ms } of spoken) {
    pcm.fill(word, from, (from += ms * PER_MS));
  }
  return pcm;
}

/** A word is heard where most of it is in the clip, and without a word in it there is one all the same, as with Whisper. */
function hear(pcm: Int16Array, wordMs: number): string {
  const samples = new Map<number, number>();
  for (const sample of pcm) samples.set(sample, (samples.get(sample) ?? 0) + 1);
  samples.delete(0);
  const words = [...samples].filter(([, count]) => count > (wordMs * PER_MS) / 2).map(([word]) => `w${word}`);
  return words.length > 0 ? words.join(' ') : 'Thanks for watching!';
}

async function transcribe(pcm: Int16Array, wordMs: number, everyMs = EVERY_MS) {
  const clips: Int16Array[] = [];
  const server = await OpenAiServer.start({
    transcribe: ({ audio }) => {
      const clip = new Int16Array(audio.slice(44).buffer);
      clips.push(clip);
      return hear(clip, wordMs);
    },
  });
  onTestFinished(() => server.close());
  let nowMs = 0;
  const transcriber = new HttpTranscriber({ baseUrl: server.url, model: 'whisper', everyMs, now: () => nowMs });
  onTestFinished(() => transcriber.close());
  const transcripts: Transcript[] = [];
  const errors: MicroturnError[] = [];
  let asked = 0;
  const stream = transcriber.start(0, {
    onSent: ({ requests }) => (asked += requests),
    onTranscript: (transcript) => transcripts.push(transcript),
    onFailed: (error) => errors.push(error),
  });
  const answered = () => vi.waitFor(() => expect(transcripts).toHaveLength(asked), { interval: 1 });
  const piece = PIECE_MS * PER_MS;
  for (let from = 0; from < pcm.length; from += piece) {
    nowMs += PIECE_MS;
    stream.push(pcm.subarray(from, from + piece), nowMs);
    await answered();
  }
  stream.settle();
  await answered();
  expect(errors).toEqual([]);
  expect(server.problems).toEqual([]);
  expect(transcripts.at(-1)!.coveredMs).toBe(nowMs);
  expect(Math.max(...clips.map((clip) => clip.length / PER_MS))).toBeLessThan(WHISPER_MS);
  for (const [i, { words, stable }] of transcripts.entries()) {
    const before = transcripts[i - 1];
    if (before) expect(words.slice(0, before.stable)).toEqual(before.words.slice(0, before.stable));
    expect(stable).toBeLessThanOrEqual(words.length);
  }
  return { words: transcripts.at(-1)!.words, clips };
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `w${i + 1}`);

describe('an utterance of more than a minute, by clips that grow', () => {
  it('with pauses in it is known to the word, and no clip begins within one', async () => {
    const spoken = Array.from({ length: 110 }, (_, i) => [
      { word: i + 1, ms: 430 },
      { ms: i % 12 === 11 ? 2500 : 40 },
    ]).flat();
    const { words, clips } = await transcribe(say(spoken), 430);
    expect(words).toEqual(numbered(110));
    const firstWords = clips.map((clip) => {
      const first = clip.find((sample) => sample !== 0)!;
      return {
        ends: clip.some((sample) => sample > first),
        ms: clip.filter((sample) => sample === first).length / PER_MS,
      };
    });
    for (const { ends, ms } of firstWords) if (ends) expect(ms).toBe(430);
  });

  it('without any pause is known as well', async () => {
    const { words } = await transcribe(say(numbered(160).map((_, i) => ({ word: i + 1, ms: 430 }))), 430);
    expect(words).toEqual(numbered(160));
  });

  it('is heard whole where it may be asked for less often than a clip is long', async () => {
    const spoken = numbered(160).map((_, i) => ({ word: i + 1, ms: 430 }));
    const { words, clips } = await transcribe(say(spoken), 430, 60_000);
    expect(words).toEqual(numbered(160));
    expect(clips.length).toBeLessThan(8);
  });

  it('that ends in a long silence gets no words out of that', async () => {
    const spoken = [...numbered(40).map((_, i) => ({ word: i + 1, ms: 430 })), { ms: 4000 }];
    const { words } = await transcribe(say(spoken), 430);
    expect(words).toEqual(numbered(40));
  });
});
