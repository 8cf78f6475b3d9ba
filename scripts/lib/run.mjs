import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { exitCodeOf, onStopSignal, stopSignal } from './signals.mjs';

const TAIL_LINES = 200;
const KILL_AFTER_MS = 10_000;

/** A command that did not end with 0. */
export class CommandError extends Error {
  name = 'CommandError';

  /**
   * @param {string} command as one would type it
   * @param {string} outcome "exit code 2", "SIGKILL", "could not be started"
   * @param {string[]} tail the last lines of its output, 200 at most
   */
  constructor(command, outcome, tail) {
    super(`\`${command}\`: ${outcome}`);
    this.tail = tail;
  }

  /** What a person wants to see of it. */
  get lastWords() {
    return this.tail.slice(-30).join('\n');
  }
}

/** The user asked this process to end; there is nothing to explain. */
export class Interrupted extends Error {
  name = 'Interrupted';
}

/**
 * Runs a command to its end and keeps its output out of the way: it goes to a log, and its last lines into the error.
 * @param {string} command
 * @param {string[]} args
 * @param {object} [options]
 * @param {string} [options.cwd]
 * @param {NodeJS.ProcessEnv} [options.env] replaces the environment
 * @param {string} [options.log] path of a file to append the output to
 * @param {(line: string) => void} [options.onLine] called for each line of output, e.g. a report's progress
 * @returns {Promise<string>} stdout
 * @throws {CommandError} if it cannot be started or fails
 * @throws {Interrupted} if a signal ended this process's work
 */
export async function run(command, args, { cwd, env = process.env, log, onLine } = {}) {
  if (stopSignal()) throw new Interrupted();
  const typed = [command, ...args].join(' ');
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const stopListening = onStopSignal((signal) => child.kill(signal));
  const logFile = log ? createWriteStream(log, { flags: 'a' }) : undefined;
  logFile?.write(`$ ${typed}\n`);

  const tail = [];
  let stdout = '';
  const follow = (stream) => {
    let rest = '';
    const take = (line) => {
      if (line.trim() === '') return;
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      onLine?.(line);
    };
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      logFile?.write(text);
      const lines = (rest + text).split(/[\r\n]+/);
      rest = lines.pop() ?? '';
      lines.forEach(take);
    });
    stream.on('end', () => take(rest));
  };
  child.stdout.on('data', (text) => (stdout += text));
  follow(child.stdout);
  follow(child.stderr);

  const outcome = await new Promise((resolve) => {
    child.on('error', (error) => resolve(`could not be started (${error.code ?? error.message})`));
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  stopListening();
  if (logFile) {
    logFile.end();
    await finished(logFile);
  }
  if (stopSignal()) throw new Interrupted();
  if (outcome) throw new CommandError(typed, outcome, tail);
  return stdout;
}

/**
 * Runs a command in our place: it has the terminal, our signals reach it, and what it returns is ours to return.
 * @param {string} command
 * @param {string[]} args
 * @param {object} [options]
 * @param {string} [options.cwd]
 * @param {NodeJS.ProcessEnv} [options.env] replaces the environment
 * @param {import('node:child_process').StdioOptions} [options.stdio]
 * @param {number} [options.timeoutMs] it is ended after this time
 * @returns {Promise<number>} its exit code; 128 + n if signal n ended it, 127 if it could not be started, 124 if it ran out of time
 */
export async function runInPlace(command, args, { cwd, env = process.env, stdio = 'inherit', timeoutMs } = {}) {
  if (stopSignal()) throw new Interrupted();
  const child = spawn(command, args, { cwd, env, stdio });
  // A terminal sends Ctrl-C to the child as well; a second one would read as "leave at once".
  const terminalTellsChild = (signal) => signal === 'SIGINT' && process.stdin.isTTY;
  const stopListening = onStopSignal((signal) => void (terminalTellsChild(signal) || child.kill(signal)));
  let timedOut = false;
  let killTimer;
  const timer =
    timeoutMs &&
    setTimeout(() => {
      timedOut = true;
      child.kill('SIGTERM');
      killTimer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    }, timeoutMs);
  const exitCode = await new Promise((resolve) => {
    child.on('error', () => resolve(127));
    child.on('exit', (code, signal) => resolve(code ?? exitCodeOf(signal)));
  });
  clearTimeout(timer);
  clearTimeout(killTimer);
  stopListening();
  return timedOut ? 124 : exitCode;
}
