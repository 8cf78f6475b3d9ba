import { defineConfig } from '@playwright/test';

// Real edges, real browsers and real time: one test at a time, so that they do not measure each other. The JSON report goes
// where PLAYWRIGHT_JSON_OUTPUT_NAME says, for whoever passes `--reporter=list,json`.
export default defineConfig({
  testDir: './e2e',
  outputDir: '../.microturn/test/e2e-output',
  workers: 1,
  fullyParallel: false,
  retries: 0,
  forbidOnly: process.env['CI'] !== undefined,
  timeout: 120_000,
  reporter: 'list',
});
