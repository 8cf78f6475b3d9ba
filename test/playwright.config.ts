import { defineConfig } from '@playwright/test';

// Real edges, real browsers and real time: two files at a time, since a call mostly waits and two cores carry two. The JSON report goes
// where PLAYWRIGHT_JSON_OUTPUT_NAME says, for whoever passes `--reporter=list,json`.
export default defineConfig({
  testDir: './e2e',
  outputDir: '../.microturn/test/e2e-output',
  workers: 2,
  fullyParallel: false,
  retries: 0,
  forbidOnly: process.env['CI'] !== undefined,
  timeout: 120_000,
  // A page that is late on a busy machine is no fault; one that never comes is found out later.
  expect: { timeout: 20_000 },
  reporter: 'list',
});
