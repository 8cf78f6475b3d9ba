import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { MicroturnError } from '@microturn/protocol';
import { favourThread } from '../thread-priority.js';
import { loadBundle } from './bundle.js';
import type { EngineReport, EngineRequest, EngineThreadData } from './engine-messages.js';
import { OnnxModel } from './onnx-model.js';
import type { InteractionModel, InteractionStream, LeaseId, MicroTurn, Provider } from './types.js';

// The engine thread: started by EngineHost, and the one thread in which ONNX Runtime is loaded.

const main = parentPort;
if (!main) throw new Error('engine-thread is the entry of a worker thread, and is started by EngineHost');
const { bundleDir, rows, laneSize, provider } = workerData as EngineThreadData;

favourThread();
try {
  const onFallback = (provider: Provider, cause: unknown) =>
    report(main, { type: 'fallback', provider, reason: cause instanceof Error ? cause.message : String(cause) });
  const onDeviceLost = () => report(main, { type: 'device.lost' });
  const options = { rows, laneSize, onDeviceLost, onFallback };
  const model = await OnnxModel.load(await loadBundle(bundleDir), options, provider);
  serve(model, main);
} catch (error) {
  report(main, { type: 'failed', error: MicroturnError.from(error, 'engine/failed').toWire() });
}

function serve(model: OnnxModel, main: MessagePort): void {
  const streams = new Map<LeaseId, InteractionStream>();
  const ports = new Set<MessagePort>();
  const counts = { unknown: 0, malformed: 0 };
  let taken = 0;

  main.on('message', (request: EngineRequest) => {
    switch (request.type) {
      case 'open':
        streams.set(request.lease, open(model, request.lease, request.row));
        break;
      case 'close':
        streams.get(request.lease)?.close();
        streams.delete(request.lease);
        break;
      case 'connect':
        ports.add(request.port);
        request.port.on('message', take);
        request.port.on('close', () => ports.delete(request.port));
        break;
      case 'stats':
        report(main, { type: 'stats', id: request.id, stats: { ...model.stats, ...counts } });
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
  report(main, { type: 'ready', info: model.info, provider: model.provider });

  function open(model: InteractionModel, lease: LeaseId, row: number): InteractionStream {
    return model.open(
      lease,
      (decision) => report(main, { type: 'decision', decision }),
      (error) => {
        streams.delete(lease);
        report(main, { type: 'lease.failed', lease, error: error.toWire() });
      },
      row,
    );
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

function report(main: MessagePort, report: EngineReport): void {
  main.postMessage(report);
}
