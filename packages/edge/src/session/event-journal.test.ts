import type { SessionEvent } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { EventJournal } from './event-journal.js';

const event = (seq: number): SessionEvent => ({ type: 'session.closed', reason: '', seq, at: seq * 10, turn: 0 });
const seqs = (events: readonly SessionEvent[]) => events.map(({ seq }) => seq);

describe('the journal of a session', () => {
  it('gives what came after an event, for every place to resume from', () => {
    const journal = new EventJournal();
    for (let seq = 1; seq <= 50; seq++) journal.push(event(seq));
    for (let last = 0; last <= 50; last++) {
      const { missed, lostMs } = journal.after(last);
      expect(seqs(missed)).toEqual(Array.from({ length: 50 - last }, (_, i) => last + 1 + i));
      expect(lostMs).toBe(0);
    }
  });

  it('keeps the latest, and says what it no longer has', () => {
    const journal = new EventJournal([], { events: 4 });
    for (let seq = 1; seq <= 11; seq++) journal.push(event(seq));
    expect(seqs(journal.after(0).missed)).toEqual([8, 9, 10, 11]);
    expect(journal.after(0).lostMs).toBe(80);
    expect(journal.after(6).lostMs).toBe(80);
    expect(journal.after(7)).toMatchObject({ lostMs: 0 });
  });

  it('keeps fewer of large ones, the newest however large it is, and says so too', () => {
    const bytes = JSON.stringify(event(1)).length;
    const journal = new EventJournal([], { bytes: 3 * bytes + 6 });
    for (let seq = 1; seq <= 9; seq++) journal.push(event(seq));
    expect(seqs(journal.after(0).missed)).toEqual([7, 8, 9]);
    expect(journal.after(5)).toMatchObject({ lostMs: 70 });
    // Bytes, and not characters.
    journal.push({ ...event(10), reason: '海'.repeat(bytes) } as SessionEvent);
    expect(journal.after(9)).toMatchObject({ missed: [{ seq: 10 }], lostMs: 0 });
    expect(journal.after(8)).toMatchObject({ missed: [{ seq: 10 }], lostMs: 100 });
    for (let seq = 11; seq <= 14; seq++) journal.push(event(seq));
    expect(seqs(journal.after(0).missed)).toEqual([12, 13, 14]);
  });

  it('has nothing for a client that is ahead of it', () => {
    const journal = new EventJournal([event(1)]);
    expect(journal.after(7)).toEqual({ missed: [], lostMs: 0 });
  });
});
