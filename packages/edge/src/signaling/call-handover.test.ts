import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MicroturnError } from '@microturn/protocol';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { freshDecoder } from '../engine/decode.js';
import { bundledThread } from '../engine/fixtures/bundled-thread.js';
import type { SessionBackground } from '../session/index.js';
import { DiskStore } from '../store/index.js';
import { silentLog } from '../telemetry/index.js';
import { Socket, World, nothing, settled } from './testing/call-world.js';

let world: World;
let socket: Socket;
beforeEach(() => {
  world = new World();
  socket = new Socket();
});

describe('fault 3, the edge is killed, and another takes its place', () => {
  const word = (text: string, endMs: number) => ({ text, startMs: endMs - 400, endMs });

  it('the same session goes on: its clock, its events once each, and its history up to what was heard', async () => {
    const { call, joined } = await world.join(socket);
    world.clock.advance(1000);
    const { responseId } = call.session.say('good morning to you all');
    const [request] = world.spoken;
    const words = [word('good', 400), word('morning', 800), word('to', 1200)];
    request!.onClause({ text: 'good morning to', words, lengthMs: 1200, offsetMs: 0 });
    world.heard = [{ responseId, heardMs: 800 }];
    await call.session.heard({ audience: 'room', rtpTimestamp: 1, outputLatencyMs: 0, state: 'playing' });
    world.decide(5, { words: [{ text: 'hello', endMs: 1100, confidence: 1 }] });
    await world.recorder.flush();
    world.clock.advance(150);
    world.decide(6, { floor: 'speaking' }); // told to the client, and not saved

    const next = new World(world.store, 3150);
    const again = new Socket();
    const resume = { resumeToken: joined.resumeToken, lastSeq: socket.seqs.at(-1)! };
    const back = await next.join(again, { resume });
    expect(back.joined).toMatchObject({ resumed: true, sessionId: joined.sessionId, resumeToken: joined.resumeToken });
    // 3150 ms after its zero; its lane has the boundaries at whole micro-turns.
    expect(back.joined.sessionMs).toBe(3150);
    const all = [...socket.events, ...again.events];
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1));
    expect(again.events).toMatchObject([
      {
        type: 'response.interrupted',
        responseId,
        by: 'agent',
        heardMs: 800,
        heardText: 'good morning',
        unheardText: 'to',
      },
      { type: 'floor.changed', floor: 'silent' },
      { type: 'session.resumed', lostMs: 2150, at: 3150, turn: 15 },
    ]);
    expect(again.events.at(-1)).not.toHaveProperty('model');
    expect([next.spoken, next.rowsStarted]).toMatchObject([[], [{ zeroMs: 0 }]]);

    const fresh = back.call.session.say('where was I');
    expect(fresh.responseId).not.toBe(responseId);
    next.decide(16, { words: [{ text: 'yes', endMs: 3300, confidence: 1 }] });
    expect(again.events.at(-1)).toMatchObject({ type: 'transcript.word', text: 'yes' });
  });

  describe('in order', () => {
    const remembered = {
      index: 4,
      decoder: freshDecoder,
      floor: 'holding' as const,
      state: new Float32Array([0.5, -1]),
    };
    const handedOver = async (model?: string) => {
      world.remembered = remembered;
      const { call, joined } = await world.join(socket);
      world.clock.advance(1100);
      const note = { words: [{ text: 'later', endMs: 1000, confidence: 1 }], acts: ['note'] } as const;
      world.decide(4, note);
      expect(call.session.eventsAfter(0).length).toBeGreaterThan(0);
      await world.recorder.handOver();
      const next = new World(world.store, 3150, model);
      const again = new Socket();
      const resume = { resumeToken: joined.resumeToken, lastSeq: socket.seqs.at(-1)! };
      const back = await next.join(again, { resume });
      return { next, again, back };
    };

    it('its model goes on from what it remembered, and its client is told how old that is', async () => {
      const { next, again, back } = await handedOver();
      expect(next.wentOn).toEqual([remembered]);
      expect(again.events.at(-1)).toMatchObject({ type: 'session.resumed', snapshotAgeMs: 2150 });
      // And what it had noted comes at its time.
      next.decide(54);
      expect(next.perceived).toEqual([{ type: 'age', seconds: 10, text: 'later' }]);
      expect(back.call.closed).toBe(false);
    });

    it('what its words were shown on goes on with the next, and other surfaces are left alone', async () => {
      const shown = (text: string) => ({ shown: [{ surface: 'translation', text }] });
      const { call, joined } = await world.join(socket);
      call.session.patch('translation of the app', [{ op: 'add', path: '/words', value: 'none' }]);
      world.decide(0, shown('gato'));
      world.decide(1, shown('perro'));
      await world.recorder.handOver();
      const next = new World(world.store, 3150);
      const again = new Socket();
      await next.join(again, { resume: { resumeToken: joined.resumeToken, lastSeq: socket.seqs.at(-1)! } });
      next.decide(16, shown('vaca'));
      expect(again.events.at(-1)).toMatchObject({
        type: 'ui.patch',
        surfaceId: 'translation',
        patch: [{ op: 'add', path: '/words/-', value: { text: 'vaca' } }],
      });
    });

    it('another model begins from nothing, and has the notes', async () => {
      const { next, again } = await handedOver('2');
      expect(next.wentOn).toEqual([]);
      expect(again.events.at(-1)).toMatchObject({ type: 'session.resumed', model: 'scripted 2' });
      expect(again.events.at(-1)).not.toHaveProperty('snapshotAgeMs');
      next.decide(54);
      expect(next.perceived).toEqual([{ type: 'age', seconds: 10, text: 'later' }]);
    });
  });

  it('what was spent stays spent: by the language model that speaks, by the background, and by what hears', async () => {
    const open = (spent: { tokensIn: number; tokensOut: number; cost: number; tasks: number }) => {
      const restored: unknown[] = [];
      const background: SessionBackground = {
        spent,
        keepsClip: false,
        onDecision: () => undefined,
        onEvent: () => undefined,
        restore: (_events: unknown, before: unknown) => void restored.push(before),
        retell: () => undefined,
        close: () => undefined,
      } as unknown as SessionBackground;
      return { restored, background: () => () => background };
    };
    world.spent = { tokensIn: 10, tokensOut: 1, cost: 0.5 };
    world.transcribed = { requests: 4, seconds: 9 };
    const first = open({ tokensIn: 100, tokensOut: 20, cost: 2, tasks: 3 });
    const { joined } = await world.join(socket, { background: first.background });
    await world.recorder.flush();

    const next = new World(world.store, 3000);
    next.spent = { tokensIn: 5, tokensOut: 1, cost: 0.25 };
    next.transcribed = { requests: 2, seconds: 5 };
    const second = open({ tokensIn: 101, tokensOut: 21, cost: 2.5, tasks: 3 });
    const again = new Socket();
    const resume = { resumeToken: joined.resumeToken, lastSeq: socket.seqs.at(-1)! };
    const { call } = await next.join(again, { resume, background: second.background });
    expect(second.restored).toEqual([{ tokensIn: 100, tokensOut: 20, cost: 2, tasks: 3 }]);
    call.session.close('client');
    expect(again.events.find(({ type }) => type === 'session.usage')).toMatchObject({
      tokensIn: 116,
      tokensOut: 23,
      cost: 3.25,
      transcriber: { requests: 6, seconds: 14 },
    });
  });

  it.each(['its row cannot be started', 'what was saved of it cannot be read', 'its row is lost at once'])(
    'where %s, nothing of it goes on, and its client may try again',
    async (what) => {
      const { joined } = await world.join(socket);
      await world.recorder.flush();
      const next = new World(world.store, 3000);
      let open = 0;
      const background: SessionBackground = {
        spent: { tokensIn: 0, tokensOut: 0, cost: 0, tasks: 0 },
        onEvent: () => undefined,
        // Tasks that were not finished begin again.
        restore: () => {
          open++;
          if (what === 'what was saved of it cannot be read') throw new TypeError('no such field');
        },
        close: () => void open--,
      } as unknown as SessionBackground;
      const gone = new MicroturnError('edge/worker-died');
      if (what === 'its row cannot be started') {
        next.slow.set(
          'row.start',
          settled().then(() => Promise.reject(gone)),
        );
      }
      let start = () => {};
      if (what === 'its row is lost at once') next.slow.set('row.start', new Promise((resolve) => (start = resolve)));
      const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
      const resumed = expect(next.join(new Socket(), { resume, background: () => () => background })).rejects.toThrow();
      await settled();
      if (what === 'its row is lost at once') next.leases.get(1)!.fail(new MicroturnError('engine/failed'));
      start();
      await resumed;
      expect([open, next.held]).toEqual([0, nothing]);
      next.slow.clear();
      expect((await next.join(new Socket(), { resume })).joined).toMatchObject({ resumed: true });
    },
  );

  it('what the client had missed comes first, and what nobody saved is told as lost', async () => {
    const { joined } = await world.join(socket);
    for (let index = 0; index < 10; index++) {
      world.clock.advance(200);
      world.decide(index, { floor: index % 2 ? 'silent' : 'speaking' });
    }
    await world.recorder.flush();
    const next = new World(world.store, 4000);
    const again = new Socket();
    await next.join(again, { resume: { resumeToken: joined.resumeToken, lastSeq: 3 } });
    expect(again.seqs).toEqual(again.seqs.map((_, i) => 4 + i));
    expect(again.events.filter(({ at }) => at <= 2000)).toEqual(socket.events.slice(3));
    expect(again.events.at(-1)).toMatchObject({ type: 'session.resumed', lostMs: 2000 });
  });

  it('keeps the clock from going back, whatever the phase of its new lane', async () => {
    world = new World(undefined, 130);
    const { call, joined } = await world.join(socket);
    world.clock.advance(1000);
    const before = call.session.nowMs;
    world.decide(3, { floor: 'speaking' });
    await world.recorder.flush();
    const next = new World(world.store, 1130);
    const resume = { resumeToken: joined.resumeToken, lastSeq: 0 };
    const { sessionMs } = (await next.join(new Socket(), { resume })).joined;
    expect(sessionMs - before).toBeGreaterThanOrEqual(0);
    expect(sessionMs - before).toBeLessThan(200);
    expect((next.clock.now() - next.rowsStarted[0]!.zeroMs - sessionMs) % 200).toBe(0);
  });

  it('says so where the model is another one now', async () => {
    const { joined } = await world.join(socket);
    await world.recorder.flush();
    const next = new World(world.store, 1000, '2');
    const again = new Socket();
    const back = await next.join(again, { resume: { resumeToken: joined.resumeToken, lastSeq: 1 } });
    expect([back.joined.model, again.events.at(-1)]).toMatchObject(['scripted 2', { model: 'scripted 2' }]);
  });

  it('twice, and a socket that drops between: still each event once', async () => {
    const { joined } = await world.join(socket);
    await world.recorder.flush();
    const second = new World(world.store, 2000);
    const socket2 = new Socket();
    const resume = { resumeToken: joined.resumeToken, lastSeq: socket.seqs.at(-1)! };
    const { call } = await second.join(socket2, { resume });
    second.decide(11, { floor: 'speaking' });
    call.detach(socket2);
    second.decide(12, { floor: 'yielded' });
    await second.recorder.flush();
    const third = new World(world.store, 4000);
    const socket3 = new Socket();
    await third.join(socket3, { resume: { ...resume, lastSeq: socket2.seqs.at(-1)! } });
    const all = [...socket.seqs, ...socket2.seqs, ...socket3.seqs];
    expect(all).toEqual(all.map((_, i) => i + 1));
    expect(socket3.events.at(-1)).toMatchObject({ type: 'session.resumed', lostMs: 2000 });
  });

  it('counts the time away from when the client was lost, and expires with it', async () => {
    const { call, joined } = await world.join(socket);
    call.detach(socket);
    world.clock.advance(50_000);
    world.decide(250, { floor: 'speaking' });
    await world.recorder.flush();
    const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
    await expect(new World(world.store, 120_000).join(socket, { resume })).rejects.toMatchObject({
      code: 'session/expired',
    });
    const next = new World(world.store, 119_000);
    await expect(next.join(new Socket(), { resume, identity: 'bob' })).rejects.toMatchObject({
      code: 'session/expired',
    });
    expect(next.held).toEqual(nothing);
    expect((await next.join(new Socket(), { resume })).joined.resumed).toBe(true);
  });

  it('a session that ended before is over', async () => {
    const { call, joined } = await world.join(socket);
    await world.recorder.flush();
    await call.leave(socket, 'left');
    await world.recorder.flush();
    const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
    await expect(new World(world.store, 10).join(socket, { resume })).rejects.toMatchObject({
      code: 'session/expired',
    });
  });

  it.each([
    ['is slow', new MicroturnError('edge/store', 'the disk took more than 5000 ms')],
    ['fails', new Error('SQLITE_IOERR')],
  ])(
    'fault 32, a disk that %s meanwhile is no end of the session: its client tries again, and is back',
    async (_what, failure) => {
      const { joined } = await world.join(socket);
      await world.recorder.flush();
      const next = new World(world.store, 3000);
      const find = vi.spyOn(world.store, 'find').mockRejectedValueOnce(failure);
      const resume = { resumeToken: joined.resumeToken, lastSeq: 1 };
      await expect(next.join(new Socket(), { resume })).rejects.toMatchObject({
        code: 'edge/store',
        retryable: true,
        message: expect.not.stringMatching(/5000|SQLITE/) as string,
      });
      expect(next.held).toEqual(nothing);
      expect((await next.join(new Socket(), { resume })).joined).toMatchObject({ resumed: true });
      const unknown = { resumeToken: 'of nobody', lastSeq: 1 };
      await expect(next.join(new Socket(), { resume: unknown })).rejects.toMatchObject({ code: 'session/expired' });
      find.mockRestore();
    },
  );

  it('nobody who reads its files can come back as its client, and its client can', async () => {
    const thread = await bundledThread(new URL('../store/store-thread.ts', import.meta.url));
    const folder = await mkdtemp(join(tmpdir(), 'microturn-handover-'));
    const stores: DiskStore[] = [];
    const open = () => {
      stores.push(new DiskStore({ file: join(folder, 'sessions.db'), log: silentLog, threadUrl: thread.url }));
      return stores.at(-1)!;
    };
    const kept = () =>
      readdirSync(folder)
        .map((name) => readFileSync(join(folder, name), 'latin1'))
        .join('\n');
    try {
      world = new World(open());
      const { joined } = await world.join(socket);
      await world.recorder.flush();
      expect([kept().includes(joined.sessionId), kept().includes(joined.resumeToken)]).toEqual([true, false]);
      await world.store.close();

      const next = new World(open(), 1000);
      const again = new Socket();
      await next.join(again, { resume: { resumeToken: joined.resumeToken, lastSeq: 0 } });
      expect(again.events.slice(0, socket.events.length)).toEqual(socket.events);
      expect(again.events[0]).toMatchObject({ type: 'session.started', resumeToken: joined.resumeToken });
      await next.recorder.flush();
      expect(kept()).not.toContain(joined.resumeToken);
    } finally {
      await Promise.all(stores.map((store) => store.close()));
      await rm(folder, { recursive: true, force: true });
      await thread.remove();
    }
  });
});
