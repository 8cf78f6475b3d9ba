import type { MessagePort } from 'node:worker_threads';
import { MicroturnError, type WireError } from '@microturn/protocol';
import { threadHeap } from '../thread-heap.js';
import type { EngineReport, EngineRequest } from './engine-messages.js';
import type { OnnxModel, OnnxStream } from './onnx-model.js';
import type { LeaseId, MicroTurn } from './types.js';

/** Runs a model for EngineHost: opens and closes streams as main says, and takes micro-turns from the ports it is given. */
export function serveModel(model: OnnxModel, main: MessagePort): void {
  const streams = new Map<LeaseId, OnnxStream>();
  const ports = new Set<MessagePort>();
  const counts = { unknown: 0, malformed: 0 };
  let taken = 0;

  main.on('message', (request: EngineRequest) => {
    switch (request.type) {
      case 'open':
        streams.set(request.lease, open(request));
        break;
      case 'close':
        streams.get(request.lease)?.close();
        streams.delete(request.lease);
        break;
      case 'recall':
        streams.get(request.lease)?.recall();
        break;
      case 'perceive':
        streams.get(request.lease)?.perceive(request.perceived);
        break;
      case 'connect':
        ports.add(request.port);
        request.port.on('message', take);
        request.port.on('close', () => ports.delete(request.port));
        break;
      case 'stats':
        report(main, { type: 'stats', id: request.id, stats: { ...model.stats, ...counts, ...threadHeap() } });
        break;
      case 'ping':
        report(main, { type: 'pong', taken });
        break;
      case 'shutdown':
        for (const port of ports) port.close();
        void model.close().then(() => main.close());
        break;
    }
  });
  report(main, { type: 'ready', info: model.info, provider: model.provider, memory: model.memory.buffer });

  function open({ lease, row, again, alone }: EngineRequest & { type: 'open' }): OnnxStream {
    return model.open(lease, (decision) => report(main, { type: 'decision', decision }), {
      onFailed: (error) => {
        streams.delete(lease);
        report(main, { type: 'lease.failed', lease, ...told(error) });
      },
      onReset: (error, recovery) => report(main, { type: 'lease.reset', lease, ...told(error), recovery }),
      row,
      again: again && MicroturnError.fromWire(again),
      alone,
    });
  }

  /** Media is trusted, but not to be of this lease or in one piece: what does not fit is counted and dropped. */
  function take(turn: MicroTurn): void {
    if (!(turn?.pcm instanceof Float32Array)) {
      counts.malformed++;
      return;
    }
    const stream = streams.get(turn.lease);
    if (!stream) {
      counts.unknown++;
      return;
    }
    try {
      stream.push(turn);
      taken++;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      counts.malformed++;
    }
  }
}

function told(error: MicroturnError): { readonly error: WireError; readonly reason: string | undefined } {
  return { error: error.toWire(), reason: error.cause === undefined ? undefined : reasonOf(error.cause) };
}

/** What was thrown, for a log. */
export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

export function report(main: MessagePort, report: EngineReport): void {
  main.postMessage(report);
}
