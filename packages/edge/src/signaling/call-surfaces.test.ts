import { limits, type SessionEvent } from '@microturn/protocol';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { SessionBackground } from '../session/index.js';
import { Socket, World } from './testing/call-world.js';

let world: World;
let socket: Socket;
beforeEach(() => {
  world = new World();
  socket = new Socket();
});

const patches = (events: readonly SessionEvent[]) => events.filter((event) => event.type === 'ui.patch');
const add = (path: string, value: unknown) => ({ op: 'add', path, value }) as const;

describe('what the page of a call shows', () => {
  it('is changed by the app, by what fits; what comes later to its objects does not change what was sent', async () => {
    const { call } = await world.join(socket);
    const row = { to: 'Bern' };
    call.session.patch('trains', [add('/rows', [row])]);
    row.to = 'Basel';
    call.session.patch('trains', [add('/rows/-', { to: 'Chur' })]);
    expect(patches(socket.events)).toMatchObject([
      { surfaceId: 'trains', patch: [{ op: 'add', path: '/rows', value: [{ to: 'Bern' }] }] },
      { surfaceId: 'trains', patch: [{ op: 'add', path: '/rows/-', value: { to: 'Chur' } }] },
    ]);
  });

  it('is not changed by what does not fit, or is no patch: the app is told, and its client hears nothing', async () => {
    const { call } = await world.join(socket);
    const circle: unknown[] = [];
    circle.push(circle);
    const deep = (levels: number): unknown => (levels === 0 ? 0 : [deep(levels - 1)]);
    const cases: [string, string, unknown][] = [
      ['ui/patch', 'a', [{ op: 'remove', path: '/x' }]],
      ['ui/patch', 'a', [add('', 'x'.repeat(limits.surfaceChars))]],
      ['ui/patch', 'a', [add('', deep(limits.surfaceDepth + 1))]],
      // Too deep for a client to read, though nothing of it stays.
      ['protocol/too-large', 'a', [add('', deep(limits.messageDepth)), { op: 'remove', path: '' }]],
      ['protocol/malformed', 'a', [add('', 'x'.repeat(limits.patchChars))]],
      ['protocol/malformed', 'a', [add('', circle)]],
      ['protocol/malformed', 'a', [add('', undefined)]],
      ['protocol/malformed', 'a', 'add'],
      ['protocol/malformed', 'a', undefined],
      ['protocol/malformed', '', [add('', 1)]],
    ];
    const before = socket.events.length;
    for (const [code, surfaceId, patch] of cases) {
      expect(() => call.session.patch(surfaceId, patch), code).toThrow(expect.objectContaining({ code }) as Error);
    }
    expect(socket.events).toHaveLength(before);
    await call.close('over');
    expect(() => call.session.patch('a', [add('', 1)])).toThrow(
      expect.objectContaining({ code: 'session/closed' }) as Error,
    );
  });

  it('comes again with what else was missed, and is drawn anew only where something is lost', async () => {
    const retell = vi.fn();
    const tasks = { onEvent: () => undefined, retell, close: () => undefined } as unknown as SessionBackground;
    const { call, joined } = await world.join(socket, { background: () => () => tasks });
    const { resumeToken } = joined;
    call.session.patch('a', [add('/x', 1)]);
    const lastSeq = socket.seqs.at(-1)!;
    call.detach(socket);
    call.session.patch('a', [add('/y', 2)]);
    const again = new Socket();
    await world.join(again, { resume: { resumeToken, lastSeq } });
    expect(patches(again.events)).toMatchObject([{ patch: [{ path: '/y' }] }]);
    expect(retell).not.toHaveBeenCalled();

    call.detach(again);
    call.session.patch('gone', [add('', 1)]);
    call.session.patch('gone', [{ op: 'remove', path: '' }]);
    world.clock.advance(1000);
    // More than the journal keeps.
    for (let i = 0; i < 2100; i++) call.session.patch('a', [add('/i', i)]);
    const late = new Socket();
    await world.join(late, { resume: { resumeToken, lastSeq: again.seqs.at(-1)! } });
    const resumed = late.events.findIndex(({ type }) => type === 'session.resumed');
    expect(patches(late.events.slice(resumed))).toMatchObject([
      { surfaceId: 'a', patch: [add('', { x: 1, y: 2, i: 2099 })] },
    ]);
    // Its tasks, too: of some the end may be among what is lost.
    expect(retell).toHaveBeenCalledOnce();
  });

  it('outlives the edge: another process draws what was shown, and goes on from there', async () => {
    const { call, joined } = await world.join(socket);
    call.session.patch('a', [add('/list', ['x'])]);
    await world.recorder.flush();
    const next = new World(world.store, 1000);
    const again = new Socket();
    const resume = { resumeToken: joined.resumeToken, lastSeq: socket.seqs.at(-1)! };
    const back = await next.join(again, { resume });
    back.call.session.patch('a', [add('/list/-', 'y')]);
    expect(patches(again.events)).toMatchObject([
      { patch: [add('', { list: ['x'] })] },
      { patch: [add('/list/-', 'y')] },
    ]);
  });
});
