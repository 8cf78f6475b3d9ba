/** One press of Ctrl-C arrives up to three times: from the terminal, from npm, and from a parent that forwards. */
const SAME_PRESS_MS = 300;

const PARENT_CHECK_MS = 500;

const listeners = new Set();
let last = { signal: '', at: -Infinity };
let stop;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => received(signal));

// npm passes a signal on to its shell, and that ends without a word to us.
if (process.env.npm_lifecycle_event) {
  const parent = process.ppid;
  const check = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(check);
    received('SIGTERM');
  }, PARENT_CHECK_MS);
  check.unref();
}

function received(signal) {
  const at = performance.now();
  const repeated = signal === last.signal && at - last.at < SAME_PRESS_MS;
  last = { signal, at };
  if (repeated) return;
  stop ??= signal;
  // Nobody is there to end first: leave as if there were no handler.
  if (listeners.size === 0) process.exit(exitCodeOf(signal));
  for (const listener of listeners) listener(signal);
}

/** The first signal that asked this process to end, if one did. */
export const stopSignal = () => stop;

/**
 * @param {(signal: NodeJS.Signals) => void} listener called once per press, and then responsible for the process to end
 * @returns {() => void} takes the listener away
 */
export function onStopSignal(listener) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** What a shell reports for a process that a signal ended. */
export function exitCodeOf(signal) {
  return 128 + ({ SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] ?? 0);
}
