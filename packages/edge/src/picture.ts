import { MicroturnError, limits } from '@microturn/protocol';

export interface Picture {
  readonly mediaType: 'image/jpeg' | 'image/png' | 'image/webp';
  readonly bytes: Uint8Array;
}

/** What pictures of each kind begin with. */
const kinds: readonly (readonly [Picture['mediaType'], (head: string) => boolean])[] = [
  ['image/jpeg', (head) => head.startsWith('\xff\xd8\xff')],
  ['image/png', (head) => head.startsWith('\x89PNG\r\n\x1a\n')],
  ['image/webp', (head) => head.startsWith('RIFF') && head.startsWith('WEBP', 8)],
];
const HEAD_BYTES = 12;

/**
 * By its first bytes, whatever it was said to be.
 * @throws {MicroturnError} `image/invalid`, `protocol/too-large` beyond `limits.imageBytes`
 */
export function toPicture(bytes: Uint8Array): Picture {
  assertPictureSize(bytes.length);
  return { mediaType: pictureKind(bytes), bytes };
}

/** @throws {MicroturnError} `image/invalid` */
export function pictureKind(bytes: Uint8Array): Picture['mediaType'] {
  const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1');
  const kind = kinds.find(([, begins]) => begins(head))?.[0];
  if (!kind) throw new MicroturnError('image/invalid', 'it is no JPEG, PNG or WebP');
  return kind;
}

/** @throws {MicroturnError} `protocol/too-large` */
export function assertPictureSize(bytes: number): void {
  if (bytes > limits.imageBytes)
    throw new MicroturnError('protocol/too-large', `an image of more than ${limits.imageBytes} bytes`);
}
