import { MessageChannel } from 'node:worker_threads';
import { expect, it, vi } from 'vitest';
import { hum } from '../testing/interaction-model.contract.js';
import type { EngineReport, EngineRequest } from './engine-messages.js';
import { FakeGraph, fakeManifest } from './fixtures/fake-graph.js';
import { OnnxModel } from './onnx-model.js';
import { serveModel } from './serve-model.js';

it('fault 26, steps that fail: main is told what the runtime said, beside the error that is for the client', async () => {
  const work = () => {
    throw new Error('MatMul: wrong shape');
  };
  const model = new OnnxModel(fakeManifest, new FakeGraph({ work }), { rows: 1 });
  const [{ port1, port2: main }, turns] = [new MessageChannel(), new MessageChannel()];
  const reports: EngineReport[] = [];
  main.on('message', (report: EngineReport) => reports.push(report));
  serveModel(model, port1);
  const ask = (request: EngineRequest) => main.postMessage(request, request.type === 'connect' ? [request.port] : []);
  ask({ type: 'open', lease: 1, row: 0 });
  ask({ type: 'connect', port: turns.port2 });
  for (let index = 0; index < 6; index++) {
    turns.port1.postMessage(hum(model, 1, index));
    await vi.waitFor(() => expect(reports.filter(({ type }) => type === 'decision')).toHaveLength(index + 1));
  }
  const failed = await vi.waitFor(() => reports.find(({ type }) => type === 'lease.failed') ?? expect.fail());
  const reset = reports.find(({ type }) => type === 'lease.reset');
  const error = { code: 'engine/failed', message: expect.not.stringContaining('MatMul') };
  for (const report of [reset, failed]) expect(report).toMatchObject({ error, reason: 'MatMul: wrong shape' });
  ask({ type: 'shutdown' });
  await new Promise((resolve) => main.once('close', resolve));
});
