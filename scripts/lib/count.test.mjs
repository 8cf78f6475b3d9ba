import { expect, test } from 'vitest';
import {
  countCheck,
  countPlaywright,
  countVitest,
  failuresPlaywright,
  failuresVitest,
  none,
  sum,
  verdict,
} from './count.mjs';

test('a check without results is one test, by its exit code', () => {
  expect(countCheck({ exitCode: 0, reports: false })).toEqual({ passed: 1, failed: 0, skipped: 0 });
  expect(countCheck({ exitCode: 2, reports: false })).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test('a check that should have written results and did not is one failure, whatever its exit code', () => {
  expect(countCheck({ exitCode: 0, reports: true })).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(countCheck({ exitCode: 1, reports: true })).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test('a failure outside of the tests is counted once', () => {
  const counts = { passed: 3, failed: 0, skipped: 1 };
  expect(countCheck({ exitCode: 1, reports: true, counts })).toEqual({ ...counts, failed: 1 });
  expect(countCheck({ exitCode: 1, reports: true, counts: { ...counts, failed: 2 } })).toEqual({
    ...counts,
    failed: 2,
  });
});

test('a vitest file that could not be imported is a failure, and one that has to run again is not counted yet', () => {
  const tests = (...statuses) => statuses.map((status) => ({ status }));
  const json = {
    unfinished: ['c.test.ts'],
    testResults: [
      { name: 'a.test.ts', status: 'passed', assertionResults: tests('passed', 'passed', 'skipped', 'todo') },
      { name: 'b.test.ts', status: 'failed', assertionResults: tests('failed', 'passed') },
      { name: 'c.test.ts', status: 'passed', assertionResults: tests('passed', 'pending', 'pending') },
      { name: 'd.test.ts', status: 'failed', assertionResults: [] },
    ],
  };
  expect(countVitest(json)).toEqual({ passed: 3, failed: 2, skipped: 2 });
});

test('a Playwright test that passed in a second try has passed', () => {
  const stats = { expected: 5, flaky: 1, unexpected: 2, skipped: 3 };
  expect(countPlaywright({ stats })).toEqual({ passed: 6, failed: 2, skipped: 3 });
});

test('each test that failed, if only once, is told with its file and why, so that the end of a long output says it', () => {
  const vitest = {
    testResults: [
      { name: 'a.test.ts', status: 'passed', assertionResults: [{ status: 'passed', fullName: 'fine' }] },
      {
        name: 'b.test.ts',
        status: 'failed',
        assertionResults: [
          { status: 'passed', fullName: 'fine' },
          {
            status: 'failed',
            fullName: 'a call ends',
            failureMessages: ['Error: \u001b[31m2\u001b[39m is not 3\n    at x'],
          },
        ],
      },
      { name: 'c.test.ts', status: 'failed', message: 'cannot be imported\nat y', assertionResults: [] },
    ],
    unhandled: ['d.test.ts › a call goes on › nobody waited for it'],
  };
  expect(failuresVitest(vitest)).toEqual([
    'b.test.ts › a call ends › Error: 2 is not 3',
    'c.test.ts › cannot be imported',
    'd.test.ts › a call goes on › nobody waited for it',
  ]);

  const late = { status: 'failed', error: { message: 'Error: too late\n  at z' } };
  const passed = { status: 'passed' };
  const playwright = {
    suites: [
      {
        specs: [
          { ok: true, file: 'd.spec.ts', title: 'fine', tests: [{ results: [passed] }] },
          { ok: true, file: 'd.spec.ts', title: 'is not here', tests: [{ results: [{ status: 'skipped' }] }] },
          { ok: true, file: 'd.spec.ts', title: 'stops', tests: [{ results: [late, passed] }] },
        ],
        suites: [
          { specs: [{ ok: false, file: 'd.spec.ts', title: 'speaks', tests: [{ results: [late, late] }] }] },
          { specs: [{ ok: false, file: 'd.spec.ts', title: 'hears', tests: [{ results: [] }] }] },
        ],
      },
    ],
  };
  expect(failuresPlaywright(playwright)).toEqual([
    'd.spec.ts › passed at the second attempt: stops › Error: too late',
    'd.spec.ts › speaks › Error: too late',
    'd.spec.ts › hears',
  ]);
});

test('the verdict has the same shape whatever was skipped', () => {
  expect(verdict({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
  expect(verdict({ passed: 12, failed: 1, skipped: 2 })).toBe('12 passed, 1 failed');
});

test('a sum of nothing is nothing', () => {
  expect(sum([])).toEqual(none);
});
