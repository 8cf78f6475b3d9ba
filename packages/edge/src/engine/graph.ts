import { stripVTControlCharacters } from 'node:util';
import { MicroturnError } from '@microturn/protocol';
import { Tensor } from 'onnxruntime-node';
import type { Bundle } from './bundle.js';
import { DeviceStates, selectGraph } from './device-states.js';
import type { LaneInputs, LaneStates } from './lane-io.js';
import { int32Roles, type Manifest, type Shape } from './manifest.js';
import { ungated, type NativeCall } from './native-gate.js';
import { openNative, type NativeSession } from './native-session.js';
import type { TensorBuffers } from './tensors.js';
import type { InputRole, Provider, ProviderChoice } from './types.js';

/** A model's graph: one micro-turn of any number of rows in each step. */
export interface StepGraph {
  /** Where it runs; the CPU where it does not say. */
  readonly provider?: Provider;
  /** States that stay on the device, where the provider can keep them there. */
  createStates?(inputs: LaneInputs): LaneStates;
  /**
   * Ties the graph to buffers that stay where they are. Each call of the result runs it once: it reads `feeds` and
   * fills `fetches`.
   */
  bind(feeds: TensorBuffers, fetches: TensorBuffers): () => Promise<unknown>;
  close(): Promise<void>;
}

/** A bundle of more bytes than this is worth a GPU: below, a step's dispatches take longer than a core takes for it. */
const GPU_BYTES = 64 << 20;

/**
 * Opens the graph where it is to run. `auto` is the CPU for small bundles, and the GPU through WebGPU for large ones where
 * there is one; CUDA is never chosen by itself, since its libraries do not come with onnxruntime-node.
 * @throws {MicroturnError} `bundle/graph`; `engine/provider` where the one that was asked for does not open
 */
export async function openGraphOn(bundle: Bundle, choice: ProviderChoice, native?: NativeCall): Promise<StepGraph> {
  if (choice !== 'auto') return openGraph(bundle, choice, native);
  const bytes = [...bundle.files.values()].reduce((sum, file) => sum + file.length, 0);
  if (bytes < GPU_BYTES) return openGraph(bundle, 'cpu', native);
  try {
    return await openGraph(bundle, 'webgpu', native);
  } catch {
    return openGraph(bundle, 'cpu', native);
  }
}

/**
 * One session serves lanes of every size, because the batch stays a symbol in the graph: the weights are in memory
 * once. (onnxruntime-node 1.30 ignores `freeDimensionOverrides`, and on the CPU a fixed batch is no faster.)
 * @throws {MicroturnError} `bundle/graph` where the graph does not load, or is not the one the manifest describes;
 *   `engine/provider` where the provider does not open
 */
export async function openGraph(bundle: Bundle, provider: Provider = 'cpu', native = ungated): Promise<StepGraph> {
  const session = await openSession(bundle, provider, native);
  return stepGraph(session, bundle.manifest, provider, native);
}

async function openSession(
  { manifest, files, externalData }: Bundle,
  provider: Provider,
  native: NativeCall,
): Promise<NativeSession> {
  const { file } = manifest.graph;
  const graphError = (detail: string, cause?: unknown) =>
    new MicroturnError('bundle/graph', `${file}: ${detail}`, { cause });
  let session: NativeSession;
  try {
    session = await openNative(
      files.get(file)!,
      {
        executionProviders: [provider],
        ...(provider === 'webgpu' && {
          preferredOutputLocation: Object.fromEntries(manifest.states.map(({ output }) => [output, 'gpu-buffer'])),
        }),
        graphOptimizationLevel: 'all',
        // A step is short and the engine thread waits for it: helpers that spin would take the cores of the media thread.
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
        logSeverityLevel: 3,
        ...(externalData.length > 0 && {
          externalData: externalData.map((path) => ({ path, data: files.get(path)! })),
        }),
      },
      native,
    );
  } catch (cause) {
    const { message } = cause as Error;
    if (provider === 'cpu') throw graphError(message, cause);
    throw new MicroturnError('engine/provider', `${provider}: ${stripVTControlCharacters(message).trim()}`, { cause });
  }
  const problem = disagreement(session, manifest);
  if (problem) {
    await session.release();
    throw graphError(problem);
  }
  return session;
}

/** Made apart from the bundle: closures beside those that read its files would keep every byte of them. */
async function stepGraph(
  session: NativeSession,
  manifest: Manifest,
  provider: Provider,
  native: NativeCall,
): Promise<StepGraph> {
  return {
    provider,
    bind(feeds, fetches) {
      const inputs = tensors(feeds);
      const outputs = tensors(fetches);
      return () => session.run(inputs, outputs);
    },
    close: () => session.release(),
    ...(provider === 'webgpu' && (await deviceStates(session, manifest, native))),
  };
}

async function deviceStates(
  step: NativeSession,
  manifest: Manifest,
  native: NativeCall,
): Promise<Pick<StepGraph, 'createStates' | 'close'>> {
  const options = {
    executionProviders: ['webgpu'],
    preferredOutputLocation: 'gpu-buffer',
    logSeverityLevel: 3,
  } as const;
  const select = await openNative(selectGraph(manifest), options, native);
  return {
    createStates: (inputs) => new DeviceStates({ step, select }, manifest, inputs),
    close: async () => {
      await select.release();
      await step.release();
    },
  };
}

function tensors(buffers: TensorBuffers): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(buffers).map(([name, { data, dims }]) => [
      name,
      data instanceof Int32Array ? new Tensor('int32', data, dims) : new Tensor('float32', data, dims),
    ]),
  );
}

interface Expected {
  readonly shape: Shape;
  readonly type: 'float32' | 'int32';
}

/** The first thing in which the graph and its manifest disagree. */
function disagreement(session: NativeSession, { graph, inputs, outputs, states }: Manifest): string | undefined {
  const fed = new Map<string, Expected>();
  for (const [role, input] of Object.entries(inputs)) {
    if (input)
      fed.set(input.tensor, { shape: input.shape, type: int32Roles.has(role as InputRole) ? 'int32' : 'float32' });
  }
  const fetched = new Map<string, Expected>();
  for (const output of Object.values(outputs)) {
    if (output) fetched.set(output.tensor, { shape: output.shape, type: 'float32' });
  }
  for (const { input, output, shape } of states) {
    fed.set(input, { shape, type: 'float32' });
    fetched.set(output, { shape, type: 'float32' });
  }

  for (const [side, expected, actual] of [
    ['input', fed, session.inputs],
    ['output', fetched, session.outputs],
  ] as const) {
    const found = new Map(actual.map((tensor) => [tensor.name, tensor]));
    for (const [name, { shape, type }] of expected) {
      const tensor = found.get(name);
      if (!tensor) return `it has no ${side} ${name}, which bundle.json names`;
      if (!tensor.isTensor) return `${side} ${name} is not a tensor`;
      if (tensor.type !== type) return `${side} ${name}: expected ${type}, got ${tensor.type}`;
      if (typeof tensor.shape[0] === 'number') {
        return `${side} ${name} has a fixed batch of ${tensor.shape[0]}, expected the dimension "${graph.batch}"`;
      }
      if (tensor.shape.length !== shape.length || tensor.shape.some((dimension, i) => dimension !== shape[i])) {
        return `${side} ${name}: expected ${JSON.stringify(shape)}, got ${JSON.stringify(tensor.shape)}`;
      }
    }
    if (side === 'input') {
      const unfed = actual.find(({ name }) => !expected.has(name));
      if (unfed) return `its input ${unfed.name} has no role in bundle.json`;
    }
  }
  return undefined;
}
