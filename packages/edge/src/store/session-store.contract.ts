import type { SessionEvent } from '@microturn/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Stamp } from './stamp.js';
import {
  KEPT_BYTES,
  KEPT_EVENTS,
  type SessionStore,
  type StoreChange,
  type StoredRecord,
  type StoredSession,
} from './types.js';

export const at = (ms: number): Stamp => ({ wallMs: ms, monotonicMs: ms, bootId: 'this boot' });

export function storedSession(id: string, fields: Partial<StoredSession> = {}): StoredSession {
  return {
    id,
    tokenHash: `hash of ${id}`,
    room: 'den',
    participant: 'ann',
    model: 'scripted 1',
    microTurnMs: 200,
    turns: 5,
    late: 0,
    sessionMs: 1000,
    savedAt: at(0),
    leaseMs: 120_000,
    ...fields,
  };
}

export function statsEvent(seq: number): SessionEvent {
  return { type: 'stats', seq, at: seq * 10, turn: 0, loss: 0, jitterMs: 0, turnLagMs: 1, stepMs: 1 };
}
export function wordEvent(seq: number, text = `word ${seq}`): SessionEvent {
  return {
    type: 'transcript.word',
    seq,
    at: seq * 10,
    turn: 0,
    participant: 'ann',
    text,
    endMs: 1,
    confidence: 1,
    final: true,
  };
}
const task = (id: string, revision: number, sessionId = 'a'): StoredRecord => ({
  sessionId,
  kind: 'task',
  id,
  revision,
  json: JSON.stringify({ id, revision, 'ü "': null }),
});

/**
 * What every session store keeps to.
 * @param create makes an empty one, that may become so large
 */
