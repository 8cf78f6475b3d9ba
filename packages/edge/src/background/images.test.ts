import { limits } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { Images } from './images.js';

const png = (bytes = 64) => {
  const image = Buffer.alloc(bytes, 7);
  image.write('\x89PNG\r\n\x1a\n', 'latin1');
  return image;
};
const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, ...Buffer.alloc(20, 1)]);
const webp = Buffer.from('RIFF\x10\x00\x00\x00WEBPVP8 ....', 'latin1');

/** Sends a picture as a page does. */
function send(images: Images, imageId: string, bytes: Buffer, pieceBytes = 40): void {
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    const data = bytes.subarray(from, from + pieceBytes).toString('base64');
    images.append({ imageId, data, last: from + pieceBytes >= bytes.length });
  }
}
const code = (expected: string) => expect.objectContaining({ code: expected }) as Error;

describe('the pictures of a session', () => {
  it.each([
    ['image/png', png()],
    ['image/jpeg', jpeg],
    ['image/webp', webp],
  ])('%s comes whole, however it was cut', (mediaType, bytes) => {
    const images = new Images();
    for (const pieceBytes of [12, 13, 40, 1000]) {
      send(images, 'a', bytes, pieceBytes);
      images.attach('task-1', images.take(['a']));
      expect(images.of('task-1')).toEqual([{ mediaType, bytes }]);
      images.keep(new Set());
    }
  });

  it.each([
    ['a page', Buffer.from('<!doctype html><script>')],
    ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['nothing', Buffer.alloc(0)],
    ['half a signature', png().subarray(0, 6)],
  ])('%s is refused with its first piece', (_what, bytes) => {
    const images = new Images();
    expect(() => images.append({ imageId: 'a', data: bytes.toString('base64'), last: false })).toThrow(
      code('image/invalid'),
    );
    expect(() => images.take(['a'])).toThrow(code('image/invalid'));
    expect(() => images.attach('task-1', [bytes])).toThrow(code('image/invalid'));
  });

  it('may have so many bytes, and not one more', () => {
    const images = new Images();
    send(images, 'a', png(limits.imageBytes), 45_000);
    expect(images.take(['a'])[0]).toHaveLength(limits.imageBytes);
    expect(() => send(images, 'b', png(limits.imageBytes + 1), 45_000)).toThrow(code('protocol/too-large'));
    expect(() => images.take(['b'])).toThrow(code('image/invalid'));
    expect(() => images.attach('task-1', [png(limits.imageBytes + 1)])).toThrow(code('protocol/too-large'));
  });

  it('are taken once, and only when they are complete', () => {
    const images = new Images();
    images.append({ imageId: 'a', data: png().toString('base64'), last: false });
    expect(() => images.take(['a'])).toThrow(code('image/invalid'));
    images.append({ imageId: 'a', data: '', last: true });
    expect(() => images.append({ imageId: 'a', data: '', last: true })).toThrow(code('image/invalid'));
    send(images, 'b', png());
    expect(images.take(['b'])).toHaveLength(1);
    expect(() => images.take(['b'])).toThrow(code('image/invalid'));
  });

  it('that no question came for make room, the oldest first', () => {
    const images = new Images();
    for (const id of ['a', 'b', 'c', 'd', 'e']) send(images, id, png());
    expect(() => images.take(['a'])).toThrow(code('image/invalid'));
    expect(images.take(['b', 'e'])).toHaveLength(2);
  });

  it('of tasks are few, until those are over', () => {
    const images = new Images();
    images.attach('task-1', [png(), png(), png(), png()]);
    images.attach('task-2', [png(), png(), png()]);
    expect(() => images.attach('task-3', [png(), png()])).toThrow(code('task/full'));
    expect(() =>
      images.attach(
        'task-3',
        Array.from({ length: 5 }, () => png()),
      ),
    ).toThrow(code('protocol/too-large'));
    images.keep(new Set(['task-2']));
    images.attach('task-3', [png(), png()]);
    expect([images.of('task-1'), images.of('task-2'), images.of('task-3')].map(({ length }) => length)).toEqual([
      0, 3, 2,
    ]);
  });
});
