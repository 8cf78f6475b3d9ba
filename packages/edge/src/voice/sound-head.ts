/** Where samples that have no header begin, or what they are instead. */
export type SoundHead = 'samples' | 'wav' | { readonly other: string };

/** As much as every signature needs. */
const SIGNATURE_BYTES = 8;
const MAGIC: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^ID3/, 'an MP3'],
  [/^OggS/, 'Ogg'],
  [/^fLaC/, 'FLAC'],
  [/^.E\xdf\xa3/s, 'WebM'],
  [/^.{4}ftyp/s, 'an MP4'],
  [/^<[!?a-z][\t\n\r -~]{6}/i, 'a page'],
  // As samples, letters are as loud as speech rarely begins, and eight of them more so.
  [/^[{[]\s*["{[\]}][\t\n\r -~]*$/, 'JSON'],
];

/**
 * Looks at how a sound begins that is said to be 16-bit samples: a server may send what it likes as `application/octet-stream`, and what
 * is compressed is noise at full scale where it is played as samples.
 * @param head of the sound, from its first byte
 * @returns undefined where more bytes are needed
 */
export function readSoundHead(head: Uint8Array): SoundHead | undefined {
  if (head.length < SIGNATURE_BYTES) return undefined;
  const text = String.fromCharCode(...head.subarray(0, SIGNATURE_BYTES));
  if (text.startsWith('RIFF')) return 'wav';
  const other = MAGIC.find(([pattern]) => pattern.test(text))?.[1];
  if (other !== undefined) return { other };
  const frameBytes = mp3FrameBytes(head);
  if (frameBytes === undefined) return 'samples';
  // Samples may look like the beginning of a frame; like two of them, one after the other, they do not.
  const [next, end] = [head.subarray(frameBytes, frameBytes + 4), frameBytes + 4];
  if (head.length < end) return undefined;
  const goesOn = mp3FrameBytes(next) !== undefined && next[1] === head[1] && (next[2]! & 0x0c) === (head[2]! & 0x0c);
  return goesOn ? { other: 'an MP3' } : 'samples';
}

const KBPS = {
  mpeg1: [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  mpeg2: [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const;
const MPEG1_HZ = [44_100, 48_000, 32_000] as const;

/** Of a frame of MPEG audio, layer III (ISO/IEC 11172-3, 2.4.1.3; 13818-3): undefined where none begins here. */
function mp3FrameBytes(bytes: Uint8Array): number | undefined {
  const [sync, kind, rates, rest] = bytes as unknown as [number, number, number, number];
  const version = (kind >> 3) & 3; // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  if (sync !== 0xff || kind >> 5 !== 7 || version === 1 || ((kind >> 1) & 3) !== 1 || (rest & 3) === 2)
    return undefined;
  const kbps = KBPS[version === 3 ? 'mpeg1' : 'mpeg2'][(rates >> 4) - 1];
  const mpeg1Hz = MPEG1_HZ[(rates >> 2) & 3];
  if (kbps === undefined || mpeg1Hz === undefined) return undefined;
  const hz = version === 3 ? mpeg1Hz : mpeg1Hz / (version === 2 ? 2 : 4);
  return Math.floor(((version === 3 ? 144 : 72) * kbps * 1000) / hz) + ((rates >> 1) & 1);
}
