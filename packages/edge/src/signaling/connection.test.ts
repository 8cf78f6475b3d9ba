import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { silentLog } from '../telemetry/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import { Connection, type ConnectionParts } from './connection.js';

class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readonly readyState = 1;
  readonly bufferedAmount = 0;
  readonly ping = vi.fn();
  readonly terminate = vi.fn();
  readonly close = vi.fn();
  readonly send = vi.fn();
}

function open() {
  const socket = new FakeSocket();
  const parts = { clock: new ManualClock(), log: silentLog } as unknown as ConnectionParts;
  return { socket, connection: new Connection(socket as unknown as WebSocket, parts) };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a socket', () => {
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
