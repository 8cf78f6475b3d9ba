import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

/** Of test/integration, those in which no edge runs: virtual time, as in any other test of one process. */
const withoutEdge = ['echo', 'late-drafts', 'response-gap', 'typed-instructions', 'waits'];
/**
 * Those whose edges mostly wait: for a start, an answer, a refusal. None of them measures how punctual an edge is, and what
 * they bound in time has seconds to spare. Each has its own edges, on ports that the system chose, and its own folders.
 */
const mostlyWaiting = [
  'any-llm',
  'bundle',
  'create-edge',
  'doctor',
  'http',
  'https',
  'log',
  'log-blocked',
  'sdk-resume',
  'server-api',
  'sessions',
  'start',
  'tokens',
];
const integration = (names: readonly string[]) => `test/integration/**/{${names.join(',')}}.test.ts`;

// Projects whose numbers of workers differ have to be different groups, and groups run one after the other.
export default defineConfig({
  test: {
    // Real models and real voices run in some of these; the machines are small.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Threads, processes and sockets answer when a busy machine lets them.
    expect: { poll: { timeout: 20_000 } },
    setupFiles: [fileURLToPath(new URL('test/support/patience.ts', import.meta.url))],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{packages,examples}/*/src/**/*.test.{ts,tsx}', 'scripts/**/*.test.mjs', 'test/**/*.test.ts'],
          exclude: [
            ...configDefaults.exclude,
            `test/integration/**/!(${withoutEdge.map((name) => `${name}.test`).join('|')}).ts`,
          ],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        // A group of their own: beside a model that takes a core an edge would be late.
        test: {
          name: 'waiting',
          include: [integration(mostlyWaiting)],
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        // Whole edges with their clocks: one at a time, and none beside another's work. So is every file that is not named above.
        test: {
          name: 'system',
          include: ['test/integration/**/*.test.ts'],
          exclude: [...configDefaults.exclude, integration([...withoutEdge, ...mostlyWaiting])],
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
