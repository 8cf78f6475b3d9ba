// Loaded into every thread of an edge that is measured (`node --import`), which itself knows nothing of it. Writes one JSON
// object per line to the file BENCH_PROBE: which thread is which, and where BENCH_PROBE_PATH is set, the stations of a
// micro-turn's and of a response's way through the threads, by the one monotonic clock that all threads share.
import { openSync, readlinkSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { MessagePort, Worker, isMainThread } from 'node:worker_threads';

const file = process.env['BENCH_PROBE'];
if (file) {
  const fd = openSync(file, 'a');
  const note = (/** @type {object} */ line) => writeSync(fd, `${JSON.stringify(line)}\n`);
  note({ is: 'thread', role: role(), tid: threadId() });
  if (process.env['BENCH_PROBE_PATH']) {
    tracePath(note);
    if (isMainThread) traceMain(note);
  }
}

function role() {
  return isMainThread ? 'main' : basename(process.argv[1] ?? '').replace(/-thread\.js$/, '');
}

/** The system's number of this thread. */
function threadId() {
  return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
}

/** All threads speak by `postMessage`: what passes there is noted, and passed on as it is. */
function tracePath(/** @type {(line: object) => void} */ note) {
  const { postMessage } = MessagePort.prototype;
  /** @type {(this: MessagePort, message: any, transfer?: any) => void} */
  MessagePort.prototype.postMessage = function traced(message, transfer) {
    const line = station(message);
    if (line) note({ ...line, atMs: Number(process.hrtime.bigint()) / 1e6 });
    return postMessage.call(this, message, transfer);
  };
}

/** Where main takes what its threads post, with the decision of a micro-turn last of all. */
function traceMain(/** @type {(line: object) => void} */ note) {
  const { emit } = Worker.prototype;
  /** @type {(this: Worker, event: any, ...args: any[]) => boolean} */
  Worker.prototype.emit = function traced(event, ...args) {
    if (event === 'message' && args[0]?.type === 'decision') {
      const { lease, index } = args[0].decision;
      note({ is: 'decided', lease, index, atMs: Number(process.hrtime.bigint()) / 1e6 });
    }
    return emit.call(this, event, ...args);
  };
}

/** @param {any} message */
function station(message) {
  if (message?.pcm instanceof Float32Array && 'dueMs' in message) {
    const { lease, index, dueMs, pcm } = message;
    return { is: 'turn', lease, index, dueMs, soundEndMs: soundEndMs(pcm) };
  }
  if (message?.type === 'decision') {
    const { lease, index, say, acts, stepMs, lagMs } = message.decision;
    return { is: 'decision', lease, index, say, acts, stepMs, lagMs };
  }
  if (message?.type === 'speak') return { is: 'speak', responseId: message.responseId };
  if (message?.type === 'speech') return { is: 'speech', responseId: message.responseId };
  if (message?.event?.type === 'speech.started') return { is: 'sent', responseId: message.event.responseId };
  if (message?.method === 'speech.cut') return { is: 'cut', responseId: message.params.responseId };
  return undefined;
}

/** Where in a micro-turn the last 5 ms begin and end that are louder than -45 dBFS: their end, ms; undefined where none is. */
function soundEndMs(/** @type {Float32Array} */ pcm) {
  const frame = pcm.length / 40;
  for (let i = 39; i >= 0; i--) {
    let energy = 0;
    for (let j = i * frame; j < (i + 1) * frame; j++) energy += /** @type {number} */ (pcm[j]) ** 2;
    if (energy / frame > 10 ** (-45 / 10)) return (i + 1) * 5;
  }
  return undefined;
}
