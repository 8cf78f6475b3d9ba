import { describe, expect, it } from 'vitest';
import { PacketOrder, type OrderedPacket } from './packet-order.js';
import type { RtpPacket } from './rtp-packet.js';

const at = (sequenceNumber: number, over: Partial<RtpPacket> = {}): RtpPacket => ({
  payloadType: 111,
  marker: false,
  sequenceNumber: sequenceNumber & 0xffff,
  rtpTicks: (sequenceNumber * 960) >>> 0,
  ssrc: 1,
  payload: Uint8Array.of(sequenceNumber & 0xff),
  ...over,
});

function ordered(): { order: PacketOrder; out: OrderedPacket[]; numbers: () => number[] } {
  const out: OrderedPacket[] = [];
  return {
    order: new PacketOrder((packet) => out.push(packet)),
    out,
    numbers: () => out.map((packet) => packet.payload[0]!),
  };
}

describe('PacketOrder', () => {
  it('holds packets behind a gap until the missing one comes', () => {
    const { order, out, numbers } = ordered();
    [10, 12, 13, 11, 14].forEach((n, i) => order.push(at(n), i * 20));
    expect(numbers()).toEqual([10, 11, 12, 13, 14]);
    expect(out.map((packet) => packet.missing)).toEqual([0, 0, 0, 0, 0]);
    expect(out.map((packet) => packet.inTurn)).toEqual([true, false, true, true, true]);
  });

  it('gives the missing up when it is told to, but no later packet than asked for', () => {
    const { order, out, numbers } = ordered();
    [10, 12, 13, 20].forEach((n, i) => order.push(at(n), i * 20));
    order.release(15 * 960);
    expect(numbers()).toEqual([10, 12, 13]);
    expect(out[1]).toMatchObject({ missing: 1, ticks: 12 * 960 });
    order.push(at(11), 100);
    expect(order).toMatchObject({ lost: 1, late: 1 });
    order.release(Infinity);
    expect(out[3]).toMatchObject({ missing: 6, ticks: 20 * 960 });
  });

  it('takes each packet once', () => {
    const { order, numbers } = ordered();
    [10, 10, 12, 12, 11, 11, 10].forEach((n, i) => order.push(at(n), i));
    expect(numbers()).toEqual([10, 11, 12]);
    expect(order).toMatchObject({ duplicates: 4, late: 0 });
  });

  it('counts on where sequence and timestamp wrap', () => {
    const { order, out } = ordered();
    const base = 0xffff_fff0;
    for (let i = 0; i < 40; i++) order.push(at(0xfff0 + i, { rtpTicks: (base + i * 960) >>> 0 }), i * 20);
    expect(out.map((packet) => packet.ticks)).toEqual(Array.from({ length: 40 }, (_, i) => base + i * 960));
  });

  it('drops a stray packet, and believes a sender that starts over from its second packet on', () => {
    const { order, out, numbers } = ordered();
    order.push(at(10), 0);
    order.push(at(11, { rtpTicks: 123_456_789 }), 20);
    order.push(at(12), 40);
    expect(order.strays).toBe(1);
    order.push(at(100, { ssrc: 2 }), 60);
    order.push(at(101, { ssrc: 2 }), 80);
    order.release(Infinity);
    expect(numbers()).toEqual([10, 12, 100, 101]);
    expect(out.map((packet) => packet.first)).toEqual([true, false, true, false]);
    expect(order.strays).toBe(1);
  });

  it('never holds more than two seconds', () => {
    const { order, out } = ordered();
    order.push(at(0), 0);
    for (let n = 2; n < 2000; n++) order.push(at(n), n * 20);
    expect(out.length).toBeGreaterThan(1999 - 102);
  });
});
