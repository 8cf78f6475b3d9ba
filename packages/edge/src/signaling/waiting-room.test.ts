import { describe, expect, it } from 'vitest';
import { WaitingRoom } from './waiting-room.js';

describe('fault 36: sockets that do not join', () => {
  it('are bounded for each address, and others come in meanwhile', () => {
    const room = new WaitingRoom({ mostOfOneAddress: 2, most: 10 });
    const leave = room.enter('198.51.100.1');
    room.enter('198.51.100.1');
    expect(room.enter('198.51.100.1')).toBeUndefined();
    expect(room.enter('198.51.100.2')).toBeDefined();
    leave?.();
    leave?.();
    expect(room.enter('198.51.100.1')).toBeDefined();
    expect(room.enter('198.51.100.1')).toBeUndefined();
    expect(room.size).toBe(3);
  });

  it('are bounded together', () => {
    const room = new WaitingRoom({ mostOfOneAddress: 2, most: 3 });
    const exits = [1, 2, 3].map((i) => room.enter(`198.51.100.${i}`));
    expect(room.enter('198.51.100.4')).toBeUndefined();
    for (const leave of exits) leave?.();
    expect(room.size).toBe(0);
  });

  it.each([
    ['2001:db8:0:7::1', '2001:db8:0:7:ffff:1:2:3', true],
    ['2001:db8::1', '2001:db8:0:0:9::', true],
    ['2001:db8:0:7::1', '2001:db8:0:8::1', false],
    ['::ffff:198.51.100.1', '::ffff:198.51.100.2', false],
  ])('of %s and %s: of one owner %s', (a, b, same) => {
    const room = new WaitingRoom({ mostOfOneAddress: 1, most: 10 });
    room.enter(a);
    expect(room.enter(b) === undefined).toBe(same);
  });
});
