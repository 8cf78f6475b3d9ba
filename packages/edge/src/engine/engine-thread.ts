import { parentPort, workerData } from 'node:worker_threads';
import { MicroturnError } from '@microturn/protocol';
import { favourThread } from '../thread-priority.js';
import { loadBundle } from './bundle.js';
import type { EngineThreadData } from './engine-messages.js';
import { NativeGate } from './native-gate.js';
import { OnnxModel } from './onnx-model.js';
import { reasonOf, report, serveModel } from './serve-model.js';
import type { Provider } from './types.js';

// The engine thread: started by EngineHost, and the one thread in which ONNX Runtime is loaded.

const main = parentPort;
if (!main) throw new Error('engine-thread is the entry of a worker thread, and is started by EngineHost');
const { bundleDir, rows, laneSize, provider, gate, memory: left } = workerData as EngineThreadData;
const native = new NativeGate(gate).pass;

favourThread();
try {
  const onFallback = (provider: Provider, cause: unknown) =>
    report(main, { type: 'fallback', provider, reason: reasonOf(cause) });
  const onDeviceLost = () => report(main, { type: 'device.lost' });
  const bundle = await loadBundle(bundleDir);
  const model = await OnnxModel.load(bundle, { rows, laneSize, left, native, onDeviceLost, onFallback }, provider);
  serveModel(model, main);
} catch (error) {
  report(main, { type: 'failed', error: MicroturnError.from(error, 'engine/failed').toWire() });
}
