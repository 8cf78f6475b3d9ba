// Loaded into an edge with `--import`: on SIGUSR2 the thread that END_THREAD names ends, as if it had crashed.
import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';

const living = new Map();
threads.Worker = class extends threads.Worker {
  constructor(url, options) {
    super(url, options);
    living.set(options?.name, this);
  }
};
syncBuiltinESMExports();
process.on('SIGUSR2', () => living.get(process.env.END_THREAD)?.terminate());
