import { expect, test } from '@playwright/test';
import { Caller } from '../call/caller.js';
import { compose, speak } from '../fixtures/speech.js';
import { EdgeProcess } from '../support/edge-process.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const VOICE = { accent: 'en-us', variant: 'm3', rate: 150, pitch: 50 };
/** For another edge to take the place of this one. */
const AWAY_MS = 12_000;

test('a new edge is put in place in the middle of a count, which goes on from there', async () => {
  await using folder = await TemporaryFolder.create();
  const args = ['--store', 'disk', '--data', folder.path];
  const microphone = compose([
    2000,
    await speak('Count the animals.', VOICE),
    1200,
    await speak('Today I saw a horse and a goat.', VOICE),
    AWAY_MS,
    await speak('Then a sheep ran to the river with a rabbit.', VOICE),
  ]);
  let edge = await EdgeProcess.start({ args });
  try {
    await using caller = await Caller.open({ url: edge.url, microphone });
    const counts = () => caller.eventsOf('response.text').map(({ text }) => text.trim());
    await caller.until('the second number', () => counts().length === 2);
    // A snapshot of the model is up to a second old.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await edge.stop()).toBe(0);
    edge = await EdgeProcess.start({ args, after: edge });
    await caller.until('the session again', ({ type }) => type === 'session.resumed');
    const [resumed] = caller.eventsOf('session.resumed');
    expect(counts()).toEqual(['one', 'two']);
    // One of the two animals that follow may be missed, as in any call.
    await caller.until('the third number', () => counts().length === 3, 2 * AWAY_MS);
    console.log(`  counted ${counts().join(', ')}; its model was ${Math.round(resumed!.snapshotAgeMs!)} ms old`);
    // Now and then it takes one for two; a model that remembers nothing counts nothing, or begins with one.
    expect(['three', 'four']).toContain(counts()[2]);
  } finally {
    await edge.stop();
  }
});
