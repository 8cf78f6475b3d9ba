// Loaded into an edge with `--import`: on SIGUSR2 the thread that END_THREAD names ends, as if it had crashed.
import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';

const living = new Map();
threads.Worker = class extends threads.Worker {
  constructor(url, options) {
    super(url, options);
    living.set(options?.name, { thread: this, gate: options?.workerData?.gate });
  }
};
syncBuiltinESMExports();
process.on('SIGUSR2', () => {
  const { thread, gate } = living.get(process.env.END_THREAD) ?? {};
  // Inside ONNX Runtime it would take the process with it: see NativeGate. It ends itself when it comes out.
  const inside = gate && (Atomics.or(new Int32Array(gate), 0, 2) & 1) !== 0;
  if (!inside) thread?.terminate();
});
