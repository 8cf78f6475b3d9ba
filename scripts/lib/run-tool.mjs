import { join } from 'node:path';
import { command, describe } from './command.mjs';
import { ensureChromium } from './browser.mjs';
import { prepare } from './prepare.mjs';
import { createReport } from './report.mjs';
import { root } from './root.mjs';
import { runInPlace } from './run.mjs';
import { SetupError } from './setup-error.mjs';
import { ensureEspeak } from './speech.mjs';

/**
 * Runs a script of this repository as a command of its own. Its output is all that goes to stdout, so that it can be
 * piped; the set-up talks to stderr, and only when it takes a while.
 * @param {string} script path from the root
 */
export function runTool(script) {
  const report = createReport({ stream: process.stderr, quietMs: 1_000 });
  return command(async () => {
    const env = await prepare(report);
    // Not every script needs these, so a machine that cannot have them is no reason to stop.
    await ensureEspeak(report).catch(mention);
    const chromium = await ensureChromium(report).catch(mention);
    if (chromium) env.MICROTURN_CHROMIUM = chromium;
    return runInPlace(process.execPath, [join(root, script), ...process.argv.slice(2)], { env });
  });
}

function mention(error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(describe(error));
}
