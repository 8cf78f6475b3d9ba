import { describe, expect, it } from 'vitest';
import { HeardTurns } from './heard-turns.js';

const create = (rows: number, turns: number, turnBytes: number) => {
  const buffer = new SharedArrayBuffer(16 + HeardTurns.bytes(rows, turns, turnBytes));
  return { heard: new HeardTurns(buffer, 16, rows, turns, turnBytes), buffer };
};
const hear = (heard: HeardTurns, row: number, lease: number, index: number) =>
  heard.add(row, lease, { index, play: index % 2 }, (into) => into.fill(10 * lease + index));

describe('what rows have heard', () => {
  it('is each row’s last micro-turns, the oldest first, for whoever has the memory', () => {
    const { buffer, heard } = create(3, 4, 5);
    for (let index = 0; index < 9; index++) hear(heard, 1, 7, index);
    hear(heard, 2, 8, 0);
    const next = new HeardTurns(buffer, 16, 3, 4, 5);
    expect(next.of(1, 7)).toEqual(
      [5, 6, 7, 8].map((index) => ({ index, play: index % 2, inputs: new Uint8Array(5).fill(70 + index) })),
    );
    expect(next.of(2, 8).map(({ index }) => index)).toEqual([0]);
    expect(next.of(0, 7)).toEqual([]);
  });

  it('is of one lease', () => {
    const { heard } = create(1, 4, 1);
    hear(heard, 0, 7, 50);
    hear(heard, 0, 7, 51);
    hear(heard, 0, 8, 0);
    expect(heard.of(0, 8).map(({ index }) => index)).toEqual([0]);
    expect(heard.of(0, 7)).toEqual([]);
  });

  it('is as it was where a thread ended while it wrote', () => {
    const { heard } = create(1, 2, 4);
    for (let index = 0; index < 5; index++) hear(heard, 0, 7, index);
    const before = heard.of(0, 7).map(({ index, play, inputs }) => ({ index, play, inputs: inputs.slice() }));
    const died = new Error('the thread ended here');
    expect(() =>
      heard.add(0, 7, { index: 5, play: 1 }, (into) => {
        into.fill(255);
        throw died;
      }),
    ).toThrow(died);
    expect(heard.of(0, 7)).toEqual(before);
  });
});
