import type { MicroturnError } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { SpeechServer } from '../testing/speech-server.js';
import { FallbackVoice } from './fallback-voice.js';
import { httpVoice } from './http-voice.js';
import { StreamedVoice } from './streamed-voice.js';
import { ToneVoice } from './tone-voice.js';
import type { Voice } from './types.js';

const TONES_HZ = 16_000;
const FIRST_HZ = 24_000;

async function ratesOf(voice: Voice, text: string, onProblem: (error: MicroturnError) => void = () => {}) {
  const rates = new Set<number>();
  for await (const { rateHz } of voice.speak(text, { onProblem })) rates.add(rateHz);
  return [...rates];
}

describe('a text that a voice cannot say is said by the one behind it, and that text alone', () => {
  it.each([400, 413, 422])('refused with %i', async (status) => {
    const server = await SpeechServer.start({ apiKey: 'k', speak: [{}, { status }, {}] });
    const first = httpVoice({ baseUrl: server.url, apiKey: 'k', model: 'tts', voice: 'alloy' });
    const voice = new FallbackVoice(first, new ToneVoice());
    const problems: MicroturnError[] = [];
    try {
      expect(await ratesOf(voice, 'Zero.')).toEqual([FIRST_HZ]);
      expect(await ratesOf(voice, 'One.', (error) => problems.push(error))).toEqual([TONES_HZ]);
      expect(problems).toMatchObject([
        { code: 'voice/failed', message: expect.stringContaining(`tts answered ${status}`) as string },
      ]);
      expect(await ratesOf(voice, 'Two.')).toEqual([FIRST_HZ]);
      expect(server.spoken).toHaveLength(3);
    } finally {
      await voice.close();
      await server.close();
    }
  });

  it.each([
    ['no sample', new Uint8Array(0)],
    ['silence', new Uint8Array(FIRST_HZ)],
  ])('of which there is %s', async (_, sound) => {
    const first = new StreamedVoice({
      name: 'of another script',
      firstAudioMs: 1000,
      stallMs: 1000,
      open: ({ text }) => ({
        format: { wav: false, rateHz: FIRST_HZ },
        bytes: (async function* () {
          yield text === 'One.' ? sound : new Uint8Array(FIRST_HZ).fill(0x20);
        })(),
      }),
    });
    const voice = new FallbackVoice(first, new ToneVoice());
    expect(await ratesOf(voice, 'Zero.')).toEqual([FIRST_HZ]);
    expect(await ratesOf(voice, 'One.')).toEqual([TONES_HZ]);
    expect(await ratesOf(voice, 'Two.')).toEqual([FIRST_HZ]);
  });
});

it.each([400, 422])(
  'a voice that answers every text with %i is asked once in a while, and not for each',
  async (status) => {
    const refused = { status };
    const server = await SpeechServer.start({ apiKey: 'k', speak: [refused, refused, {}, refused, {}] });
    const first = httpVoice({ baseUrl: server.url, apiKey: 'k', model: 'tts', voice: 'no such voice' });
    let nowMs = 0;
    const voice = new FallbackVoice(first, new ToneVoice(), () => nowMs);
    try {
      for (const [atMs, rateHz, asked] of [
        [0, TONES_HZ, 1],
        [9999, TONES_HZ, 1],
        [10_000, TONES_HZ, 2],
        [15_000, TONES_HZ, 2],
        // It was put right.
        [20_000, FIRST_HZ, 3],
        [20_000, TONES_HZ, 4],
        [20_000, FIRST_HZ, 5],
      ] as const) {
        nowMs = atMs;
        expect([await ratesOf(voice, 'One.'), server.spoken.length]).toEqual([[rateHz], asked]);
      }
    } finally {
      await voice.close();
      await server.close();
    }
  },
);
