// Loaded into a process that is measured (`--expose-gc --import …`): at SIGUSR2 it collects its garbage, and writes what is left.
import { renameSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env['BENCH_HEAP'];
let readings = 0;
if (isMainThread && file) {
  process.on('SIGUSR2', () => {
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    writeFileSync(`${file}.new`, JSON.stringify({ reading: ++readings, bytes: heapUsed + external }));
    renameSync(`${file}.new`, file);
  });
}
