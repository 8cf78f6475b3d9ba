import { expect, it } from 'vitest';
import { Removals } from './removals.js';

const NOW_SECONDS = 1_700_000_000;
const ann = { room: 'den', identity: 'ann' };
const removals = () => new Removals(() => NOW_SECONDS * 1000);
const removed = expect.objectContaining({ code: 'session/removed' }) as Error;

it('refuses tokens from before a removal, and a minute more for clocks that are ahead; a newer one is good', () => {
  const some = removals();
  some.note('den', 'ann');
  for (const notBefore of [0, NOW_SECONDS - 3600, NOW_SECONDS, NOW_SECONDS + 59]) {
    expect(() => some.assertMayJoin({ ...ann, notBefore })).toThrow(removed);
  }
  some.assertMayJoin({ ...ann, notBefore: NOW_SECONDS + 60 });
});

it('goes by the time that is given with it, and knows nobody else', () => {
  const some = removals();
  some.note('den', 'ann', 100);
  expect(() => some.assertMayJoin({ ...ann, notBefore: 99 })).toThrow(removed);
  some.assertMayJoin({ ...ann, notBefore: 100 });
  some.assertMayJoin({ ...ann, room: 'attic', notBefore: 99 });
  some.assertMayJoin({ ...ann, identity: 'bob', notBefore: 99 });
});

it('forgets the oldest removals, and not the newest, where there are very many', () => {
  const some = removals();
  for (let i = 0; i <= 4096; i++) some.note('den', `guest-${i}`);
  some.assertMayJoin({ room: 'den', identity: 'guest-0', notBefore: 0 });
  for (const i of [1, 4096]) {
    expect(() => some.assertMayJoin({ room: 'den', identity: `guest-${i}`, notBefore: 0 })).toThrow(removed);
  }
});
