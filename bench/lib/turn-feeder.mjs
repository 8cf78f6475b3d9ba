// A worker thread that stands for the media thread: posts micro-turns of many sessions when they are due, on the 5 ms tick,
// each session's in a phase of its own, as sessions begin at any time.
import { parentPort, workerData } from 'node:worker_threads';

const TICK_MS = 5;
/** @type {{ port: import('node:worker_threads').MessagePort, leases: number[], microTurnMs: number, pcm: Float32Array[] }} */
const { port, leases, microTurnMs, pcm } = workerData;
const now = () => Number(process.hrtime.bigint()) / 1e6;

const zeroMs = now();
const rows = leases.map((lease, i) => ({ lease, zeroMs: zeroMs + (i * microTurnMs) / leases.length, next: 0 }));

const timer = setInterval(() => {
  const nowMs = now();
  for (const row of rows) {
    for (;;) {
      const dueMs = row.zeroMs + (row.next + 1) * microTurnMs;
      if (dueMs > nowMs) break;
      const samples = Float32Array.from(/** @type {Float32Array} */ (pcm[row.next % pcm.length]));
      port.postMessage({ lease: row.lease, index: row.next++, pcm: samples, lost: 0, play: 0, dueMs }, [
        samples.buffer,
      ]);
    }
  }
}, TICK_MS);

parentPort?.once('message', () => {
  clearInterval(timer);
  port.close();
});
