import { MicroturnError, type PageTool, type RosterMessage, type SessionEvent } from '@microturn/protocol';
import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import type { EventListener } from '../session/index.js';
import { silentLog } from '../telemetry/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import { Connection, type ConnectionParts } from './connection.js';
import { joinCall } from './join-call.js';

vi.mock(import('./join-call.js'));

class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readonly readyState = 1;
  bufferedAmount = 0;
  readonly ping = vi.fn();
  readonly terminate = vi.fn();
  readonly close = vi.fn();
  readonly send = vi.fn();
}

const grant = { canPublishData: true };

function open() {
  const socket = new FakeSocket();
  const parts = {
    clock: new ManualClock(),
    log: silentLog,
    metrics: { joins: { inc: vi.fn() }, messages: { inc: vi.fn() } },
    onClosed: vi.fn(),
    refusal: () => undefined,
  } as unknown as ConnectionParts;
  return { socket, connection: new Connection(socket as unknown as WebSocket, parts) };
}

const sent = (socket: FakeSocket) => socket.send.mock.calls.map(([text]) => JSON.parse(text as string) as unknown);

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.mocked(joinCall).mockReset();
});

describe('fault 21: a client that does not read its socket', () => {
  const speakers = (...names: string[]): RosterMessage => ({ type: 'speakers.changed', speakers: names });
  const left: RosterMessage = { type: 'participant.left', identity: 'bob' };

  it('misses what was news of the moment, and gets the newest when it has caught up', () => {
    const { socket, connection } = open();
    socket.bufferedAmount = 100 * 1024;
    connection.roster(speakers('ann'));
    connection.roster(left);
    connection.roster(speakers('ann', 'cyd'));
    expect(sent(socket)).toEqual([left]);
    socket.bufferedAmount = 0;
    connection.roster(left);
    connection.roster(left);
    expect(sent(socket).slice(1)).toEqual([speakers('ann', 'cyd'), left, left]);
    socket.emit('close', 1006);
  });

  it('gets of each participant how they are when it has caught up, and not each change that came before', () => {
    const { socket, connection } = open();
    const bob = (name: string, muted: boolean): RosterMessage => ({
      type: 'participant.updated',
      participant: {
        identity: name,
        attributes: { seat: 'x'.repeat(2000) },
        away: false,
        speaking: false,
        tracks: [{ id: `m-${name}`, source: 'microphone', kind: 'audio', muted }],
      },
    });
    const joined: RosterMessage = { ...bob('cyd', false), type: 'participant.joined' } as RosterMessage;
    // A socket that takes nothing more: each message that is sent to it stays.
    socket.bufferedAmount = 100 * 1024;
    socket.send.mockImplementation((text: string) => (socket.bufferedAmount += text.length));
    for (let i = 0; i < 1000; i++) for (const name of ['bob', 'cyd', 'dan']) connection.roster(bob(name, i % 2 === 0));
    connection.roster(left);
    connection.roster(joined);
    connection.roster(bob('dan', true));
    expect(sent(socket)).toEqual([left, joined]);
    expect(socket.terminate).not.toHaveBeenCalled();
    socket.bufferedAmount = 0;
    connection.roster(bob('eve', false));
    expect(sent(socket).slice(2)).toEqual([bob('dan', true), bob('eve', false)]);
    socket.emit('close', 1006);
  });

  it('gets what it missed and what its page shows at once when it is back, and 1 MiB more', async () => {
    const { socket, connection } = open();
    socket.send.mockImplementation((text: string) => (socket.bufferedAmount += text.length));
    let tell: EventListener = () => undefined;
    const come = (from: number, to: number) => {
      for (let seq = from; seq <= to; seq++) {
        const body = { type: 'transcript.typed', participant: 'ann', text: 'x'.repeat(60_000) } as const;
        const event: SessionEvent = { ...body, seq, at: 0, turn: 0 };
        tell(event, JSON.stringify(event));
      }
    };
    const session = {
      endpoint: 'e',
      resume: (_lastSeq: number, listener: EventListener) => {
        tell = listener;
        come(1, 45);
      },
    };
    const call = { attach: () => [], detach: vi.fn(), session };
    vi.mocked(joinCall).mockResolvedValue({ call, joined: { resumed: true } } as never);
    const join = { type: 'join', id: 1, protocol: 1, token: 't', resume: { resumeToken: 'r', lastSeq: 0 } };
    socket.emit('message', Buffer.from(JSON.stringify(join)), false);
    await expect.poll(() => socket.bufferedAmount).toBeGreaterThan(2.5 * 2 ** 20);
    come(46, 60);
    expect(socket.terminate).not.toHaveBeenCalled();
    // It takes its time, which is a sign of life; and then it is bounded as any other.
    for (; socket.bufferedAmount > 0; socket.bufferedAmount = Math.max(0, socket.bufferedAmount - 300_000))
      connection.checkAlive();
    connection.checkAlive();
    expect([socket.terminate, call.detach].map((fn) => fn.mock.calls.length)).toEqual([0, 0]);
    come(61, 77);
    expect(socket.terminate).not.toHaveBeenCalled();
    come(78, 80);
    // Not in the middle of what it is being told; and nothing more is sent.
    expect(call.detach).not.toHaveBeenCalled();
    const { length } = sent(socket);
    come(81, 90);
    expect(sent(socket)).toHaveLength(length);
    await new Promise((resolve) => setImmediate(resolve));
    expect(socket.terminate).toHaveBeenCalledOnce();
    expect(call.detach).toHaveBeenCalledOnce();
    socket.emit('close', 1006);
  });

  it('is cut off at 1 MiB, once, and leaves the room no worse', () => {
    vi.useFakeTimers();
    const { socket, connection } = open();
    const other = open();
    socket.bufferedAmount = 1024 * 1024;
    connection.roster(left);
    expect(socket.terminate).not.toHaveBeenCalled();
    socket.bufferedAmount++;
    for (let i = 0; i < 3; i++) connection.roster(left);
    vi.advanceTimersByTime(0);
    expect(socket.terminate).toHaveBeenCalledOnce();
    other.connection.roster(left);
    expect(sent(other.socket)).toEqual([left]);
    other.connection.end(new MicroturnError('session/closed'));
    other.socket.emit('close', 1000);
    vi.runAllTimers();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is cut off no more where it has closed meanwhile', () => {
    vi.useFakeTimers();
    const { socket, connection } = open();
    socket.bufferedAmount = 2 * 1024 * 1024;
    connection.roster(left);
    socket.emit('close', 1000);
    vi.runAllTimers();
    expect(socket.terminate).not.toHaveBeenCalled();
  });
});

