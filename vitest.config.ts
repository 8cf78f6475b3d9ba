import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Real models and real voices run in some of these; the machines are small.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{packages,examples}/*/src/**/*.test.{ts,tsx}', 'scripts/**/*.test.mjs', 'test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, 'test/integration/**'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        // Whole edges with their clocks: one at a time, and none beside another's work.
        test: {
          name: 'system',
          include: ['test/integration/**/*.test.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
