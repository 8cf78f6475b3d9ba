import { vi } from 'vitest';

/**
 * What comes is waited for as long as `expect.poll` waits (vitest.config.ts): a second, the default, is less than it takes to start a thread
 * on a machine that is busy. What does not come takes longer to be found out, and nothing else does.
 */
const PATIENCE_MS = 20_000;

const { waitFor } = vi;
vi.waitFor = (callback, options) =>
  waitFor(callback, typeof options === 'number' ? options : { timeout: PATIENCE_MS, ...options });
