import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { loadBundle } from '../../packages/edge/src/engine/bundle.js';
import { bundleListener } from '../eval/bundle-listener.js';
import { quietRoom } from '../eval/quiet-room.js';
import { TURN_SECONDS } from '../eval/test-sets.js';
import { root } from '../support/root.js';

const ASKED_TURN = 10;
/** Below what attention counts well by itself, between the tens that are told of every note, at one of them, and beyond what attention sees. */
const waits = { '5 seconds': 5, '14 seconds': 14, '22 seconds': 22, '37 seconds': 37, '40 seconds': 40, '49 seconds': 49, 'a minute': 60, 'two minutes': 120 }; // prettier-ignore
const TOLERANCE_S = 0.4;
/** Nothing is played here: what it says again at once is the same, since it has not heard itself. */
const SAME_S = 1;

/** Seconds after a typed request at which Nano reminds, in a room where nobody speaks; nothing but its own notes tells it the time. */
let reminders: ReadonlyMap<string, readonly number[]>;
beforeAll(async () => {
  const turns = 125 / TURN_SECONDS;
  const sessions = Object.keys(waits).map((wait) => quietRoom(turns, { [ASKED_TURN]: `remind me in ${wait}` }));
  const tracks = await bundleListener('nano', await loadBundle(join(root, 'models/nano/bundle'))).hear(sessions);
  const secondsOf = ({ at }: { readonly at: number }) => at - TURN_SECONDS / 2 - ASKED_TURN * TURN_SECONDS;
  reminders = new Map(
    Object.keys(waits).map((wait, i) => {
      const all = tracks[i]!.says.filter(({ what }) => what === 'remind').map(secondsOf);
      return [wait, all.filter((at, place) => place === 0 || at - all[place - 1]! > SAME_S)];
    }),
  );
}, 120_000);

it.each(Object.entries(waits))('reminds of what was typed after %s, by the notes of the runtime', (wait, seconds) => {
  const near = reminders.get(wait)!.filter((at) => Math.abs(at - seconds) <= TOLERANCE_S);
  expect(near, `reminders at ${reminders.get(wait)!.join(', ')} s`).toHaveLength(1);
});

it('reminds of little else', () => {
  const all = [...reminders.values()].flat().length;
  // 0.15.0: after five seconds again after five more, as it does when it is asked for every five; and after nine of forty nine.
  expect(all).toBeLessThanOrEqual(Object.keys(waits).length + 1);
});
