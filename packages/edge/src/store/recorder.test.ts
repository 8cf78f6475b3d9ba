import { MicroturnError, type SessionEvent } from '@microturn/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../telemetry/log.js';
import { ManualClock } from '../testing/manual-clock.js';
import { MemoryStore } from './memory-store.js';
import { SessionRecorder, hashToken, type Recordable } from './recorder.js';
import { at, storedSession, wordEvent } from './session-store.contract.js';
import type { StoreChange } from './types.js';

class Source implements Recordable {
  readonly id: string;
  readonly events: SessionEvent[] = [];
  constructor(id: string) {
    this.id = id;
  }
  get seq(): number {
    return this.events.length;
  }
  say(count = 1): void {
    for (let i = 0; i < count; i++) this.events.push(wordEvent(this.seq + 1));
  }
  eventsAfter(seq: number): readonly SessionEvent[] {
    return this.events.slice(seq);
  }
  remembers: string | undefined;
  remembered() {
    return this.remembers;
  }
  toStored(savedAt: ReturnType<typeof at>) {
    return storedSession(this.id, { tokenHash: hashToken(`token of ${this.id}`), savedAt });
  }
}

/** A store whose disk can be taken away. */
class FailingStore extends MemoryStore {
  broken = false;
  readonly batches: (readonly StoreChange[])[] = [];
  override async write(changes: readonly StoreChange[]): Promise<void> {
    if (this.broken) throw new MicroturnError('edge/store', 'SQLITE_FULL');
    this.batches.push(changes);
    await super.write(changes);
  }
  override async expire(now: ReturnType<typeof at>): Promise<number> {
    if (this.broken) throw new MicroturnError('edge/store', 'SQLITE_CANTOPEN');
    return super.expire(now);
  }
}

let clock: ManualClock;
let store: FailingStore;
let recorder: SessionRecorder;
const logged: string[] = [];
const log = {
  ...silentLog,
  error: (_: object, message: string) => void logged.push(message),
  info: (_: object, message: string) => void logged.push(message),
};

beforeEach(() => {
  clock = new ManualClock();
  store = new FailingStore();
  logged.length = 0;
  recorder = new SessionRecorder({ store, log, after: clock.after, now: () => at(clock.now()) });
});
afterEach(() => recorder.close());

