import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { EchoCalls } from '../test/support/echo-call.js';
import { root } from '../test/support/root.js';
import type { Benchmark, Figure } from './lib/benchmark.js';
import { round } from './lib/stats.js';

const LEVELS_DB = [-10, -20, -30];
const DELAYS_MS = [60, 120, 250];

/**
 * What: how often the agent's own voice, back in the microphone of a client that cancels no echo, makes the model stop it; how
 * often the user's "wait, stop" over that echo does.
 * How: ten sentences of the agent per level and delay, in virtual time: the voice, Opus both ways, the media path with a
 * listener's reports, and the model are the real ones, the loudspeaker and the room are a gain, a delay and noise at -65 dBFS.
 * Against: every response stopped, which is what the bootstrap does.
 */
export const selfInterruption: Benchmark = {
  name: 'self-interruption',
  about: 'self-interruptions by the agent’s own echo, by bundle and level',
  async run({ quick, note }) {
    const nano = join(root, 'models/nano');
    const folders = readdirSync(nano, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && readdirSync(join(nano, entry.name)).includes('bundle.json'))
      .map(({ name }) => name);
    const figures: Figure[] = [];
    for (const folder of folders) {
      await using calls = await EchoCalls.open(join(nano, folder));
      const ref = calls.takesRef ? 'takes ref' : 'no ref';
      for (const levelDb of LEVELS_DB) {
        note(`${calls.name} at ${levelDb} dB`);
        const sentences = quick ? 2 : 10;
        const self: Record<string, string> = {};
        const user: Record<string, string> = {};
        let stopped = 0;
        let words = 0;
        let responses = 0;
        for (const delayMs of DELAYS_MS) {
          const alone = await calls.run({ echo: { levelDb, delayMs }, sentences });
          stopped += alone.stopped;
          words += alone.words;
          responses += alone.responses;
          self[`${delayMs} ms`] = `${alone.stopped} of ${alone.responses}`;
          if (!calls.takesRef) continue;
          const over = await calls.run({ echo: { levelDb, delayMs }, remarks: true, sentences: quick ? 2 : 5 });
          user[`${delayMs} ms`] = `${over.stopped} of ${over.responses}`;
        }
        figures.push({
          name: `self-interruptions, ${calls.name} (${ref}), ${levelDb} dB`,
          value: round(stopped / responses),
          unit: 'share',
          baseline: { name: 'every response', value: 1 },
          ...(calls.takesRef && levelDb <= -20 && { budget: 0 }),
          conditions: { n: responses, byDelay: self, wordsTakenForTheUsers: words, stoppedByTheUser: user },
        });
      }
    }
    return figures;
  },
};
