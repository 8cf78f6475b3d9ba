/** What is known of a WAV that streams: where its samples begin, and how they are. */
export interface WavFormat {
  readonly rateHz: number;
  readonly dataAt: number;
}

/** Nobody puts more before the samples. */
const LONGEST_BYTES = 4096;

/**
 * Reads the header of a WAV, of which only the beginning may be there. Its lengths are not looked at: those who stream do
 * not know them.
 * @returns undefined where more bytes are needed
 * @throws {Error} where it is no WAV, or not of 16-bit mono PCM
 */
export function readWavHeader(bytes: Uint8Array): WavFormat | undefined {
  if (bytes.length < 12) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (tag(0) !== 'RIFF' || tag(8) !== 'WAVE') throw new Error('expected a WAV');
  let rateHz: number | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const size = view.getUint32(at + 4, true);
    if (tag(at) === 'data') {
      if (rateHz === undefined) throw new Error('a WAV without a format');
      return { rateHz, dataAt: at + 8 };
    }
    if (tag(at) === 'fmt ') {
      if (at + 24 > bytes.length) return undefined;
      const [format, channels, bits] = [8, 10, 22].map((offset) => view.getUint16(at + offset, true));
      const isPcm = format === 1 || format === 0xfffe;
      if (!isPcm || channels !== 1 || bits !== 16) {
        throw new Error(`expected 16-bit mono PCM, got format ${format}, ${channels} channels, ${bits} bits`);
      }
      rateHz = view.getUint32(at + 12, true);
    }
    at += 8 + size + (size % 2);
  }
  if (bytes.length > LONGEST_BYTES) throw new Error('a WAV without samples');
  return undefined;
}
