import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureAptPackages } from './apt.mjs';
import { root } from './root.mjs';
import { CommandError, run } from './run.mjs';
import { SetupError } from './setup-error.mjs';

const USUAL_PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/**
 * The ways to a Chromium, best first. `find…` look, `install…` change the machine and may fail.
 * @typedef {object} ChromiumSources
 * @property {() => Promise<string | undefined>} findInEnvironment
 * @property {() => Promise<string | undefined>} findInSystem
 * @property {() => Promise<string | undefined>} findPlaywrights
 * @property {() => Promise<void>} installFromSystem
 * @property {() => Promise<void>} installPlaywrights
 */

/**
 * @param {ChromiumSources} sources
 * @returns {Promise<string>} absolute path of a Chromium that runs on this machine
 * @throws {SetupError} if there is none and none can be installed
 */
export async function resolveChromium(sources) {
  const find = async () =>
    (await sources.findInEnvironment()) ?? (await sources.findInSystem()) ?? (await sources.findPlaywrights());
  const failures = [];
  const present = await find();
  if (present) return present;
  for (const install of [sources.installFromSystem, sources.installPlaywrights]) {
    try {
      await install();
    } catch (error) {
      if (!(error instanceof SetupError || error instanceof CommandError)) throw error;
      failures.push(error);
    }
    const installed = await find();
    if (installed) return installed;
  }
  throw new SetupError(
    `no Chromium, and none could be installed\n${failures.map((error) => error.message).join('\n')}`,
    `${failures.find((error) => error.fix)?.fix ?? 'npx playwright install --with-deps chromium'}\n` +
      'or point MICROTURN_CHROMIUM at a Chromium or Chrome',
  );
}

/**
 * Provides the browser for the end-to-end tests.
 * @param {import('./report.mjs').Report} report
 * @returns {Promise<string>} absolute path
 */
export function ensureChromium(report) {
  return resolveChromium({
    async findInEnvironment() {
      const path = process.env.MICROTURN_CHROMIUM;
      if (!path) return undefined;
      if (await chromiumRuns(path)) return path;
      report.line(`• MICROTURN_CHROMIUM is set to ${path}, which does not run here; looking further`);
      return undefined;
    },
    async findInSystem() {
      for (const path of USUAL_PLACES) if (await chromiumRuns(path)) return path;
      return undefined;
    },
    async findPlaywrights() {
      const { chromium } = createRequire(join(root, 'package.json'))('playwright');
      const path = chromium.executablePath();
      return (await chromiumRuns(path)) ? path : undefined;
    },
    installFromSystem: () => ensureAptPackages(['chromium'], { purpose: 'testing in a browser', report }),
    installPlaywrights: () =>
      report.during('playwright: installing its Chromium', (progress) =>
        run(join(root, 'node_modules/.bin/playwright'), ['install', 'chromium'], { cwd: root, onLine: progress }),
      ),
  });
}

/** Ubuntu has a /usr/bin/chromium-browser that only says where to get one, so it is asked for its version. */
async function chromiumRuns(path) {
  if (!existsSync(path)) return false;
  const version = await run(path, ['--version']).catch(() => '');
  return /\d+\.\d+/.test(version);
}
