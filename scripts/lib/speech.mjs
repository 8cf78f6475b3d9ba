import { ensureAptPackages } from './apt.mjs';
import { run } from './run.mjs';

/**
 * Provides espeak-ng, the voice of the callers in the tests.
 * @param {import('./report.mjs').Report} report
 */
export async function ensureEspeak(report) {
  const runs = await run('espeak-ng', ['--version']).then(
    () => true,
    () => false,
  );
  if (runs) return;
  await ensureAptPackages(['espeak-ng'], {
    purpose: 'speaking to the agent in tests',
    report,
    elsewhere: 'install espeak-ng, for example with `brew install espeak-ng`',
  });
}
