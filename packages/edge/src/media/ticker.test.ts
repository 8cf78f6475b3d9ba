import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ManualClock } from './testing/manual-clock.js';
import { Ticker, nodeTickTimers, type TickTimers } from './ticker.js';

/** An event loop in virtual time: `lateMs` is how late each timer fires. */
function setUp({ lateMs = () => 0 }: { lateMs?: () => number } = {}) {
  const clock = new ManualClock(1000);
  let pending: { atMs: number; call: () => void } | undefined;
  const timers: TickTimers = {
    after: (ms, call) => {
      pending = { atMs: clock.now() + ms + lateMs(), call };
      return () => (pending = undefined);
    },
    afterInput: (call) => {
      pending = { atMs: clock.now(), call };
      return () => (pending = undefined);
    },
  };
  const ticks: number[] = [];
  const ticker = new Ticker(clock, (nowMs) => ticks.push(nowMs), { timers });
  const run = (untilMs: number) => {
    while (pending && pending.atMs <= untilMs) {
      const { atMs, call } = pending;
      pending = undefined;
      clock.advance(atMs - clock.now());
      call();
    }
  };
  return { ticker, ticks, run, clock, pending: () => pending };
}

describe('Ticker', () => {
  it('does not drift where every timer is late', () => {
    const { ticks, run } = setUp({ lateMs: () => 1.7 });
    run(11_000);
    expect(ticks.length).toBeGreaterThanOrEqual(1999);
    expect(ticks.every((ms) => Math.abs(((ms - 1000) % 5) - 1.7) < 1e-6)).toBe(true);
  });

  it('leaves missed ticks out after a stall, and knows how late it was', () => {
    let stallMs = 0;
    const { ticker, ticks, run } = setUp({ lateMs: () => stallMs });
    run(1100);
    stallMs = 333;
    run(1107);
    run(1440);
    stallMs = 0;
    run(1500);
    expect(ticks.length).toBeLessThan(40);
    expect(ticks.at(-1)).toBe(1500);
    expect(ticker.lateness.maxMs).toBeCloseTo(333, 6);
  });

  it('leaves no timer behind', () => {
    const { ticker, ticks, run, pending } = setUp();
    run(1010);
    ticker.close();
    expect(pending()).toBeUndefined();
    run(2000);
    expect(ticks).toEqual([1005, 1010]);
  });

  it('stays closed where a tick closes it', () => {
    const clock = new ManualClock();
    const calls: (() => void)[] = [];
    const ticker: Ticker = new Ticker(clock, () => ticker.close(), {
      timers: { after: (_, call) => (calls.push(call), () => {}), afterInput: (call) => (call(), () => {}) },
    });
    calls[0]!();
    expect(calls).toHaveLength(1);
  });
});

describe('a tick on the loop of Node', () => {
  it('comes after packets that were there when a stall ended, also as mediasoup hands them on', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const writer = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [[reader]] = (await Promise.all([once(server, 'connection'), once(writer, 'connect')])) as [
      [Socket],
      unknown,
    ];
    try {
      const order: string[] = [];
      reader.on('data', () => setImmediate(() => order.push('packet')));
      await new Promise<void>((resolve) => {
        setTimeout(() => {
          writer.write('x');
          const untilMs = performance.now() + 5;
          while (performance.now() < untilMs);
          nodeTickTimers.afterInput(() => {
            order.push('tick');
            resolve();
          });
        }, 5);
      });
      expect(order).toEqual(['packet', 'tick']);
    } finally {
      writer.destroy();
      reader.destroy();
      server.close();
    }
  });

  it('does not come where it is called off, also between its two turns', async () => {
    let ticks = 0;
    nodeTickTimers.afterInput(() => ticks++)();
    const cancel = nodeTickTimers.afterInput(() => ticks++);
    // Set after the first turn, so it runs behind it.
    await new Promise<void>((resolve) => setImmediate(() => (cancel(), resolve())));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(ticks).toBe(0);
  });
});
