import { JsonReporter } from 'vitest/node';

const OVER = new Set(['passed', 'failed', 'skipped']);

/** Of the processes that tests run in, and not of what runs in them. */
const OF_A_PROCESS = '[vitest-pool';

/**
 * Vitest's json report, and what that leaves out: `unhandled`, a line for each error outside of any test; `died`, one for each process
 * that did, or never began; and `unfinished`, the files that it was about.
 */
export default class extends JsonReporter {
  #files = [];
  #more = {};

  constructor(options = {}) {
    super(options);
  }

  onTestRunStart(specifications) {
    this.#files = specifications.map(({ moduleId }) => moduleId);
  }

  async onTestRunEnd(modules, errors) {
    const finished = new Set(modules.filter((module) => OVER.has(module.state())).map(({ moduleId }) => moduleId));
    this.#more = {
      unhandled: errors.filter((error) => !isOfProcess(error)).map(lineOf),
      died: errors.filter(isOfProcess).map(lineOf),
      unfinished: this.#files.filter((file) => !finished.has(file)),
    };
    await super.onTestRunEnd(modules);
  }

  writeReport(report) {
    return super.writeReport(JSON.stringify({ ...JSON.parse(report), ...this.#more }));
  }
}

const isOfProcess = ({ message }) => message.startsWith(OF_A_PROCESS);

function lineOf({ message, cause, VITEST_TEST_NAME: test, VITEST_TEST_PATH: file }) {
  return [file, test, message, cause?.message].filter(Boolean).join(' › ');
}
