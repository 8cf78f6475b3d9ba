import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { JoinResult } from '@microturn/protocol';
import { EdgeProcess } from '../support/edge-process.js';
import { SocketClient } from '../support/socket-client.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

let edge: EdgeProcess | undefined;
afterEach(async () => {
  await edge?.stop();
  edge = undefined;
});

async function start(args: readonly string[] = []): Promise<EdgeProcess> {
  edge = await EdgeProcess.start({ args });
  return edge;
}

/** An edge one of whose threads ends on SIGUSR2. */
async function startMortal(thread: string): Promise<EdgeProcess> {
  edge = await EdgeProcess.start({
    nodeArgs: ['--import', new URL('../support/end-thread.mjs', import.meta.url).href],
    env: { END_THREAD: thread },
  });
  return edge;
}

async function join(edge: EdgeProcess, resume?: { resumeToken: string; lastSeq: number }) {
  const client = await SocketClient.open(edge.webSocketUrl);
  const joined = await client.join(await edge.token({ identity: 'ann' }), resume);
  return { client, joined };
}

/** As a client does: again and again, until the edge lets it back in. */
async function comeBack(edge: EdgeProcess, { resumeToken }: JoinResult, lastSeq: number) {
  return vi.waitFor(() => join(edge, { resumeToken, lastSeq }), { interval: 50 });
}

/** The mediasoup worker: the one process that the edge has started. */
function workerOf(edge: EdgeProcess): number {
  return Number(
    execFileSync('ps', ['-o', 'pid=', '--ppid', String(edge.pid)], { encoding: 'utf8' })
      .trim()
      .split('\n')[0],
  );
}

/** A child of a thread that is gone has nobody to reap it: what is left of it then does nothing, and holds nothing. */
function runs(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z');
  } catch {
    return false;
  }
}

const ready = async (edge: EdgeProcess) => (await fetch(`${edge.url}/readyz`)).status === 200;
const sessions = async (edge: EdgeProcess) => (await edge.metrics()).get('microturn_sessions');
const seqs = (...clients: SocketClient[]) => clients.flatMap(({ events }) => events.map(({ seq }) => seq));
const counted = (from: readonly number[]) => from.map((_, i) => i + 1);

