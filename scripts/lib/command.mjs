import { Interrupted } from './run.mjs';
import { SetupError } from './setup-error.mjs';
import { exitCodeOf, stopSignal } from './signals.mjs';

/**
 * The frame of every command: ends with what `main` returns, and tells a person what to do when the set-up cannot go on.
 * @param {() => Promise<number>} main
 */
export async function command(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (error instanceof Interrupted) {
      process.exitCode = exitCodeOf(stopSignal());
    } else if (error instanceof SetupError) {
      console.error(describe(error));
      process.exitCode = 1;
    } else {
      throw error;
    }
  }
}

/** @param {SetupError} error */
export function describe(error) {
  const fix = error.fix ? `\n\nTo go on:\n  ${error.fix.replaceAll('\n', '\n  ')}` : '';
  return `\n✗ ${error.message}${fix}\n`;
}
