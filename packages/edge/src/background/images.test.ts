import { describe, expect, it } from 'vitest';
import { TaskImages } from './images.js';

const png = () => Buffer.from('\x89PNG\r\n\x1a\n ....', 'latin1');
const code = (expected: string) => expect.objectContaining({ code: expected }) as Error;

describe('the pictures of tasks', () => {
  it('are few, until those are over', () => {
    const images = new TaskImages();
    images.attach('task-1', [png(), png(), png(), png()]);
    expect(images.of('task-1')[0]).toEqual({ mediaType: 'image/png', bytes: png() });
    expect(() => images.attach('task-2', [Buffer.from('<svg/>')])).toThrow(code('image/invalid'));
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
