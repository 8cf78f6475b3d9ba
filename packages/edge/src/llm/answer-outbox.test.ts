import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { AnswerOutbox } from './answer-outbox.js';
import type { AnswerPart } from './messages.js';

const text = (words: string): AnswerPart => ({ type: 'text', text: words });

function setUp() {
  const clock = new ManualClock(1000);
  const parcels: (readonly (readonly [number, readonly AnswerPart[]])[])[] = [];
  const outbox = new AnswerOutbox({ clock, after: clock.after, post: ({ answers }) => parcels.push(answers) });
  return { clock, parcels, outbox };
}

describe('what answers bring, on its way to main', () => {
  it('leaves at once after a pause, and then at most every 25 ms, with neighbouring text as one', () => {
    const { clock, parcels, outbox } = setUp();
    outbox.push(1, text('a'));
    expect(parcels).toEqual([[[1, [text('a')]]]]);
    outbox.onRead();
    outbox.push(1, text('b'));
    outbox.push(2, text('x'));
    outbox.push(1, text('c'));
    outbox.push(1, { type: 'first-token', ms: 5 });
    outbox.push(1, text('d'));
    clock.advance(24);
    expect(parcels).toHaveLength(1);
    clock.advance(1);
    expect(parcels[1]).toEqual([
      [1, [text('bc'), { type: 'first-token', ms: 5 }, text('d')]],
      [2, [text('x')]],
    ]);
  });

  it('waits until main has read the last: while main is busy a parcel grows, and none is queued', () => {
    const { clock, parcels, outbox } = setUp();
    outbox.push(1, text('a'));
    for (let i = 0; i < 100; i++) {
      outbox.push(1, text('b'));
      clock.advance(25);
    }
    expect(parcels).toHaveLength(1);
    outbox.onRead();
    expect(parcels).toHaveLength(2);
    expect(parcels[1]).toEqual([[1, [text('b'.repeat(100))]]]);
  });

  it('forgets what nobody waits for any more', () => {
    const { clock, parcels, outbox } = setUp();
    outbox.push(1, text('a'));
    outbox.push(2, text('x'));
    outbox.drop(2);
    outbox.onRead();
    clock.advance(100);
    expect(parcels).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});
