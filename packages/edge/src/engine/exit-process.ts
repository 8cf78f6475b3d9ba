import { closeGates, threadsInside } from './start-thread.js';

/** How long a step, or the load of a model, may take to come to its end. */
const OUT_MS = 2000;
const LOOK_MS = 10;

/**
 * Ends the process once no engine thread is inside ONNX Runtime: `process.exit` ends and joins all threads, and such a one aborts the
 * process then, or holds it up for good. A step that does not come to its end is no reason to stay, so the process is killed after 2 s, and at
 * once where it is asked to end twice.
 */
export function exitProcess(code: number): void {
  if (leaving) kill(code);
  leaving = true;
  closeGates();
  if (threadsInside() === 0) process.exit(code);
  setTimeout(() => kill(code), OUT_MS);
  setInterval(() => {
    if (threadsInside() === 0) process.exit(code);
  }, LOOK_MS);
}

let leaving = false;

function kill(code: number): void {
  process.kill(process.pid, 'SIGKILL');
  // The first process of a container is not killed by itself.
  process.exit(code);
}
