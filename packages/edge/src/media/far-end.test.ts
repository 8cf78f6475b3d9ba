import { describe, expect, it } from 'vitest';
import type { MicroTurn } from '../engine/types.js';
import { seededRandom } from '../testing/seeded-random.js';
import { VirtualCall } from './testing/virtual-call.js';

const RATE_HZ = 24_000;
const SAMPLES = 3_200;

/** Something that a voice codec keeps and that is like itself at one place only. */
function speech(ms: number): Float32Array {
  const random = seededRandom(4);
  let low = 0;
  return Float32Array.from({ length: (ms * RATE_HZ) / 1000 }, (_, i) => {
    low += 0.25 * (random() - 0.5 - low);
    return low * (1 + Math.sin(i / 1_500));
  });
}

const said = speech(5_000);

function callWith(options: ConstructorParameters<typeof VirtualCall>[1]): VirtualCall {
  const call = new VirtualCall(12_000, options);
  call.pass(500);
  call.downlink.say({ responseId: 'a', pcm: said, rateHz: RATE_HZ, last: true });
  return call;
}

/** By how much the microphone's echo is behind the far end, ms, in one micro-turn: where the two are most alike. */
function lagMs({ pcm, ref }: MicroTurn): number {
  let best = { lag: 0, product: -Infinity };
  for (let lag = -1_600; lag < 2_400; lag += 8) {
    let product = 0;
    for (let i = Math.max(0, lag); i < Math.min(SAMPLES, SAMPLES + lag); i++) product += pcm[i]! * ref![i - lag]!;
    product /= SAMPLES - Math.abs(lag);
    if (product > best.product) best = { lag, product };
  }
  return best.lag / 16;
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
const loud = (pcm: Float32Array | undefined) => pcm?.some((sample) => Math.abs(sample) > 0.001) ?? false;

describe('the far end of a call', () => {
  it.each([60, 120, 250])('leads an echo that is %i ms late by what models are used to', (delayMs) => {
    const call = callWith({ echo: { levelDb: -20, delayMs }, noiseDb: -80 });
    call.pass(5_000);
    const known = call.turns.slice(8, 25);
    const lag = median(known.map(lagMs));
    expect(lag).toBeGreaterThan(60);
    expect(lag).toBeLessThan(100);
    call.close();
  });

  it('is where the ear is as long as no echo was heard', () => {
    const quiet = callWith({ noiseDb: -80 });
    const echoing = callWith({ echo: { levelDb: -20, delayMs: 30 }, noiseDb: -80 });
    for (const call of [quiet, echoing]) call.pass(5_000);
    const onset = ({ turns }: VirtualCall) => turns.findIndex(({ ref }) => loud(ref));
    expect(onset(quiet)).toBe(onset(echoing));
    // An echo that is not later than the lead moves nothing: it is behind by its own delay, and what two codecs add.
    expect(median(echoing.turns.slice(8, 25).map(lagMs))).toBeLessThan(70);
  });

  it('is not made for a model that takes none, and hears as well when the agent is audible', () => {
    const [takes, other] = [true, false].map((ref) => callWith({ ref, echo: { levelDb: -20, delayMs: 120 } }));
    for (const call of [takes!, other!]) call.pass(5_000);
    expect(other!.turns.some((turn) => 'ref' in turn)).toBe(false);
    expect(takes!.turns.some(({ ref }) => loud(ref))).toBe(true);
    expect(other!.turns.map(({ play }) => play)).toEqual(takes!.turns.map(({ play }) => play));
  });

  it('begins and ends with the sound at the ear, before any report and with them', () => {
    for (const reports of [true, false]) {
      const call = callWith({ reports });
      call.pass(8_000);
      const plays = call.turns.map(({ play }) => play).join('');
      // From 0.5 s to 5.5 s, some 100 ms later by the ear and the microphone's way.
      expect(plays).toMatch(/^0{2,3}1{25,26}0+$/);
      call.close();
    }
  });

  it('is silent after a mute and after a cut, and comes back with the next response', () => {
    for (const end of ['mute', 'cut'] as const) {
      const call = callWith({});
      call.pass(2_000);
      if (end === 'mute') call.mute();
      call.listener.cut('a', call.clock.now());
      call.downlink.cut('a');
      call.pass(1_000);
      const after = call.turns.slice(-3);
      expect(after.map(({ play, ref }) => [play, loud(ref)])).toEqual(after.map(() => [0, false]));
      call.unmute();
      call.downlink.say({ responseId: 'b', pcm: said, rateHz: RATE_HZ, last: true });
      call.pass(1_000);
      const again = call.turns.slice(-3);
      expect(again.map(({ play, ref }) => [play, loud(ref)])).toEqual(again.map(() => [1, true]));
      call.close();
    }
  });
});
