import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 15_000;

/** @throws {Error} that names what did not come */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${PATIENCE_MS} ms for ${what}`);
    await sleep(20);
  }
}