export function sessionStoreContract(name: string, create: (maxBytes?: number) => Promise<SessionStore>): void {
  describe(`${name}: the contract of a session store`, () => {
    let store: SessionStore;
    beforeEach(async () => {
      store = await create();
    });
    afterEach(() => store.close());

    const save = (session: StoredSession, events: readonly SessionEvent[] = []) =>
      store.write([{ do: 'save', session, events }]);
    const found = async (id: string, nowMs = 0) => store.find(`hash of ${id}`, at(nowMs));

    it('gives back a session by its token, as it was saved last, and its events in order', async () => {
      await save(storedSession('a'), [statsEvent(1), wordEvent(2, 'été "and" \u{1f600}')]);
      const later = storedSession('a', { turns: 9, sessionMs: 1800, savedAt: at(800) });
      await save(later, [statsEvent(3)]);
      expect(await found('a', 900)).toEqual({
        session: later,
        events: [statsEvent(1), wordEvent(2, 'été "and" \u{1f600}'), statsEvent(3)],
      });
      expect(await found('b')).toBeUndefined();
    });

    it('takes an event that it has again without doubling it', async () => {
      await save(storedSession('a'), [statsEvent(1), statsEvent(2)]);
      await save(storedSession('a'), [statsEvent(2), statsEvent(3)]);
      expect((await found('a'))?.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    });

    it('keeps what was said longer than how things stood', async () => {
      const count = 2 * KEPT_EVENTS + 256;
      const events = Array.from({ length: count }, (_, i) => (i % 8 === 0 ? wordEvent(i + 1) : statsEvent(i + 1)));
      for (let i = 0; i < count; i += 200) await save(storedSession('a'), events.slice(i, i + 200));
      const { events: kept } = (await found('a'))!;
      const newest = kept.slice(-KEPT_EVENTS);
      expect(newest.map(({ seq }) => seq)).toEqual(newest.map((_, i) => count - KEPT_EVENTS + 1 + i));
      expect(kept.filter(({ type }) => type !== 'stats')).toHaveLength(count / 8);
      expect(kept.length).toBeLessThan(1.5 * KEPT_EVENTS);
    });

    it('fault 49, keeps of one who says very much no more than fits: the newest, and there is room for others', async () => {
      await store.close();
      store = await create(12 * 2 ** 20);
      let seq = 0;
      const say = (count: number, text: string) =>
        save(
          storedSession('a'),
          Array.from({ length: count }, () => wordEvent(++seq, text)),
        );
      await say(2 * KEPT_EVENTS, 'short');
      for (let i = 0; i < 40; i++) await say(16, '語'.repeat(20_000));
      const { events } = (await found('a'))!;
      expect(Buffer.byteLength(JSON.stringify(events))).toBeLessThanOrEqual(KEPT_BYTES);
      expect(events.map((event) => event.seq)).toEqual(events.map((_, i) => seq - events.length + 1 + i));
      expect(events.length).toBeGreaterThan(40);
      for (let i = 0; i < 40; i++) await save(storedSession('b'), [wordEvent(i + 1, 'x'.repeat(50_000))]);
      expect((await found('b'))?.events).toHaveLength(40);
    });

    it('forgets a session whose lease has run out, with all that belongs to it', async () => {
      await save(storedSession('a'), [wordEvent(1)]);
      await save(storedSession('b', { savedAt: at(60_000) }), [wordEvent(1)]);
      await store.write([{ do: 'put', record: task('1', 1) }]);
      expect(await found('a', 119_999)).toBeDefined();
      expect(await found('a', 120_000)).toBeUndefined();
      expect(await store.expire(at(120_000))).toBe(1);
      expect(await store.expire(at(120_000))).toBe(0);
      expect([await found('a'), (await found('b'))?.session.id]).toEqual([undefined, 'b']);
      expect(await store.list('a', 'task')).toEqual([]);
    });

    it('does not take a wall clock that was set for time that passed', async () => {
      await save(storedSession('a'));
      const hourOn = { ...at(1000), wallMs: 3_600_000 };
      expect(await store.find('hash of a', hourOn)).toBeDefined();
      expect(await store.find('hash of a', { ...hourOn, bootId: 'another boot' })).toBeUndefined();
    });

    it('removes a session that is over', async () => {
      await save(storedSession('a'), [wordEvent(1)]);
      await store.write([{ do: 'remove', sessionId: 'a' }]);
      expect(await found('a')).toBeUndefined();
      await save(storedSession('a'));
      expect((await found('a'))?.events).toEqual([]);
    });

    it('keeps records by kind and id, the newest revision of each', async () => {
      await save(storedSession('a'));
      await store.write([
        { do: 'put', record: task('2', 3) },
        { do: 'put', record: task('1', 1) },
        { do: 'put', record: task('2', 2) },
        { do: 'put', record: { ...task('1', 7), kind: 'surface' } },
        { do: 'put', record: task('1', 1, 'nobody') },
      ]);
      expect(await store.list('a', 'task')).toEqual([task('1', 1), task('2', 3)]);
      await store.write([
        { do: 'put', record: task('1', 2) },
        { do: 'delete', key: { sessionId: 'a', kind: 'task', id: '2' } },
      ]);
      expect(await store.list('a', 'task')).toEqual([task('1', 2)]);
      expect([await store.list('a', 'surface'), await store.list('nobody', 'task')]).toMatchObject([[{ id: '1' }], []]);
    });

    it('refuses a batch that it has no room for whole, and takes it once there is', async () => {
      await store.close();
      store = await create(256 * 1024);
      const much = (count: number) => Array.from({ length: count }, (_, i) => wordEvent(i + 1, 'x'.repeat(500)));
      await save(storedSession('a'), much(200));
      const batch: StoreChange[] = [
        { do: 'save', session: storedSession('b'), events: [wordEvent(1)] },
        { do: 'put', record: task('1', 1, 'b') },
        { do: 'save', session: storedSession('c'), events: much(120) },
        { do: 'save', session: storedSession('d'), events: much(120) },
      ];
      await expect(store.write(batch)).rejects.toMatchObject({ code: 'edge/store' });
      expect([await found('b'), await found('c'), await store.list('b', 'task')]).toEqual([undefined, undefined, []]);
      expect((await found('a'))?.events).toHaveLength(200);
      await store.write([{ do: 'remove', sessionId: 'a' }, ...batch]);
      expect((await found('d'))?.events).toHaveLength(120);
      expect(await store.list('b', 'task')).toHaveLength(1);
      await expect(save(storedSession('a'), much(200))).rejects.toMatchObject({ code: 'edge/store' });
      await store.expire(at(120_000));
      await save(storedSession('a'), much(200));
      expect((await found('a'))?.events).toHaveLength(200);
    });

    it('keeps a session’s records when it is saved again', async () => {
      await save(storedSession('a'));
      await store.write([{ do: 'put', record: task('1', 1) }]);
      await save(storedSession('a', { turns: 6 }), [wordEvent(1)]);
      expect(await store.list('a', 'task')).toEqual([task('1', 1)]);
    });
  });
}
