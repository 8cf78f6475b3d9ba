import { describe, expect, it } from 'vitest';
import { seededRandom } from '../testing/seeded-random.js';
import { mp3Frames } from './fixtures/mp3-frames.js';
import { readSoundHead } from './sound-head.js';

const latin1 = (text: string) => Buffer.from(text.padEnd(16, '\0'), 'latin1');

describe('how a sound begins', () => {
  it.each([
    ['an MP3', latin1('ID3\x04')],
    ['an MP3', mp3Frames(0xff, 0xfb, 0x90, 0xc4, 417)], // MPEG-1, 128 kbit/s, 44.1 kHz
    ['an MP3', mp3Frames(0xff, 0xf3, 0xe4, 0xc4, 480)], // MPEG-2, 160 kbit/s, 24 kHz
    ['an MP3', mp3Frames(0xff, 0xe3, 0x18, 0xc4, 72)], // MPEG-2.5, 8 kbit/s, 8 kHz
    ['Ogg', latin1('OggS\0\x02')],
    ['FLAC', latin1('fLaC\0\0')],
    ['WebM', latin1('\x1a\x45\xdf\xa3')],
    ['an MP4', latin1('\0\0\0\x20ftypM4A ')],
    ['a page', Buffer.from('<!DOCTYPE html><html>')],
    ['a page', Buffer.from('<html><body>')],
    ['JSON', Buffer.from('{"error": "no such voice"}')],
    ['JSON', Buffer.from('{\n  "detail": []}')],
    ['JSON', Buffer.from('[{"type": "missing"}]')],
  ])('tells %s', (other, head) => {
    expect(readSoundHead(head)).toEqual({ other });
    // In whatever pieces it comes, and nothing else before.
    const early = Array.from(head, (_, i) => readSoundHead(head.subarray(0, i)));
    expect(early.filter((one) => one !== undefined).every((one) => typeof one === 'object' && one.other === other)).toBe(true); // prettier-ignore
  });

  it('leaves a WAV to who reads its header', () => {
    expect(readSoundHead(latin1('RIFF\xff\xff\xff\xffWAVE'))).toBe('wav');
  });

  it('takes samples for samples: silence, noise as loud as can be, and what begins like one frame', () => {
    expect(readSoundHead(new Uint8Array(8))).toBe('samples');
    expect(readSoundHead(new Uint8Array(7))).toBeUndefined();
    expect(readSoundHead(mp3Frames(0xff, 0xfb, 0x90, 0xc4, 418))).toBe('samples');
    const random = seededRandom(7);
    for (let i = 0; i < 20_000; i++) {
      const head = Uint8Array.from({ length: 64 }, () => random() * 256);
      // Every other one begins as a frame does.
      if (i % 2 === 1) head.set([0xff, 0xfb]);
      const known = readSoundHead(head) ?? readSoundHead(Buffer.concat([head, Buffer.alloc(1500, random() * 256)]));
      expect(known).toBe('samples');
    }
  });
});
