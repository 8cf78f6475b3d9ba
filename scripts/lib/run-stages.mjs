import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { countCheck, none, sum } from './count.mjs';
import { formatDuration } from './report.mjs';
import { root } from './root.mjs';
import { Interrupted, runInPlace } from './run.mjs';
import { stopSignal } from './signals.mjs';
import { resultsDir } from './stages.mjs';

const DEFAULT_TIMEOUT_MS = 600_000;
const BACKGROUND_LINES = 15;
const FAILED_LINES = 100;
const CODES = { 124: 'ran out of time', 127: 'could not be started' };

/**
 * @typedef {object} StageResult
 * @property {string} id
 * @property {import('./count.mjs').Counts} counts
 * @property {number} ms
 * @property {string[]} notes one line for each thing that went wrong, if only once
 */

/**
 * Runs the stages in order and those of each lane beside them. A stage that fails stops no other.
 * @param {import('./stages.mjs').Stage[]} stages
 * @param {object} options
 * @param {NodeJS.ProcessEnv} options.env for the checks
 * @param {Map<string, string>} options.missing needs that the machine does not meet, and why
 * @param {import('./report.mjs').Report} options.report
 * @returns {Promise<StageResult[]>} in the order of `stages`, less those that do not apply here
 */
export async function runStages(stages, { env, missing, report }) {
  await mkdir(resultsDir, { recursive: true });
  const present = stages.filter(({ onlyWith }) => !onlyWith || existsSync(join(root, onlyWith)));
  const results = new Map();
  const runOne = async (stage) => {
    const lacking = (stage.needs ?? []).filter((need) => missing.has(need));
    const result =
      lacking.length > 0
        ? { counts: { ...none, failed: 1 }, ms: 0, notes: lacking.map((need) => missing.get(need)) }
        : await runStage(stage, env, report);
    results.set(stage.id, { id: stage.id, ...result });
  };

  const inBackground = present.filter(({ lane }) => lane);
  const lanes = new Map();
  const running = inBackground.map((stage) => {
    report.line(`• ${stage.id} runs in the background, its output goes to ${relative(root, logOf(stage))}`);
    const turn = (lanes.get(stage.lane) ?? Promise.resolve()).then(() => {
      if (!stopSignal()) return runOne(stage);
    });
    lanes.set(stage.lane, turn);
    return turn;
  });
  // Whatever happens in the foreground, it is awaited below.
  for (const stage of running) stage.catch(() => {});

  for (const stage of present.filter(({ lane }) => !lane)) {
    report.line(`\n── ${stage.id} ──`);
    await runOne(stage);
    if (stopSignal()) throw new Interrupted();
    report.line(`── ${stage.id}: ${formatDuration(results.get(stage.id).ms)}`);
  }

  for (const [index, stage] of inBackground.entries()) {
    report.line('');
    await report.during(`waiting for ${stage.id}`, () => running[index]);
    if (stopSignal()) throw new Interrupted();
    const output = await readFile(logOf(stage), 'utf8').catch(() => '');
    const shown = results.get(stage.id).counts.failed > 0 ? FAILED_LINES : BACKGROUND_LINES;
    report.line(output.trimEnd().split('\n').slice(-shown).join('\n'));
  }
  return present.map(({ id }) => results.get(id));
}

const logOf = ({ id }) => join(resultsDir, `${id}.log`);

async function runStage(stage, env, report) {
  const startedAt = Date.now();
  const output = stage.lane ? await open(logOf(stage), 'w') : undefined;
  const counted = [];
  const notes = [];
  for (const check of stage.checks) {
    if (stage.checks.length > 1) await (output ? output.write(`· ${check.title}\n`) : report.line(`· ${check.title}`));
    const runOnce = async (...more) => {
      if (check.results) await rm(check.results.file, { force: true });
      const [command, ...args] = check.command;
      const exitCode = await runInPlace(command, [...args, ...more], {
        cwd: root,
        env: { ...env, ...check.env },
        stdio: output ? ['ignore', output.fd, output.fd] : ['ignore', 'inherit', 'inherit'],
        timeoutMs: stage.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      });
      return { exitCode, ...(await readResults(check)) };
    };
    const attempts = [await runOnce()];
    const { files, why } = attempts[0].unfinished;
    if (files.length > 0 && !stopSignal()) {
      notes.push(...files.map((file) => `${file} › had to run again › ${why.join('; ')}`));
      attempts.push(await runOnce(...files));
    }
    const outcome = together(attempts);
    counted.push(
      countCheck({ exitCode: outcome.exitCode, reports: check.results !== undefined, counts: outcome.counts }),
    );
    if (outcome.exitCode !== 0) {
      notes.push(`${check.title}: ${CODES[outcome.exitCode] ?? `exit code ${outcome.exitCode}`}`);
    }
    notes.push(...outcome.failures);
  }
  await output?.close();
  return { counts: sum(counted), ms: Date.now() - startedAt, notes };
}

/** A check that crashed has written nothing, or half of it. */
async function readResults({ results }) {
  const nothing = { failures: [], unfinished: { files: [], why: [] } };
  if (!results) return nothing;
  try {
    const json = JSON.parse(await readFile(results.file, 'utf8'));
    const unfinished = results.unfinished?.(json) ?? nothing.unfinished;
    return { counts: results.count(json), failures: namesOf(results, json), unfinished };
  } catch {
    return nothing;
  }
}

/** What a check came to whose second attempt is about what the first one left. */
function together([first, second]) {
  if (!second) return first;
  const failures = [...first.failures, ...second.failures];
  // The exit code of the first is that of what had to run again, unless there is more to it.
  const exitCode = second.exitCode || (first.failures.length > 0 ? first.exitCode : 0);
  return { exitCode, counts: second.counts && sum([first.counts, second.counts]), failures };
}

/** What cannot be named is counted all the same. */
function namesOf({ failures }, json) {
  try {
    return failures(json);
  } catch (error) {
    return [`the tests that failed could not be named: ${error.message}`];
  }
}

/**
 * @param {StageResult[]} results
 * @returns {string} one row for each stage, and what went wrong in it
 */
export function summarize(results) {
  const rows = results.map(({ id, counts, ms }) => [
    counts.failed > 0 ? '✗' : '✓',
    id,
    ...[counts.passed, counts.failed, counts.skipped].map(String),
    formatDuration(ms),
  ]);
  const table = [['', 'stage', 'passed', 'failed', 'skipped', 'time'], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  const lines = table.map((row, index) => {
    const cells = row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])));
    const notes = (results[index - 1]?.notes ?? []).map((note) => `\n    ${note}`);
    return cells.join('  ') + notes.join('');
  });
  return lines.join('\n');
}
