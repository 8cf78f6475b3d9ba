import { MessageChannel } from 'node:worker_threads';
import { MicroturnError, type Floor } from '@microturn/protocol';
import { describe, expect, it, vi } from 'vitest';
import type { EngineHost, MicroTurn } from '../engine/index.js';
import { timeFloor } from './time-floor.js';

/** 1.5 s at 16 kHz: after the second of silence before it, it ends in the middle of the thirteenth micro-turn. */
const SENTENCE = new Int16Array(24_000).fill(8000);

type Engine = Parameters<typeof timeFloor>[0];

/** An engine whose floors are these, one a micro-turn, and `holding` from then on. */
function scripted(floors: Readonly<Record<number, Floor | MicroturnError>>) {
  const turns: MicroTurn[] = [];
  const { port1, port2 } = new MessageChannel();
  let onDecision: Parameters<EngineHost['lease']>[0] = () => {};
  let onFailed: Parameters<EngineHost['lease']>[1] = () => {};
  let released = false;
  let closed = false;
  port2.on('message', (turn: MicroTurn) => {
    turns.push(turn);
    const floor = floors[turn.index] ?? 'holding';
    if (floor instanceof MicroturnError) onFailed(floor);
    else
      onDecision({
        lease: 1,
        index: turn.index,
        words: [],
        floor,
        confidence: 1,
        say: '',
        acts: [],
        stepMs: 1,
        lagMs: 1,
      });
  });
  port2.on('close', () => (closed = true));
  const release = () => (released = true);
  const engine = {
    info: { name: 'scripted', version: '1', microTurnMs: 200, inputHz: 16_000, capabilities: [] },
    stats: async () => ({}),
    lease: (...[decided, failed]: Parameters<EngineHost['lease']>) => {
      [onDecision, onFailed] = [decided, failed];
      return { id: 1, engine: 0, zeroMs: 0, perceive: () => {}, release, [Symbol.dispose]: release };
    },
    connect: () => port1,
  } as unknown as Engine;
  return { engine, turns, isLeft: () => released && closed };
}

describe('the time of a floor', () => {
  it('is from the end of the sentence to the end of the micro-turn that yields, by the session’s clock', async () => {
    const { engine, turns, isLeft } = scripted({ 13: 'yielded' });
    expect(await timeFloor(engine, SENTENCE, 1)).toBe(300);
    expect(turns.map(({ index }) => index)).toEqual(Array.from({ length: 14 }, (_, i) => i));
    expect([...new Set(turns.map(({ pcm }) => pcm.length))]).toEqual([3200]);
    const loud = turns.map(({ pcm }) => pcm.filter((sample) => Math.abs(sample) > 0.1).length);
    expect(loud[4]).toBeLessThan(100);
    expect(loud[5]).toBeGreaterThan(3100);
    expect(Math.abs(loud[12]! - 1600)).toBeLessThan(100);
    await vi.waitFor(() => expect(isLeft()).toBe(true));
  });

  it('counts no yield within the sentence, and those in a row where two are wanted', async () => {
    const { engine } = scripted({ 8: 'yielded', 13: 'yielded', 15: 'yielded', 16: 'yielded' });
    expect(await timeFloor(engine, SENTENCE, 2)).toBe(900);
  });

  it('is unknown where nothing yields in the three seconds after it', async () => {
    const { engine, turns } = scripted({ 3: 'yielded' });
    expect(await timeFloor(engine, SENTENCE, 1)).toBeUndefined();
    expect(turns.length).toBe(27);
  });

  it('fails with the engine', async () => {
    const { engine, isLeft } = scripted({ 2: new MicroturnError('engine/failed', 'gone') });
    await expect(timeFloor(engine, SENTENCE, 1)).rejects.toMatchObject({ code: 'engine/failed' });
    await vi.waitFor(() => expect(isLeft()).toBe(true));
  });
});
