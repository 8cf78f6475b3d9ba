import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      '{packages,examples}/*/src/**/*.test.{ts,tsx}',
      'scripts/**/*.test.mjs',
      'test/**/*.test.ts',
    ],
    // Real models and real voices run in some of these; the machines are small.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
