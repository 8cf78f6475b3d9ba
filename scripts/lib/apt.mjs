import { CommandError, run } from './run.mjs';
import { SetupError } from './setup-error.mjs';

/** Installed is asked of dpkg one package at a time, because one unknown name makes it fail for all. */
async function missingOf(packages) {
  const states = await Promise.all(
    packages.map(async (name) => {
      const status = await run('dpkg-query', ['-W', '-f=${Status}', name]).catch(() => '');
      return { name, installed: status.includes('ok installed') };
    }),
  );
  return states.filter(({ installed }) => !installed).map(({ name }) => name);
}

const answers = (command, args) =>
  run(command, args).then(
    () => true,
    () => false,
  );

/** @returns {Promise<string[] | undefined>} what to put before a command to be root, `undefined` if we cannot */
async function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return (await answers('sudo', ['-n', 'true'])) ? ['sudo', '-n'] : undefined;
}

/**
 * Installs Debian packages that are not there yet. Never asks for a password: who may not install gets the command to type.
 * @param {string[]} packages
 * @param {object} options
 * @param {string} options.purpose what they are for, to finish the sentence "… needs"
 * @param {import('./report.mjs').Report} options.report
 * @param {string} [options.elsewhere] what to install on a system without apt
 */
export async function ensureAptPackages(packages, { purpose, report, elsewhere }) {
  if (!(await answers('apt-get', ['--version']))) {
    throw new SetupError(
      `${purpose} needs packages that this script can install on Debian and its relatives only`,
      elsewhere ?? `install what your system calls: ${packages.join(' ')}`,
    );
  }
  const missing = await missingOf(packages);
  if (missing.length === 0) return;

  const install = ['apt-get', 'install', '--yes', '--no-install-recommends', ...missing];
  const byHand = `sudo apt-get update && sudo apt-get install --no-install-recommends ${missing.join(' ')}`;
  const prefix = await rootPrefix();
  if (!prefix) throw new SetupError(`${purpose} needs Debian packages, and only root may install them`, byHand);

  await report.during(`apt: installing ${missing.join(' ')}`, async (progress) => {
    // `env` because sudo drops the environment.
    const apt = (args) => {
      const [command, ...rest] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', ...args];
      return run(command, rest, { onLine: progress });
    };
    const lockPatience = ['-o', 'DPkg::Lock::Timeout=300'];
    try {
      // A stale mirror must not stop an install that its package lists still allow.
      await apt(['apt-get', 'update', ...lockPatience]).catch((error) => report.line(`  ${error.message}`));
      await apt([...install, ...lockPatience]);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      throw new SetupError(`${error.message}\n${error.lastWords}`, byHand, { cause: error });
    }
  });
}
