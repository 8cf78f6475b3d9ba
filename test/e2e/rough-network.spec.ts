import { expect, test } from '@playwright/test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Impairments } from '@microturn/edge/testing';
import { Caller } from '../call/caller.js';
import { compose, speak } from '../fixtures/speech.js';
import type { EdgeProcess } from '../support/edge-process.js';
import { RoughNetwork, hasRoughNetwork } from '../support/rough-network.js';

// One call through a network that gets worse in every way in turn. What the model hears of it is in the edge's metrics.

const VOICE = { accent: 'en-us', variant: 'f2', rate: 140, pitch: 50 } as const;
const PACKETS_PER_SECOND = 50;
const ADDRESS_CHANGES = 6;

interface Uplink {
  readonly received: number;
  readonly lost: number;
  readonly late: number;
  readonly duplicate: number;
  readonly malformed: number;
  readonly concealedMs: number;
}

async function uplinkOf(edge: EdgeProcess): Promise<Uplink> {
  const metrics = await edge.metrics();
  const fate = (name: string) => metrics.get(`microturn_uplink_packets_total{fate="${name}"}`) ?? 0;
  return {
    received: fate('received'),
    lost: fate('lost'),
    late: fate('late'),
    duplicate: fate('duplicate'),
    malformed: fate('malformed'),
    concealedMs: (metrics.get('microturn_uplink_concealed_seconds_total') ?? 0) * 1000,
  };
}

const less = (a: Uplink, b: Uplink): Uplink =>
  Object.fromEntries(
    Object.keys(a).map((key) => [key, a[key as keyof Uplink] - b[key as keyof Uplink]]),
  ) as unknown as Uplink;

/** Counts how often the page asks for a new path. */
function countIceRestarts(): void {
  const counted = Object.assign(window, { iceRestarts: 0 });
  RTCPeerConnection.prototype.createOffer = new Proxy(RTCPeerConnection.prototype.createOffer, {
    apply(createOffer, connection, args: [RTCOfferOptions?]) {
      if (args[0]?.iceRestart) counted.iceRestarts++;
      return Reflect.apply(createOffer, connection, args) as unknown;
    },
  });
}

