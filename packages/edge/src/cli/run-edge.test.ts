import { EventEmitter } from 'node:events';
import { MicroturnError } from '@microturn/protocol';
import { AsyncSubject, firstValueFrom } from 'rxjs';
import { expect, it, vi } from 'vitest';
import { parseConfig } from '../config.js';
import { ManualClock } from '../testing/manual-clock.js';
import { runEdge, type RunningEdge } from './run-edge.js';

const flush = () => new Promise((resolve) => setImmediate(resolve));

/** An edge that comes up with `isUp()`, and is greeted with `isGreeted()`. */
function stage({ close = () => Promise.resolve() } = {}) {
  const [signals, clock] = [new EventEmitter(), new ManualClock()];
  const edge: RunningEdge = {
    onFailed: undefined,
    close: vi.fn(close),
    swapModel: vi.fn().mockResolvedValue(undefined),
    renewCertificate: vi.fn().mockResolvedValue(false),
    changeKeys: vi.fn().mockResolvedValue(0),
  };
  const [up, greeted] = [new AsyncSubject<RunningEdge>(), new AsyncSubject<string>()];
  const [exit, say, complain] = [vi.fn(), vi.fn(), vi.fn()];
  const running = runEdge({
    create: () => firstValueFrom(up),
    greeting: () => firstValueFrom(greeted),
    read: () => parseConfig({ engine: { bundle: '/models/two' } }),
    signals,
    after: clock.after,
    exit,
    say,
    complain,
  });
  return {
    edge,
    signals,
    clock,
    exit,
    say,
    complain,
    running,
    isUp: () => (up.next(edge), up.complete(), flush()),
    isGreeted: () => (greeted.next('hello'), greeted.complete(), flush()),
    fails: (error: Error) => up.error(error),
  };
}

it('SIGTERM and SIGINT while it starts: the process ends at once, and in order', () => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    const { signals, exit } = stage();
    signals.emit(signal);
    expect(exit).toHaveBeenCalledExactlyOnceWith(0);
  }
});

it('SIGTERM between the moment that it is up and its greeting: callers are told all the same', async () => {
  const { signals, edge, exit, isUp, isGreeted, say } = stage();
  await isUp();
  signals.emit('SIGTERM');
  expect(edge.close).toHaveBeenCalledExactlyOnceWith({ handOver: true });
  await isGreeted();
  expect(exit).toHaveBeenCalledExactlyOnceWith(0);
  expect(say.mock.calls.flat()).toContain('  SIGTERM: telling callers and closing');
});

it('SIGINT: nobody takes over; asked twice, or where closing does not end, it waits no more', async () => {
  const hanging = () => stage({ close: () => new Promise<void>(() => {}) });
  const [twice, slow] = [hanging(), hanging()];
  for (const { isUp, signals, edge, exit } of [twice, slow]) {
    await isUp();
    signals.emit('SIGINT');
    expect(edge.close).toHaveBeenCalledExactlyOnceWith({ handOver: false });
    expect(exit).not.toHaveBeenCalled();
  }
  twice.signals.emit('SIGINT');
  slow.clock.advance(8000);
  for (const { exit, edge } of [twice, slow]) {
    expect(exit).toHaveBeenCalledExactlyOnceWith(1);
    expect(edge.close).toHaveBeenCalledOnce();
  }
});

it('SIGHUP while it starts: the configuration is read again once it is up', async () => {
  const { signals, edge, isUp } = stage();
  signals.emit('SIGHUP');
  await flush();
  expect(edge.swapModel).not.toHaveBeenCalled();
  await isUp();
  expect(edge.swapModel).toHaveBeenCalledExactlyOnceWith('/models/two');
});

it('does not start: says so to its caller', async () => {
  const { signals, running, fails } = stage();
  signals.emit('SIGHUP');
  fails(new MicroturnError('edge/port-in-use'));
  await expect(running).rejects.toMatchObject({ code: 'edge/port-in-use' });
});

it('an edge that fails, be it before its greeting, is closed after those who ask have read why', async () => {
  const { edge, isUp, clock, exit, complain } = stage();
  await isUp();
  edge.onFailed?.(new MicroturnError('edge/worker-died'));
  expect(complain).toHaveBeenCalledOnce();
  expect(edge.close).not.toHaveBeenCalled();
  clock.advance(500);
  expect(edge.close).toHaveBeenCalledExactlyOnceWith({ handOver: true });
  await flush();
  expect(exit).toHaveBeenCalledExactlyOnceWith(1);
});
