import { once } from 'node:events';
import type { MicroturnError } from '@microturn/protocol';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hasEspeak } from '../engine/fixtures/speech.js';
import { SpeechServer, streamedWavHeader, type SpeechServerOptions } from '../testing/speech-server.js';
import { espeakVoice } from './espeak-voice.js';
import { FallbackVoice } from './fallback-voice.js';
import { httpVoice, type HttpVoiceOptions } from './http-voice.js';
import { mp3Frames } from './fixtures/mp3-frames.js';
import { PcmStream } from './pcm-stream.js';
import { splitSentences } from './sentences.js';
import { StreamedVoice } from './streamed-voice.js';
import { SpeakingRate, StreamedWords } from './streamed-words.js';
import { ToneVoice } from './tone-voice.js';
import type { SpeechClause, Voice } from './types.js';
import { soundEdges } from './voice.contract.js';
import { readWavHeader } from './wav-header.js';

const TEXT = 'It is noon in Rome. The sun is out!';

async function say(voice: Voice, text = TEXT, options: Parameters<Voice['speak']>[1] = {}): Promise<SpeechClause[]> {
  const clauses: SpeechClause[] = [];
  for await (const clause of voice.speak(text, options)) clauses.push(clause);
  return clauses;
}

function whole(clauses: readonly SpeechClause[]): Float32Array {
  return Float32Array.from(clauses.flatMap(({ pcm }) => [...pcm]));
}

/** Words on the clock of the whole. */
function wordsOf(clauses: readonly SpeechClause[]) {
  let atMs = 0;
  return clauses.flatMap(({ words, pcm, rateHz }) => {
    const startMs = atMs;
    atMs += (pcm.length * 1000) / rateHz;
    return words.map((word) => ({ ...word, startMs: word.startMs + startMs, endMs: word.endMs + startMs }));
  });
}

async function open(server: SpeechServerOptions = {}, options: Partial<HttpVoiceOptions> = {}) {
  const started = await SpeechServer.start({ apiKey: 'k', ...server });
  const voice = httpVoice({ baseUrl: started.url, apiKey: 'k', model: 'tts', voice: 'alloy', ...options });
  onTestFinished(async () => {
    await voice.close();
    await started.close();
  });
  return { server: started, voice };
}

