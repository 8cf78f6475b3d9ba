import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter';
import { readFileSync } from 'node:fs';

const PAGE = /```yaml\n(.*?)\n```/s;
const MOST_LINES = 120;

/** Prints what the page showed when a test failed: of a run on another machine nothing else is left. */
export default class PageAtFailure implements Reporter {
  onTestEnd({ title }: TestCase, { attachments }: TestResult): void {
    const { path } = attachments.find(({ name }) => name === 'error-context') ?? {};
    const page = path === undefined ? undefined : PAGE.exec(readFileSync(path, 'utf8'))?.[1];
    if (page === undefined) return;
    process.stdout.write(`  the page of “${title}” as it failed:\n${page.split('\n', MOST_LINES).join('\n')}\n`);
  }
}
