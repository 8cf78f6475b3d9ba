import type { SessionEvent } from '@microturn/protocol';
import { expect, it } from 'vitest';
import { MemoryStore } from './memory-store.js';
import { at, sessionStoreContract, statsEvent, storedSession, wordEvent } from './session-store.contract.js';
import { KEPT_EVENTS } from './types.js';

sessionStoreContract('memory', (maxBytes) =>
  Promise.resolve(new MemoryStore(maxBytes === undefined ? {} : { maxBytes })),
);

it('looks at no event again when others come', async () => {
  const store = new MemoryStore();
  let looks = 0;
  const watched = (event: SessionEvent): SessionEvent =>
    new Proxy(event, {
      get(target, key) {
        looks++;
        return Reflect.get(target, key) as unknown;
      },
    });
  const save = (events: readonly SessionEvent[]) => store.write([{ do: 'save', session: storedSession('a'), events }]);
  await save(Array.from({ length: 100 }, (_, i) => watched(wordEvent(i + 1))));
  looks = 0;
  for (let seq = 101; seq <= 2 * KEPT_EVENTS; seq++) await save([wordEvent(seq)]);
  expect(looks).toBe(0);
  expect((await store.find('hash of a', at(0)))?.events).toHaveLength(2 * KEPT_EVENTS);
});

it('may take events for ever: what it no longer keeps takes no room', async () => {
  const store = new MemoryStore({ maxBytes: 2 * KEPT_EVENTS * JSON.stringify(statsEvent(10_000)).length });
  for (let seq = 1; seq <= 10 * KEPT_EVENTS; seq++) {
    await store.write([{ do: 'save', session: storedSession('a'), events: [statsEvent(seq)] }]);
  }
  const { events } = (await store.find('hash of a', at(0)))!;
  expect(events.at(-1)?.seq).toBe(10 * KEPT_EVENTS);
});