describe('a voice over HTTP', () => {
  it('asks sentence by sentence, and passes the sound on in stretches with the words that end in each', async () => {
    const { server, voice } = await open();
    const clauses = await say(voice);
    expect(server.problems).toEqual([]);
    expect(server.spoken.map(({ body }) => body)).toEqual([
      { model: 'tts', input: 'It is noon in Rome.', voice: 'alloy', response_format: 'pcm' },
      { model: 'tts', input: 'The sun is out!', voice: 'alloy', response_format: 'pcm' },
    ]);
    const words = wordsOf(clauses);
    expect(words.map(({ text }) => text).join(' ')).toBe(TEXT);
    const lengthMs = (whole(clauses).length * 1000) / 24_000;
    let atMs = 0;
    for (const { startMs, endMs } of words) {
      expect(startMs).toBeGreaterThanOrEqual(atMs - 0.01);
      expect(endMs).toBeGreaterThan(startMs);
      atMs = endMs;
    }
    expect(atMs).toBeLessThanOrEqual(lengthMs + 0.01);
    expect(Math.abs(lengthMs - 65 * (TEXT.length - 1))).toBeLessThan(60);
    expect(clauses.every(({ pcm, rateHz }) => (pcm.length * 1000) % rateHz === 0)).toBe(true);
    expect(clauses.filter(({ pauseMs }) => pauseMs > 0)).toHaveLength(2);
  });

  it('gives the first sound while the rest is still being made', async () => {
    const { server, voice } = await open({ speak: [{ speed: 2 }] });
    for await (const { pcm, rateHz } of voice.speak(TEXT)) {
      expect(server.spoken[0]!.outcome).toBe('open');
      expect((pcm.length * 1000) / rateHz).toBeLessThan(200);
      break;
    }
    await expect.poll(() => server.spoken[0]!.outcome).toBe('aborted');
  });

  it.each([
    ['a WAV at a rate of Opus', 16_000, 16_000],
    ['a WAV at another rate', 22_050, 24_000],
  ])('reads %s', async (_, rateHz, expectedHz) => {
    const { voice } = await open({ rateHz }, { format: 'wav' });
    const clauses = await say(voice, 'One sentence.');
    expect(clauses[0]!.rateHz).toBe(expectedHz);
    const pcm = whole(clauses);
    expect(Math.abs((pcm.length * 1000) / expectedHz - 65 * 13)).toBeLessThan(30);
    expect(Math.max(...pcm)).toBeCloseTo(8000 / 32_768, 2);
  });

  it('reads a WAV where samples were asked for, and both wherever they are cut', async () => {
    const samples = Buffer.from(Int16Array.from({ length: 6000 }, (_, i) => (i % 2 ? 9000 : -9000)).buffer);
    const wav = Buffer.concat([streamedWavHeader(16_000), samples]);
    for (const [bytes, rateHz] of [
      [samples, 24_000],
      [wav, 16_000],
    ] as const) {
      for (const size of [1, 3, 4, 50, bytes.length]) {
        const voice = new StreamedVoice({
          name: 'cut',
          firstAudioMs: 1000,
          stallMs: 1000,
          open: () => ({
            format: { wav: false, rateHz: 24_000 },
            bytes: (async function* () {
              for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
            })(),
          }),
        });
        const clauses = await say(voice, 'One sentence.');
        expect(clauses.every((clause) => clause.rateHz === rateHz)).toBe(true);
        expect([...whole(clauses)]).toEqual(Array.from({ length: 6000 }, (_, i) => (i % 2 ? 9000 : -9000) / 32_768));
      }
    }
  });

  it.each([
    'text/html; charset=utf-8',
    'application/json',
    'application/problem+json',
    'audio/mpeg',
    'audio/ogg',
    'audio/aac',
    'audio/x-flac',
    'audio/opus',
    'audio/webm',
    'Audio/MP4',
  ])('plays no %s as samples, whatever the status: another voice says it', async (contentType) => {
    const { server, voice } = await open({ speak: [{ contentType }] });
    const problems: MicroturnError[] = [];
    const clauses = await say(new FallbackVoice(voice, new ToneVoice()), TEXT, {
      onProblem: (error) => problems.push(error),
    });
    expect(problems).toMatchObject([{ code: 'voice/failed' }]);
    expect(problems[0]!.message).toContain(contentType.toLowerCase());
    expect(clauses.every(({ rateHz }) => rateHz === 16_000)).toBe(true);
    expect(server.spoken).toHaveLength(1);
  });

  it.each([
    ['an MP3', mp3Frames(0xff, 0xf3, 0xe4, 0xc4, 480)],
    ['Ogg', Buffer.from('OggS\0\x02\0\0\0\0', 'latin1')],
    ['JSON', Buffer.from('{"error": "no such voice"}')],
  ])('plays no %s as samples that is said to be bytes: another voice says it', async (name, header) => {
    const { voice } = await open({ speak: [{ contentType: 'application/octet-stream', header }] });
    const problems: MicroturnError[] = [];
    const clauses = await say(new FallbackVoice(voice, new ToneVoice()), TEXT, {
      onProblem: (error) => problems.push(error),
    });
    expect(problems).toMatchObject([{ code: 'voice/failed', message: expect.stringContaining(name) as string }]);
    expect(clauses.every(({ rateHz }) => rateHz === 16_000)).toBe(true);
  });

  it.each(['audio/pcm', 'audio/L16; rate=24000', 'audio/x-wav', 'application/octet-stream', 'binary/octet-stream'])(
    'takes %s for samples',
    async (contentType) => {
      const { voice } = await open({ speak: [{ contentType }] });
      expect(whole(await say(voice, 'One sentence.')).length).toBeGreaterThan(0);
    },
  );

  it.each([
    ['an error', { speak: [{ status: 500 }] }, {}, '500'],
    ['a wrong key', { apiKey: 'other' }, {}, '401'],
    ['no sound in time', { speak: [{ delayMs: 3000 }] }, { firstAudioMs: 50 }, 'no sound within 50 ms'],
    ['sound that stops', { speak: [{ stallAfterMs: 200 }] }, { stallMs: 50 }, 'the sound stopped within 50 ms'],
    ['no WAV', { speak: [{ header: Buffer.from('<html><body>') }] }, { format: 'wav' as const }, 'expected a WAV'],
  ])('fails with a code after %s', async (_, script, options, message) => {
    const { voice } = await open(script, options);
    const failed = say(voice);
    await expect(failed).rejects.toMatchObject({ code: 'voice/failed' });
    await expect(failed).rejects.toThrow(message);
  });

  it('takes silence for no sound, and no more of it than a sentence may be long', async () => {
    const silent = (bytes: () => AsyncIterable<Uint8Array>) =>
      say(
        new StreamedVoice({
          name: 'silent',
          firstAudioMs: 100,
          stallMs: 1000,
          open: () => ({ format: { wav: false, rateHz: 24_000 }, bytes: bytes() }),
        }),
        'Hello.',
      );
    const second = new Uint8Array(48_000);
    const slow = silent(async function* () {
      for (let i = 0; i < 50; i++) {
        yield new Uint8Array(960);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
    await expect(slow).rejects.toMatchObject({ message: expect.stringContaining('no sound within 100 ms') as unknown });
    let seconds = 0;
    const endless = silent(async function* () {
      yield second.slice().fill(64);
      for (; seconds < 200; seconds++) yield second;
    });
    await expect(endless).rejects.toMatchObject({ message: expect.stringContaining('without an end') as unknown });
    expect(seconds).toBeLessThan(62);
  });

  it('stops asking when nobody listens any more', async () => {
    const { server, voice } = await open({ speak: [{ speed: 1 }] });
    const abort = new AbortController();
    const clauses: SpeechClause[] = [];
    for await (const clause of voice.speak(TEXT, { signal: abort.signal })) {
      clauses.push(clause);
      abort.abort();
    }
    expect(clauses).toHaveLength(1);
    expect(server.spoken).toHaveLength(1);
    await expect.poll(() => server.spoken[0]!.outcome).toBe('aborted');
    await voice.close();
    await expect(say(voice)).rejects.toThrow(TypeError);
  });
});

describe('a source that ends quietly where it is ended, as a program does that is killed', () => {
  /** A voice whose source gives `soundMs` of sound, and the next only where it is ended: nothing. */
  function voiceOf(soundMs: number, stallMs = 1000) {
    const sound = new Uint8Array(Int16Array.from({ length: soundMs * 24 }, (_, i) => (i % 2 ? 9000 : -9000)).buffer);
    return new StreamedVoice({
      name: 'program',
      firstAudioMs: 1000,
      stallMs,
      open: (_, signal) => ({
        format: { wav: false, rateHz: 24_000 },
        bytes: (async function* () {
          yield sound;
          await once(signal, 'abort');
        })(),
      }),
    });
  }

  it('has not said its sentence when it is stopped: what was held back of it is not given', async () => {
    const abort = new AbortController();
    const clauses = voiceOf(300).speak('One two three four.', { signal: abort.signal });
    const first = await clauses.next();
    const second = clauses.next();
    abort.abort();
    expect([first.done, await second]).toEqual([false, { done: true, value: undefined }]);
  });

  it('has not said it either when it stalls: another voice says the rest', async () => {
    const problems: MicroturnError[] = [];
    const voice = new FallbackVoice(voiceOf(300, 30), new ToneVoice());
    const clauses = await say(voice, 'One two three four.', { onProblem: (error) => problems.push(error) });
    expect(problems).toMatchObject([{ message: expect.stringContaining('the sound stopped') as unknown }]);
    expect(wordsOf(clauses).map(({ text }) => text)).toEqual(['One', 'two', 'three', 'four.']);
    expect(clauses.at(-1)!.words.length).toBeGreaterThan(0);
    expect(clauses.at(-1)!.rateHz).toBe(16_000);
  });
});

describe('a voice behind another', () => {
  it('goes on from the word at which the first one failed, says so, and leaves it alone for a while', async () => {
    const { server, voice: first } = await open(
      { speak: [{ cutAfterMs: 800 }, {}] },
      { firstAudioMs: 500, stallMs: 500 },
    );
    let nowMs = 0;
    const voice = new FallbackVoice(first, new ToneVoice(), () => nowMs);
    const problems: MicroturnError[] = [];
    const onProblem = (error: MicroturnError) => problems.push(error);
    const clauses = await say(voice, TEXT, { onProblem });
    expect(
      wordsOf(clauses)
        .map(({ text }) => text)
        .join(' '),
    ).toBe(TEXT);
    expect(problems).toMatchObject([{ code: 'voice/failed' }]);
    await say(voice, TEXT, { onProblem });
    expect(server.spoken).toHaveLength(1);
    nowMs += 10_000;
    await say(voice, TEXT, { onProblem });
    expect(server.spoken).toHaveLength(3);
    expect(problems).toHaveLength(1);
  });
});

describe.skipIf(!hasEspeak)('espeak-ng as a voice', () => {
  it('speaks languages that Flite does not, trimmed at both ends', async () => {
    const voice = espeakVoice({ voice: 'de' });
    const clauses = await say(voice, 'Grüß Gott, wie geht’s?');
    expect(wordsOf(clauses).map(({ text }) => text)).toEqual(['Grüß', 'Gott,', 'wie', 'geht’s?']);
    const pcm = whole(clauses);
    const { firstMs, lastMs } = soundEdges(pcm, 24_000);
    const lengthMs = pcm.length / 24;
    expect(lengthMs).toBeGreaterThan(700);
    expect(firstMs).toBeLessThan(40);
    expect(lengthMs - lastMs).toBeLessThan(120);
  });

  it('takes a text as text, whatever stands in it', async () => {
    const clauses = await say(espeakVoice({}), '--help; $(reboot) `ls` -w /tmp/x');
    expect(whole(clauses).length).toBeGreaterThan(24_000);
  });

  it('is a coded error where it is not installed, or where the voice is no name', async () => {
    await expect(say(espeakVoice({ program: 'no-such-espeak' }))).rejects.toMatchObject({ code: 'voice/failed' });
    expect(() => espeakVoice({ voice: '-w /tmp/x' })).toThrow(expect.objectContaining({ code: 'edge/config' }));
  });
});

describe('words of a voice that gives no times', () => {
  it('come out in the stretch in which they end, and all of them by the end', () => {
    const words = new StreamedWords(['one', 'two', 'three'], new SpeakingRate());
    expect(words.take(300)).toMatchObject([{ text: 'one', startMs: 0, endMs: 260 }]);
    expect(words.take(310)).toEqual([]);
    const rest = words.finish(800);
    expect(rest.map(({ text }) => text)).toEqual(['two', 'three']);
    expect(rest.at(-1)!.endMs).toBeCloseTo(800);
    expect(words.rest).toEqual([]);
  });

  it('learn how fast the voice is', () => {
    const rate = new SpeakingRate();
    for (let i = 0; i < 20; i++) new StreamedWords(['abcd', 'efgh'], rate).finish(300);
    expect(rate.msPerChar).toBeCloseTo(30, 1);
  });
});

describe('PCM that streams', () => {
  const bytesOf = (samples: readonly number[]) => new Uint8Array(Int16Array.from(samples).buffer);
  const silence = (ms: number) => Array.from({ length: ms * 24 }, () => 0);
  const sound = (ms: number) => Array.from({ length: ms * 24 }, (_, i) => (i % 2 ? 9000 : -9000));

  it('loses its silence at both ends, and keeps that in between, wherever the bytes are cut', () => {
    const bytes = bytesOf([...silence(300), ...sound(100), ...silence(50), ...sound(100), ...silence(300)]);
    for (const size of [1, 7, 480, 4801, bytes.length]) {
      const stream = new PcmStream(24_000);
      const out: number[] = [];
      for (let at = 0; at < bytes.length; at += size) out.push(...stream.push(bytes.slice(at, at + size)));
      out.push(...stream.flush());
      expect(out.length / 24).toBe(10 + 250 + 30);
    }
  });

  it('is nothing where all of it is silence', () => {
    const stream = new PcmStream(24_000);
    expect(stream.push(bytesOf(silence(500)))).toHaveLength(0);
    expect(stream.flush()).toHaveLength(0);
  });
});

describe('the header of a WAV', () => {
  it('asks for more bytes until it has the format', () => {
    const wav = Buffer.alloc(60);
    wav.write('RIFF....WAVEfmt ', 'latin1');
    wav.writeUInt32LE(16, 16);
    wav.writeUInt16LE(1, 20);
    wav.writeUInt16LE(1, 22);
    wav.writeUInt32LE(8000, 24);
    wav.writeUInt16LE(16, 34);
    wav.write('LIST', 36, 'latin1');
    wav.writeUInt32LE(4, 40);
    wav.write('data', 48, 'latin1');
    for (let length = 0; length < 56; length++) expect(readWavHeader(wav.subarray(0, length))).toBeUndefined();
    expect(readWavHeader(wav)).toEqual({ rateHz: 8000, dataAt: 56 });
    wav.writeUInt16LE(2, 22);
    expect(() => readWavHeader(wav)).toThrow('mono');
  });
});

describe('sentences', () => {
  it('of any language, as written, without marks', () => {
    expect(splitSentences('Hello **there**. ¿Qué tal? 今日は。').map(({ text }) => text)).toEqual([
      'Hello there.',
      '¿Qué tal?',
      '今日は。',
    ]);
    expect(splitSentences('word '.repeat(200)).every(({ text }) => text.length <= 280)).toBe(true);
    expect(() => splitSentences('… !')).toThrow(expect.objectContaining({ code: 'voice/failed' }));
    expect(() => splitSentences('a'.repeat(5000))).toThrow(expect.objectContaining({ code: 'voice/failed' }));
  });
});
