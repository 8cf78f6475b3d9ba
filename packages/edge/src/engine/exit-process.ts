import { engineThreads, refuseCalls } from './start-thread.js';

/** How long a step, or the load of a model, may take to come to its end. */
const OUT_MS = 2000;
const LOOK_MS = 10;

let leaving = false;

/**
 * Ends the process once no engine thread is inside ONNX Runtime: `process.exit` ends and joins all threads, and one that is inside aborts
 * the process then, or holds it up for good. A step that does not come to its end is no reason to stay, so the process is killed after
 * 2 s. Called again, it changes nothing.
 */
export function exitProcess(code: number): void {
  if (leaving) return;
  leaving = true;
  refuseCalls();
  if (engineThreads().inside === 0) process.exit(code);
  setTimeout(() => {
    process.kill(process.pid, 'SIGKILL');
    // The first process of a container is not killed by itself.
    process.abort();
  }, OUT_MS);
  setInterval(() => {
    if (engineThreads().inside === 0) process.exit(code);
  }, LOOK_MS);
}
