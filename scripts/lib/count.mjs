import { relative, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { root } from './root.mjs';

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 */

/** @type {Readonly<Counts>} */
export const none = Object.freeze({ passed: 0, failed: 0, skipped: 0 });

/**
 * @param {Counts[]} all
 * @returns {Counts}
 */
export function sum(all) {
  return all.reduce(
    (total, { passed, failed, skipped }) => ({
      passed: total.passed + passed,
      failed: total.failed + failed,
      skipped: total.skipped + skipped,
    }),
    none,
  );
}

/**
 * @param {any} json what vitest-report.mjs writes
 * @returns {Counts} without the files that have to run again
 */
export function countVitest({ testResults, unfinished }) {
  const files = testResults.filter(({ name }) => !unfinished.includes(name));
  // A file that cannot be imported fails without a test in it.
  const broken = files.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0);
  const tests = files.flatMap(({ assertionResults }) => assertionResults);
  const passed = tests.filter(({ status }) => status === 'passed').length;
  const failed = tests.filter(({ status }) => status === 'failed').length;
  return { passed, failed: failed + broken.length, skipped: tests.length - passed - failed };
}

/**
 * @param {any} json what vitest-report.mjs writes
 * @returns {string[]} the tests that failed, each with the first line of why, and errors outside of them
 */
export function failuresVitest({ testResults, unhandled }) {
  const failures = testResults
    .filter(({ status }) => status === 'failed')
    .flatMap(({ name, message, assertionResults }) => {
      const failed = assertionResults.filter(({ status }) => status === 'failed');
      if (failed.length === 0) return [failure(name, '', message)];
      return failed.map(({ fullName, failureMessages }) => failure(name, fullName, failureMessages[0]));
    });
  return [...failures, ...unhandled];
}

/**
 * @param {any} json what vitest-report.mjs writes
 * @returns {{ files: string[], why: string[] }} what has to run again, since nothing is known of it: its process died, or never began
 */
export function unfinishedVitest({ unfinished, died }) {
  return { files: unfinished.map((file) => relative(root, file)), why: died };
}

/**
 * @param {any} json what Playwright's json reporter writes
 * @returns {string[]} the tests that failed, if only the first time, each with the first line of why
 */
export function failuresPlaywright({ suites }) {
  return suites.flatMap(({ suites: inner = [], specs }) => [
    ...specs.flatMap(({ file, title, ok, tests }) => {
      const failed = tests[0]?.results.find(({ status }) => status !== 'passed' && status !== 'skipped');
      if (ok && !failed) return [];
      return [failure(file, ok ? `passed at the second attempt: ${title}` : title, failed?.error?.message)];
    }),
    ...failuresPlaywright({ suites: inner }),
  ]);
}

const LONGEST_REASON = 200;

function failure(file, title, message = '') {
  const reason = stripVTControlCharacters(message).trim().split('\n', 1)[0].slice(0, LONGEST_REASON);
  return [relative(root, resolve(root, file)), title, reason].filter(Boolean).join(' › ');
}

/**
 * @param {any} json what Playwright's json reporter writes
 * @returns {Counts}
 */
export function countPlaywright({ stats }) {
  return { passed: stats.expected + stats.flaky, failed: stats.unexpected, skipped: stats.skipped };
}

/**
 * What one check adds to the total.
 * @param {object} outcome
 * @param {number} outcome.exitCode
 * @param {boolean} outcome.reports whether it should have written results
 * @param {Counts} [outcome.counts] what it wrote
 * @returns {Counts}
 */
export function countCheck({ exitCode, reports, counts }) {
  if (!reports) return exitCode === 0 ? { ...none, passed: 1 } : { ...none, failed: 1 };
  if (!counts) return { ...none, failed: 1 };
  // It failed outside of its tests: an unhandled rejection, a server that did not start.
  if (exitCode !== 0 && counts.failed === 0) return { ...counts, failed: 1 };
  return counts;
}

/**
 * The last line of a test run, for machines too: those that were skipped stand in the table above it.
 * @param {Counts} counts
 */
export function verdict({ passed, failed }) {
  return `${passed} passed, ${failed} failed`;
}
