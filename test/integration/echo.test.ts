import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EchoCalls } from '../support/echo-call.js';
import { root } from '../support/root.js';

const SENTENCES = 5;
const nano = join(root, 'models/nano');
const folders = readdirSync(nano, { recursive: true, encoding: 'utf8' })
  .filter((path) => /^[^/]+\/bundle\.json$/.test(path))
  .map((path) => path.replace(/\/bundle\.json$/, ''));

/** Without a canceller in the client: what a bundle that is told of the far end has to bear. bench/self-interruption.ts has the others. */
describe.each(folders)('fault 44, the agent’s own voice in the microphone: models/nano/%s', (folder) => {
  let calls: EchoCalls;
  beforeAll(async () => {
    calls = await EchoCalls.open(join(nano, folder));
  });
  afterAll(() => calls[Symbol.asyncDispose]());

  it.for([
    { levelDb: -20, delayMs: 60, most: 0 },
    { levelDb: -20, delayMs: 120, most: 0 },
    // The first late echo of a call takes Nano by surprise: 0.7.0 at -20 dB, 0.8.0 at -30 dB too.
    { levelDb: -30, delayMs: 250, most: 1 },
  ])(
    'stops an agent that takes `ref` at most $most times, at $levelDb dB and $delayMs ms',
    async ({ most, ...echo }, { skip }) => {
      if (!calls.takesRef) skip('this bundle is not told of the far end');
      const { responses, stopped } = await calls.run({ echo, sentences: SENTENCES });
      expect(responses).toBe(SENTENCES);
      expect(stopped).toBeLessThanOrEqual(most);
    },
  );

  it('does not keep the user from stopping it, at -20 dB and 120 ms', async ({ skip }) => {
    if (!calls.takesRef) skip('this bundle is not told of the far end');
    const echo = { levelDb: -20, delayMs: 120 };
    const { stopped } = await calls.run({ echo, remarks: true, sentences: SENTENCES });
    expect(stopped).toBeGreaterThanOrEqual(SENTENCES - 1);
  });
});

it('is tried with a bundle that takes `ref`', async () => {
  const takers = await Promise.all(
    folders.map(async (folder) => {
      await using calls = await EchoCalls.open(join(nano, folder));
      return calls.takesRef;
    }),
  );
  expect(takers).toContain(true);
});