/** Lets time pass, and what it started come to its end. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left >= 0; left -= 50) {
    clock.advance(Math.min(50, left));
    await new Promise((resolve) => setImmediate(resolve));
  }
}
const kept = async (id: string) => (await recorder.find(`token of ${id}`))?.events.map(({ seq }) => seq);

describe('the recorder of sessions', () => {
  it('saves what is new of every session, in one batch, four times a second', async () => {
    const [a, b] = [new Source('a'), new Source('b')];
    recorder.add(a);
    recorder.add(b);
    await pass(300);
    a.say(2);
    b.say();
    await pass(300);
    a.say();
    await pass(300);
    await pass(1000);
    expect(store.batches.map((batch) => batch.map((change) => change.do === 'save' && change.events.length))).toEqual([
      [2, 1],
      [1],
    ]);
    expect([await kept('a'), await kept('b')]).toEqual([[1, 2, 3], [1]]);
  });

  it('hands over what models remember, once: to the process that takes the session up', async () => {
    const [a, b] = [new Source('a'), new Source('b')];
    for (const source of [a, b]) {
      source.say();
      recorder.add(source);
    }
    a.remembers = '{"state":"…"}';
    await pass(300);
    expect((await recorder.find('token of a'))!.remembered).toBeUndefined();
    await recorder.handOver();
    const next = () => new SessionRecorder({ store, log, after: clock.after, now: () => at(clock.now()) });
    recorder = next();
    expect([await recorder.find('token of a'), await recorder.find('token of b')]).toMatchObject([
      { remembered: a.remembers },
      { remembered: undefined },
    ]);
    recorder.add(a, (await recorder.find('token of a'))!);
    a.say();
    await recorder.close();
    recorder = next();
    expect((await recorder.find('token of a'))!.remembered).toBeUndefined();
    expect(await kept('a')).toEqual([1, 2]);
  });

  it('hands sessions over without that, where there is no room for it', async () => {
    const a = new Source('a');
    a.say();
    a.remembers = JSON.stringify('x'.repeat(10_000));
    store = new FailingStore({ maxBytes: 5000 });
    recorder = new SessionRecorder({ store, log, after: clock.after, now: () => at(clock.now()) });
    recorder.add(a);
    await recorder.handOver();
    expect(logged).toEqual(['sessions are not kept: calls go on, and end with this process']);
    expect(await kept('a')).toEqual([1]);
  });

  it('finds a session with the time since it was saved', async () => {
    const a = new Source('a');
    recorder.add(a);
    a.say();
    await recorder.flush();
    await recorder.close();
    clock.advance(3000);
    const next = new SessionRecorder({ store, log, after: clock.after, now: () => at(clock.now()) });
    expect(await next.find('token of a')).toMatchObject({ session: { id: 'a' }, elapsedMs: 3000 });
    expect(await next.find('another token')).toBeUndefined();
    await next.close();
  });

  it('does not find a session that has ended, written or not', async () => {
    const a = new Source('a');
    recorder.add(a);
    a.say();
    await recorder.flush();
    recorder.remove('a');
    expect(await kept('a')).toBeUndefined();
    await recorder.flush();
    expect(await kept('a')).toBeUndefined();
  });

  it('fault 32, the disk fails: says so once, goes on, and writes all that was missed when it is well', async () => {
    const a = new Source('a');
    recorder.add(a);
    a.say();
    await pass(300);
    store.broken = true;
    for (let i = 0; i < 10; i++) {
      a.say();
      await pass(2000);
    }
    expect(recorder.degraded).toBe(true);
    expect(logged).toHaveLength(1);
    store.broken = false;
    await pass(6000);
    expect(recorder.degraded).toBe(false);
    expect(logged).toEqual([expect.stringContaining('not kept'), expect.stringContaining('again')]);
    expect(await kept('a')).toEqual(Array.from({ length: 11 }, (_, i) => i + 1));
  });

  it.each([
    [
      'a write',
      async (a: Source) => {
        store.broken = true;
        a.say();
        await pass(300);
        recorder.remove('a');
        await pass(6000);
      },
    ],
    [
      'the removal of what has expired',
      async () => {
        recorder.remove('a');
        store.broken = true;
        await pass(62_000);
      },
    ],
  ])(
    'fault 32: is well again without a call, where %s failed, and saves the next one as soon as any',
    async (_, fail) => {
      const [a, b] = [new Source('a'), new Source('b')];
      recorder.add(a);
      await fail(a);
      expect(recorder.degraded).toBe(true);
      store.broken = false;
      await pass(6000);
      expect(recorder.degraded).toBe(false);
      recorder.add(b);
      b.say();
      await pass(300);
      expect(await kept('b')).toEqual([1]);
    },
  );

  it('keeps the newest of a record while it waits, and lists what was just put', async () => {
    const a = new Source('a');
    recorder.add(a);
    a.say();
    const record = { sessionId: 'a', kind: 'task', id: '1', json: '{}' };
    recorder.put({ ...record, revision: 1 });
    recorder.put({ ...record, revision: 2 });
    recorder.put({ ...record, id: '2', revision: 1 });
    recorder.delete({ sessionId: 'a', kind: 'task', id: '2' });
    expect(await recorder.list('a', 'task')).toEqual([{ ...record, revision: 2 }]);
    expect(store.batches.flat().filter((change) => change.do === 'put')).toHaveLength(1);
  });

  it('removes expired sessions when it begins, and by the minute', async () => {
    await store.write([{ do: 'save', session: storedSession('old', { leaseMs: 0 }), events: [] }]);
    await store.write([{ do: 'save', session: storedSession('new', { leaseMs: 30_000 }), events: [] }]);
    await pass(100);
    expect([await store.find('hash of old', at(0)), await store.find('hash of new', at(0))]).toMatchObject([
      undefined,
      { session: { id: 'new' } },
    ]);
    await pass(62_000);
    expect(await store.find('hash of new', at(0))).toBeUndefined();
  });

  it('writes what there is when it closes, and leaves no timer', async () => {
    const a = new Source('a');
    recorder.add(a);
    a.say(3);
    await recorder.close();
    await recorder.close();
    recorder.remove('a');
    expect(await kept('a')).toEqual([1, 2, 3]);
    expect(clock.pending).toBe(0);
  });
});