test.describe('a call through a rough network', () => {
  test.skip(!hasRoughNetwork, 'the relay needs a second loopback address, which Linux has');
  test.describe.configure({ mode: 'serial' });
  let network: RoughNetwork;
  let caller: Caller;
  test.beforeAll(async () => {
    network = await RoughNetwork.open();
    const microphone = compose([1_000, await speak('I saw a horse and a small goat near the river.', VOICE), 500]);
    caller = await Caller.open({
      url: network.edge.url,
      room: 'rough',
      microphone,
      loop: true,
      record: false,
      initScript: `(${countIceRestarts.toString()})()`,
    });
  });
  test.afterAll(async () => {
    await caller?.close();
    await network?.[Symbol.asyncDispose]();
  });
  test.afterEach(() => {
    expect(caller.eventsOf('error')).toEqual([]);
    expect(caller.events.filter(({ type }) => type === 'session.started')).toHaveLength(1);
  });

  /** What the microphone's packets met with in so many seconds of a network like this. */
  async function during(seconds: number, up: Impairments, down = up): Promise<Uplink & { readonly concealed: number }> {
    network.udp.impair(up, down);
    await sleep(1_000);
    const before = await uplinkOf(network.edge);
    await sleep(seconds * 1_000);
    const met = less(await uplinkOf(network.edge), before);
    network.udp.impair({});
    return { ...met, concealed: met.concealedMs / (seconds * 1_000) };
  }

  test('fault 11, 5 % of the packets are lost: what is asked for again comes in time', async () => {
    const met = await during(6, { loss: 0.05, delayMs: 10 });
    console.log(`  fault 11: ${JSON.stringify(met)}; relay ${JSON.stringify(network.udp.stats.up)}`);
    expect(met.received).toBeGreaterThan(0.9 * 6 * PACKETS_PER_SECOND);
    expect(met.concealed).toBeLessThan(0.04);
  });

  test('fault 12, 20 % and outages of 200 ms: concealed, counted, and understood again afterwards', async () => {
    const met = await during(4, { loss: 0.2, bursts: { everyMs: 2_000, lengthMs: 200 } });
    console.log(`  fault 12: ${JSON.stringify(met)}`);
    expect(met.concealed).toBeGreaterThan(0.01);
    expect(met.concealed).toBeLessThan(0.5);
    const words = caller.eventsOf('transcript.word').length;
    await expect.poll(() => caller.eventsOf('transcript.word').length, { timeout: 10_000 }).toBeGreaterThan(words + 1);
  });

  test('fault 13, jitter of 120 ms and 5 % out of order: what comes in time is in its place, what is late is counted', async () => {
    const met = await during(4, { jitterMs: 120, reorder: 0.05, reorderMs: 150 });
    console.log(`  fault 13: ${JSON.stringify(met)}`);
    expect(met.received).toBeGreaterThan(0.9 * 4 * PACKETS_PER_SECOND);
    expect(met.concealed).toBeLessThan(0.2);
    expect(met.malformed).toBe(0);
  });

  test('fault 14, every other packet twice, and as many replayed: none counts twice', async () => {
    const met = await during(2, { duplicate: 0.5, replay: 0.5 });
    console.log(`  fault 14: ${JSON.stringify(met)}; relay ${JSON.stringify(network.udp.stats.up)}`);
    expect(met.received).toBeLessThan(1.15 * 2 * PACKETS_PER_SECOND);
    expect(met).toMatchObject({ lost: 0, malformed: 0, duplicate: 0 });
  });

  test('fault 10, the caller’s address changes again and again: the same session, and media again each time', async () => {
    const gapsMs: number[] = [];
    for (let i = 0; i < ADDRESS_CHANGES; i++) {
      // At any moment between two checks of the path by the browser, which come every 2.5 s.
      await sleep(1_000 + 550 * i);
      // Every other time it has just looked for its path for another reason, which is not to keep it from looking again.
      if (i % 2 === 1) {
        await caller.page.evaluate(() => window.dispatchEvent(new Event('online')));
        await sleep(450);
      }
      const { received } = await uplinkOf(network.edge);
      const startedAt = performance.now();
      await network.udp.rebind();
      await expect
        .poll(async () => (await uplinkOf(network.edge)).received - received, { intervals: [50], timeout: 10_000 })
        .toBeGreaterThan(3);
      gapsMs.push(Math.round(performance.now() - startedAt));
    }
    console.log(`  fault 10: media again ${gapsMs.join(', ')} ms after the address changed`);
  });

  test('fault 10, there is no path for 8 s: ICE restarts, and the same session goes on', async () => {
    const { turn } = caller.eventsOf('stats').at(-1)!;
    network.udp.impair({ blocked: true });
    await sleep(8_000);
    network.udp.impair({});
    const freedAt = performance.now();
    const before = await uplinkOf(network.edge);
    await expect
      .poll(async () => less(await uplinkOf(network.edge), before).received, { intervals: [100], timeout: 15_000 })
      .toBeGreaterThan(10);
    console.log(`  fault 10: media again ${Math.round(performance.now() - freedAt)} ms after the path was`);
    const words = caller.eventsOf('transcript.word').length;
    await expect.poll(() => caller.eventsOf('transcript.word').length, { timeout: 15_000 }).toBeGreaterThan(words);
    // The clock never stood still.
    expect(caller.eventsOf('stats').at(-1)!.turn).toBeGreaterThanOrEqual(turn + 35);
    expect(
      await caller.page.evaluate(() => (window as unknown as { iceRestarts: number }).iceRestarts),
    ).toBeGreaterThan(0);
  });
});