describe('a socket', () => {
  it('that does not ask to join is told so after 10 s; one that has asked is let in by a busy edge when its turn comes', async () => {
    vi.useFakeTimers();
    const joining = vi.mocked(joinCall).mockReturnValue(new Promise(() => undefined));
    const [silent, asking] = [open(), open()];
    asking.socket.emit('message', Buffer.from('{"type":"join","id":1,"protocol":1,"token":"t"}'), false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(joining).toHaveBeenCalledOnce();
    const error = { code: 'net/timeout', message: expect.stringContaining('no join message') as string };
    expect(sent(silent.socket)).toMatchObject([{ type: 'goodbye', error }]);
    expect(sent(asking.socket)).toEqual([]);
  });

  it('that answers pings is left alone', () => {
    vi.useFakeTimers();
    const { socket, connection } = open();
    for (let i = 0; i < 20; i++) {
      connection.checkAlive();
      socket.emit('pong');
    }
    expect(socket.ping).toHaveBeenCalledTimes(20);
    expect(socket.terminate).not.toHaveBeenCalled();
  });

  it('fault 8, that falls silent is cut off after two pings without an answer, and leaves no timer', () => {
    vi.useFakeTimers();
    const { socket, connection } = open();
    connection.checkAlive();
    connection.checkAlive();
    expect(socket.terminate).not.toHaveBeenCalled();
    connection.checkAlive();
    connection.checkAlive();
    expect(socket.terminate).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('an answer to a task', () => {
  it('is to the question that it names', async () => {
    const answer = vi.fn();
    const session = { start: () => undefined, background: { answer } };
    vi.mocked(joinCall).mockResolvedValue({ call: { attach: () => [], session, grant }, joined: {} } as never);
    const { socket } = open();
    const send = (message: object) => socket.emit('message', Buffer.from(JSON.stringify(message)), false);
    send({ type: 'join', id: 1, protocol: 1, token: 't' });
    send({ type: 'task.answer', id: 2, taskId: 'task-1', answer: true, questionId: 'q-1' });
    send({ type: 'task.answer', id: 3, taskId: 'task-1', answer: 'four' });
    await vi.waitFor(() => expect(sent(socket)).toHaveLength(3));
    expect(answer.mock.calls).toEqual([
      ['task-1', true, 'q-1'],
      ['task-1', 'four', undefined],
    ]);
  });
});

describe('a message that is too large', () => {
  it.each([
    [{ type: 'tools.register', id: 1, tools: ['x'.repeat(70_000)] }, /: 7\d{4} bytes of tools\.register$/],
    ['x'.repeat(70_000), /: 7\d{4} bytes$/],
  ])('ends the socket with what it was, as far as it says so (%#)', (message, why) => {
    const { socket } = open();
    socket.emit('message', Buffer.from(JSON.stringify(message)), false);
    expect(sent(socket)).toEqual([
      expect.objectContaining({
        type: 'goodbye',
        error: expect.objectContaining({ code: 'protocol/too-large', message: expect.stringMatching(why) as string }),
      }),
    ]);
    expect(socket.close).toHaveBeenCalledWith(1009, 'protocol/too-large');
    socket.emit('close', 1009);
  });
});

describe('functions that a page offers', () => {
  const tool = { name: 'go', description: 'goes', parameters: { type: 'object' } };
  const nest = (levels: number): object => (levels === 0 ? {} : { a: nest(levels - 1) });
  /** Of `levels` levels. */
  const deep = (levels: number) => ({ ...tool, name: 'deep', parameters: { type: 'object', ...nest(levels - 1) } });

  const offer = async (tools: unknown[], refused: string[] = []) => {
    const registerTools = vi.fn((_offered: readonly PageTool[]) => refused);
    const session = { start: () => undefined, background: { registerTools } };
    vi.mocked(joinCall).mockResolvedValue({ call: { attach: () => [], session, grant }, joined: {} } as never);
    const { socket } = open();
    const send = (message: object) => socket.emit('message', Buffer.from(JSON.stringify(message)), false);
    send({ type: 'join', id: 1, protocol: 1, token: 't' });
    send({ type: 'tools.register', id: 2, tools });
    await vi.waitFor(() => expect(sent(socket)).toHaveLength(2));
    const { error } = sent(socket)[1] as { error?: { code: string; message: string } };
    return { error, names: registerTools.mock.calls[0]?.[0].map(({ name }) => name) };
  };

  it('are told of by name where one cannot be offered', async () => {
    const { error } = await offer([], ['clock: the name is taken', 'go: $ref is not used in schemas here']);
    expect(error).toMatchObject({
      code: 'protocol/malformed',
      message: expect.stringContaining('clock: the name is taken; go: $ref is not used') as string,
    });
  });

  it.each<[string, unknown, RegExp]>([
    [
      'a description of 1025 characters',
      { ...tool, name: 'wordy', description: 'x'.repeat(1025) },
      /wordy: description: .*1024/,
    ],
    ['a schema of 14 levels', deep(14), /deep: parameters: 14 levels of nesting, at most 13/],
    ['a schema of thousands of levels', deep(1000), /deep: parameters: 1000 levels/],
    [
      'a schema of something else',
      { ...tool, name: 'list', parameters: { type: 'array' } },
      /list: parameters\.type: /,
    ],
    [
      'a name that is none',
      { ...tool, name: 'set oven!' },
      /tools\.1: name: a name of letters, digits, _ and -, at most 64/,
    ],
    ['nothing in it', null, /tools\.1: /],
  ])('are there without the one that has %s, of which it is told why', async (_what, bad, why) => {
    const { error, names } = await offer([tool, bad, { ...tool, name: 'stay' }], ['stay: two']);
    expect(names).toEqual(['go', 'stay']);
    expect(error).toMatchObject({ code: 'protocol/malformed', message: expect.stringMatching(why) as string });
    expect(error?.message).toMatch(/; stay: two$/);
    expect(error?.message.length).toBeLessThan(300);
  });

  it('may have a description of 1024 characters, and a schema of 13 levels', async () => {
    const { error, names } = await offer([{ ...tool, description: 'x'.repeat(1024) }, deep(13)]);
    expect(error).toBeUndefined();
    expect(names).toEqual(['go', 'deep']);
  });

  const named = (count: number) => Array.from({ length: count }, (_, i) => ({ ...tool, name: `t${i}` }));

  it('are as many as a page may have, and each of the others is told so', async () => {
    const { error, names } = await offer([null, ...named(34)]);
    expect(names).toEqual(named(32).map(({ name }) => name));
    expect(error?.code).toBe('protocol/malformed');
    expect(error?.message).toMatch(/without tools\.0: [^;]*; t32: at most 32 at once; t33: at most 32 at once$/);
  });

  it('are told of so many and no more, where a page offers thousands', async () => {
    const { error, names } = await offer(named(900));
    expect(names).toHaveLength(32);
    expect(error?.message).toMatch(/; and 836 others$/);
    expect(error?.message.length).toBeLessThan(1500);
  });
});
