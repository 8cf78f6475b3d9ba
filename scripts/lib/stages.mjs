import { join } from 'node:path';
import { countPlaywright, countVitest, failuresPlaywright, failuresVitest, unfinishedVitest } from './count.mjs';
import { root } from './root.mjs';
import { turbo, turboEnv } from './turbo.mjs';

/** Where tests leave their results and logs; git ignores it. */
export const resultsDir = join(root, '.microturn/test');

const bin = (name) => join(root, 'node_modules/.bin', name);
const MINUTE_MS = 60_000;

/**
 * @typedef {object} Check one command. Its exit code is one test, unless it writes results to count.
 * @property {string} title
 * @property {string[]} command
 * @property {Record<string, string>} [env]
 * @property {Results} [results]
 */

/**
 * @typedef {object} Results what a check writes into `file`
 * @property {string} file
 * @property {(json: any) => import('./count.mjs').Counts} count
 * @property {(json: any) => string[]} failures
 * @property {(json: any) => { files: string[], why: string[] }} [unfinished] what it runs again, once, with those files as arguments
 */

/**
 * @typedef {object} Stage
 * @property {string} id for `--only`
 * @property {Check[]} checks run one after the other, all of them
 * @property {('chromium' | 'speech')[]} [needs] what must be on the machine
 * @property {string} [onlyWith] left out where this file does not exist
 * @property {string} [lane] runs beside all that have none, after those of its own lane; its output goes to a file
 * @property {number} [timeoutMs] of each check; ten minutes unless given
 */

export const published = [
  { folder: 'packages/protocol', types: [] },
  { folder: 'packages/sdk-js', types: [] },
  { folder: 'packages/react-hooks', types: [] },
  // A server has no `require` callers to serve.
  { folder: 'packages/edge', types: ['--profile', 'esm-only'] },
];

const unitResults = join(resultsDir, 'unit.json');
const e2eResults = join(resultsDir, 'e2e.json');

/** @type {Stage[]} in the order in which they run */
export const stages = [
  {
    id: 'lint',
    checks: [{ title: 'oxlint', command: [bin('oxlint'), '--deny-warnings', '.'] }],
  },
  {
    id: 'dependencies',
    checks: [
      {
        title: 'dependency-cruiser',
        command: [bin('depcruise'), '--config', '.dependency-cruiser.cjs', 'packages', 'examples', 'test', 'bench'],
      },
    ],
  },
  {
    id: 'types',
    checks: [
      {
        title: 'typecheck',
        // Not the builds before it: they are done, and turbo would rewrite `dist` while the soak test runs on it.
        // Without them its cache does not see a change in a dependency, so it is not used.
        command: [turbo, 'run', 'typecheck', '--only', '--force', '--output-logs=errors-only', '--log-order=grouped'],
        env: turboEnv,
      },
    ],
  },
  {
    id: 'packages',
    checks: [
      ...published.flatMap(({ folder, types }) => [
        { title: `publint ${folder}`, command: [bin('publint'), folder, '--strict'] },
        { title: `attw ${folder}`, command: [bin('attw'), '--pack', folder, ...types] },
      ]),
      {
        title: 'the published types in a fresh app',
        command: [bin('tsc'), '-p', 'scripts/fresh-app/tsconfig.json'],
      },
      { title: 'size of @microturn/sdk', command: [process.execPath, 'scripts/size.mjs'] },
    ],
  },
  {
    id: 'unit',
    needs: ['speech'],
    timeoutMs: 20 * MINUTE_MS,
    checks: [
      {
        title: 'vitest',
        command: [
          ...[bin('vitest'), 'run', '--reporter=default', '--reporter=./scripts/lib/vitest-report.mjs'],
          `--outputFile.json=${unitResults}`,
        ],
        results: { file: unitResults, count: countVitest, failures: failuresVitest, unfinished: unfinishedVitest },
      },
    ],
  },
  {
    id: 'e2e',
    needs: ['chromium', 'speech'],
    timeoutMs: 30 * MINUTE_MS,
    checks: [
      {
        title: 'playwright',
        command: [
          ...[bin('playwright'), 'test', '-c', 'test/playwright.config.ts'],
          // Real time on a machine that may be anybody's. What passes only then is named at the end.
          '--retries=1',
          '--reporter=list,json,./test/support/page-at-failure.ts',
        ],
        env: { PLAYWRIGHT_JSON_OUTPUT_NAME: e2eResults },
        results: { file: e2eResults, count: countPlaywright, failures: failuresPlaywright },
      },
    ],
  },
  {
    id: 'fuzz',
    lane: 'fuzz',
    onlyWith: 'test/fuzz/main.mjs',
    // A minute of CPU time at low priority, and at most five minutes beside everything else.
    checks: [{ title: 'parsers', command: [process.execPath, 'test/fuzz/main.mjs'] }],
  },
  {
    id: 'soak',
    lane: 'soak',
    needs: ['chromium', 'speech'],
    onlyWith: 'test/soak/ten-minutes.mjs',
    timeoutMs: 25 * MINUTE_MS,
    checks: [{ title: 'ten minutes', command: [process.execPath, 'test/soak/ten-minutes.mjs'] }],
  },
];
