import { parentPort } from 'node:worker_threads';
import { MicroturnError } from '@microturn/protocol';
import { monotonicClock } from '../clock.js';
import { yieldThread } from '../thread-priority.js';
import { AnswerOutbox } from './answer-outbox.js';
import { askHere } from './ask-model.js';
import type { ModelReport, ModelRequest } from './messages.js';

// The models' thread: started by ModelHost, and where answers of language models are read.

const main = parentPort;
if (!main) throw new Error('model-thread is the entry of a worker thread, and is started by ModelHost');
yieldThread();
const post = (report: ModelReport) => main.postMessage(report);
const after = (ms: number, fn: () => void) => {
  const timer = setTimeout(fn, ms);
  return () => clearTimeout(timer);
};
const askModel = askHere({ clock: monotonicClock, after });
const outbox = new AnswerOutbox({ clock: monotonicClock, after, post });
const running = new Map<number, AbortController>();

main.on('message', (request: ModelRequest) => {
  switch (request.type) {
    case 'ask':
      void answer(request);
      return;
    case 'cancel':
      running.get(request.id)?.abort();
      running.delete(request.id);
      outbox.drop(request.id);
      return;
    case 'read':
      outbox.onRead();
      return;
    case 'ping':
      post({ type: 'pong' });
      return;
    default:
      request satisfies never;
  }
});
post({ type: 'ready' });

async function answer({ id, spec, ask }: ModelRequest & { type: 'ask' }): Promise<void> {
  const abort = new AbortController();
  running.set(id, abort);
  try {
    for await (const part of askModel(spec, ask, abort.signal)) {
      if (abort.signal.aborted) return;
      outbox.push(id, part);
    }
  } catch (cause) {
    if (abort.signal.aborted) return;
    outbox.push(id, { type: 'failed', error: MicroturnError.from(cause, 'edge/internal').toWire() });
  } finally {
    running.delete(id);
  }
}
