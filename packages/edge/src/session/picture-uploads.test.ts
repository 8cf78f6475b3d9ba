import { limits } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { toPicture } from '../picture.js';
import { PictureUploads } from './picture-uploads.js';

const png = (bytes = 64) => {
  const image = Buffer.alloc(bytes, 7);
  image.write('\x89PNG\r\n\x1a\n', 'latin1');
  return image;
};
const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, ...Buffer.alloc(20, 1)]);
const webp = Buffer.from('RIFF\x10\x00\x00\x00WEBPVP8 ....', 'latin1');

/** Sends a picture as a page does. */
function send(uploads: PictureUploads, imageId: string, bytes: Buffer, pieceBytes = 40): void {
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    const data = bytes.subarray(from, from + pieceBytes).toString('base64');
    uploads.append({ imageId, data, last: from + pieceBytes >= bytes.length });
  }
}
const code = (expected: string) => expect.objectContaining({ code: expected }) as Error;

describe('the pictures that a page sends', () => {
  it.each([
    ['image/png', png()],
    ['image/jpeg', jpeg],
    ['image/webp', webp],
  ])('%s comes whole, however it was cut', (mediaType, bytes) => {
    const uploads = new PictureUploads();
    for (const pieceBytes of [12, 13, 40, 1000]) {
      send(uploads, 'a', bytes, pieceBytes);
      expect(uploads.take(['a']).map(toPicture)).toEqual([{ mediaType, bytes }]);
    }
  });

  it.each([
    ['a page', Buffer.from('<!doctype html><script>')],
    ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['nothing', Buffer.alloc(0)],
    ['half a signature', png().subarray(0, 6)],
  ])('%s is refused with its first piece', (_what, bytes) => {
    const uploads = new PictureUploads();
    expect(() => uploads.append({ imageId: 'a', data: bytes.toString('base64'), last: false })).toThrow(
      code('image/invalid'),
    );
    expect(() => uploads.take(['a'])).toThrow(code('image/invalid'));
    expect(() => toPicture(bytes)).toThrow(code('image/invalid'));
  });

  it('may have so many bytes, and not one more', () => {
    const uploads = new PictureUploads();
    send(uploads, 'a', png(limits.imageBytes), 45_000);
    expect(uploads.take(['a'])[0]).toHaveLength(limits.imageBytes);
    expect(() => send(uploads, 'b', png(limits.imageBytes + 1), 45_000)).toThrow(code('protocol/too-large'));
    expect(() => uploads.take(['b'])).toThrow(code('image/invalid'));
    expect(() => toPicture(png(limits.imageBytes + 1))).toThrow(code('protocol/too-large'));
  });

  it('are taken once, and only when they are complete', () => {
    const uploads = new PictureUploads();
    uploads.append({ imageId: 'a', data: png().toString('base64'), last: false });
    expect(() => uploads.take(['a'])).toThrow(code('image/invalid'));
    uploads.append({ imageId: 'a', data: '', last: true });
    expect(() => uploads.append({ imageId: 'a', data: '', last: true })).toThrow(code('image/invalid'));
    send(uploads, 'b', png());
    expect(uploads.take(['b'])).toHaveLength(1);
    expect(() => uploads.take(['b'])).toThrow(code('image/invalid'));
  });

  it('that no question came for make room, the oldest first', () => {
    const uploads = new PictureUploads();
    for (const id of ['a', 'b', 'c', 'd', 'e']) send(uploads, id, png());
    expect(() => uploads.take(['a'])).toThrow(code('image/invalid'));
    expect(uploads.take(['b', 'e'])).toHaveLength(2);
  });
});