// `npm test` provides the worker.
describe.skipIf(!process.env['MEDIASOUP_WORKER_BIN'])('a call survives', () => {
  it('fault 7, the network drops: the session ticks on, and every event comes once', async () => {
    const edge = await start();
    const { client, joined } = await join(edge);
    await vi.waitFor(() => expect(client.events.some(({ type }) => type === 'stats')).toBe(true));
    client.drop();
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const { client: again, joined: back } = await comeBack(edge, joined, client.lastSeq);
    expect(back).toMatchObject({ resumed: true, sessionId: joined.sessionId });
    await vi.waitFor(() => expect(again.events.at(-1)?.type).toBe('stats'));
    expect(seqs(client, again)).toEqual(counted(seqs(client, again)));
    const stats = [...client.events, ...again.events].filter(({ type }) => type === 'stats');
    // One in five micro-turns, with and without a client: the row never stood still.
    for (const [i, { turn }] of stats.entries()) if (i > 0) expect(turn - stats[i - 1]!.turn).toBeLessThanOrEqual(6);
    again.leave();
    await vi.waitFor(async () => expect(await sessions(edge)).toBe(0));
  });

  it('fault 9, the client stays away: the session ends, and there is nothing to come back to', async () => {
    const edge = await start(['--resume-seconds', '1']);
    const { client, joined } = await join(edge);
    client.drop();
    await vi.waitFor(async () => expect(await sessions(edge)).toBe(1));
    await vi.waitFor(async () => expect(await sessions(edge)).toBe(0));
    await expect(join(edge, { resumeToken: joined.resumeToken, lastSeq: 0 })).rejects.toMatchObject({
      code: 'session/expired',
    });
  });

  it('fault 1, the mediasoup worker is killed: another takes its place, and callers come back to their sessions', async () => {
    const edge = await start();
    const { client, joined } = await join(edge);
    const worker = workerOf(edge);
    process.kill(worker, 'SIGKILL');
    await vi.waitFor(() =>
      expect(client.goodbye).toMatchObject({ error: { code: 'edge/worker-died' }, resumable: true }),
    );
    const { client: again, joined: back } = await comeBack(edge, joined, client.lastSeq);
    expect(workerOf(edge)).not.toBe(worker);
    expect(back).toMatchObject({ resumed: true, sessionId: joined.sessionId });
    expect(back.sessionMs).toBeGreaterThan(joined.sessionMs);
    // Decisions follow, so the row was made again, and on the same clock.
    await vi.waitFor(() => expect(again.events.at(-1)?.type).toBe('stats'));
    expect(again.events.at(-1)!.at).toBeGreaterThan(back.sessionMs - 1);
    expect(await ready(edge)).toBe(true);
  });

  it('fault 1, the media thread dies, its worker with it: as if the worker alone had', async () => {
    const edge = await startMortal('media');
    const { client, joined } = await join(edge);
    const worker = workerOf(edge);
    process.kill(edge.pid, 'SIGUSR2');
    await vi.waitFor(() => expect(client.goodbye).toMatchObject({ resumable: true }));
    const { client: again } = await comeBack(edge, joined, client.lastSeq);
    await vi.waitFor(() => expect(again.events.at(-1)?.type).toBe('stats'));
    expect(runs(worker)).toBe(false);
  });

  it('fault 5, the engine thread dies: the socket stays, the session says so, and the index never shifts', async () => {
    const edge = await startMortal('engine');
    const { client, joined } = await join(edge);
    const stats = () => client.events.filter(({ type }) => type === 'stats');
    await vi.waitFor(() => expect(stats()).not.toEqual([]));
    process.kill(edge.pid, 'SIGUSR2');
    const failed = expect.objectContaining({
      type: 'error',
      code: 'engine/failed',
      retryable: true,
      // What the model remembered is copied each second; it began within the first one.
      snapshotAgeMs: expect.any(Number),
    });
    await vi.waitFor(() => expect(client.events).toContainEqual(failed));
    const before = stats().length;
    await vi.waitFor(() => expect(stats().length).toBe(before + 2));
    const { sessionMs } = await client.request<{ sessionMs: number }>({ type: 'ping' });
    expect(Math.abs(stats().at(-1)!.turn - sessionMs / joined.microTurnMs)).toBeLessThan(6);
    expect(client.goodbye).toBeUndefined();
  });

  it('the voice thread dies: the next response is made', async () => {
    const edge = await startMortal('microturn-voice');
    const { client } = await join(edge);
    process.kill(edge.pid, 'SIGUSR2');
    await vi.waitFor(() => expect(edge.stderr + edge.stdout).toContain('the voice thread died'));
    const { responseId } = await client.request<{ responseId: string }>({ type: 'say', text: 'still here' });
    await vi.waitFor(() =>
      expect(client.events).toContainEqual(expect.objectContaining({ type: 'response.completed', responseId })),
    );
  });

  it('fault 2, the mediasoup worker is stopped for 5 s: nobody is let in meanwhile, and the callers stay', async () => {
    const edge = await start();
    const { client } = await join(edge);
    const worker = workerOf(edge);
    process.kill(worker, 'SIGSTOP');
    try {
      await vi.waitFor(async () => expect(await ready(edge)).toBe(false));
      const late = await SocketClient.open(edge.webSocketUrl);
      await expect(late.join(await edge.token({ identity: 'bob' }))).rejects.toMatchObject({
        code: 'edge/worker-died',
        retryable: true,
      });
    } finally {
      process.kill(worker, 'SIGCONT');
    }
    await vi.waitFor(async () => expect(await ready(edge)).toBe(true));
    expect([client.goodbye, client.closed]).toEqual([undefined, undefined]);
    const bob = await SocketClient.open(edge.webSocketUrl);
    await bob.join(await edge.token({ identity: 'bob' }));
    expect(workerOf(edge)).toBe(worker);
  });

  // The next two wait for ten seconds in which nothing of theirs runs.
  it.concurrent(
    'fault 2, the mediasoup worker stays stopped: it is ended after 10 s, and callers come back to their sessions on another',
    async () => {
      await using edge = await EdgeProcess.start();
      const { client, joined } = await join(edge);
      const worker = workerOf(edge);
      process.kill(worker, 'SIGSTOP');
      await vi.waitFor(() => expect(client.goodbye).toMatchObject({ resumable: true }));
      expect(client.goodbye?.error.code).toBe('edge/worker-died');
      const { client: again, joined: back } = await comeBack(edge, joined, client.lastSeq);
      expect(back).toMatchObject({ resumed: true, sessionId: joined.sessionId });
      await vi.waitFor(() => expect(again.events.at(-1)?.type).toBe('stats'));
      expect(seqs(client, again)).toEqual(counted(seqs(client, again)));
      expect(runs(worker)).toBe(false);
      expect(workerOf(edge)).not.toBe(worker);
    },
  );

  it.concurrent(
    'fault 35, the process is stopped for 10 s: goes on without a storm, and nobody is cut off',
    async () => {
      await using edge = await EdgeProcess.start();
      const { client } = await join(edge);
      await vi.waitFor(() => expect(client.events.some(({ type }) => type === 'stats')).toBe(true));
      process.kill(edge.pid, 'SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 10_000));
      process.kill(edge.pid, 'SIGCONT');
      const before = client.events.length;
      await vi.waitFor(() => expect(client.events.slice(before).filter(({ type }) => type === 'stats').length).toBe(3));
      expect([client.goodbye, client.closed]).toEqual([undefined, undefined]);
      const [first, , third] = client.events.slice(before).filter(({ type }) => type === 'stats');
      expect(third!.turn - first!.turn).toBeGreaterThanOrEqual(9);
      expect(edge.stderr).not.toContain('hangs');
    },
  );

  it('fault 1, killed again and again: not ready, and ends with a code that says so', async () => {
    const edge = await start();
    for (let kill = 0; kill < 4; kill++) {
      await vi.waitFor(async () => expect(await ready(edge)).toBe(true), { interval: 50 });
      process.kill(workerOf(edge), 'SIGKILL');
      await vi.waitFor(async () => expect(await ready(edge)).toBe(false), { interval: 5 });
    }
    await vi.waitFor(() => expect(edge.alive).toBe(false));
    expect(await edge.stop()).toBe(1);
    expect(edge.stderr).toContain('edge/worker-died');
  });

  it('fault 4, SIGTERM: callers are told, nobody is let in, and it ends with 0', async () => {
    const edge = await start();
    const { client } = await join(edge);
    const code = edge.stop();
    await vi.waitFor(() => expect(client.goodbye).toMatchObject({ error: { code: 'edge/draining' } }));
    expect(await code).toBe(0);
  });

  it('fault 4, SIGTERM with sessions on disk: callers are told to come back, and do, to the process that follows', async () => {
    await using folder = await TemporaryFolder.create();
    const args = ['--store', 'disk', '--data', folder.path];
    const first = await start(args);
    const { client, joined } = await join(first);
    const stopped = first.stop();
    await client.untilClosed();
    const closedAt = performance.now();
    expect(await stopped).toBe(0);
    expect(client.goodbye).toMatchObject({ error: { code: 'edge/draining' }, resumable: true });
    edge = await EdgeProcess.start({ args, after: first });
    const { client: again, joined: back } = await comeBack(edge, joined, client.lastSeq);
    console.log(`  fault 4: back ${Math.round(performance.now() - closedAt)} ms after the farewell`);
    expect(back).toMatchObject({ resumed: true, sessionId: joined.sessionId });
    await vi.waitFor(() => expect(again.events.some(({ type }) => type === 'stats')).toBe(true));
    expect(seqs(client, again)).toEqual(counted(seqs(client, again)));
  });

  it('fault 41, the same identity twice: the older one is told, and there is one session', async () => {
    const edge = await start();
    const first = await join(edge);
    const second = await join(edge);
    await vi.waitFor(() =>
      expect(first.client.goodbye).toMatchObject({ error: { code: 'session/replaced' }, resumable: false }),
    );
    expect(second.joined.sessionId).not.toBe(first.joined.sessionId);
    expect(await sessions(edge)).toBe(1);
  });

  it('fault 42, joins and leaves 100 times: rows and worker are as before', async () => {
    const edge = await start();
    for (let i = 0; i < 100; i++) {
      const { client } = await join(edge);
      client.leave();
    }
    await vi.waitFor(async () => expect(await sessions(edge)).toBe(0));
    expect((await edge.metrics()).get('microturn_rooms')).toBe(0);
    // The same rows can be let again, all of them.
    const all = await Promise.all(
      Array.from({ length: 32 }, async (_, i) => {
        const client = await SocketClient.open(edge.webSocketUrl);
        return client.join(await edge.token({ identity: `p${i}` }));
      }),
    );
    expect(all).toHaveLength(32);
  });
});
