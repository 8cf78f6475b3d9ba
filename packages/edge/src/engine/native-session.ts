import { InferenceSession } from 'onnxruntime-node';
import type { NativeCall } from './native-gate.js';

export type Results = InferenceSession.OnnxValueMapType;

/** What is asked of a session of ONNX Runtime. */
export interface NativeSession {
  readonly inputs: InferenceSession['inputMetadata'];
  readonly outputs: InferenceSession['outputMetadata'];
  run(feeds: InferenceSession.FeedsType, fetches?: InferenceSession.FetchesType): Promise<Results>;
  release(): Promise<void>;
}

/** A session of which each call, the first that loads it too, is made by `native`. */
export async function openNative(
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
  native: NativeCall,
): Promise<NativeSession> {
  const session = await native(() => InferenceSession.create(model, options));
  return {
    inputs: session.inputMetadata,
    outputs: session.outputMetadata,
    run: (feeds, fetches) => native(() => (fetches ? session.run(feeds, fetches) : session.run(feeds))),
    release: () => native(() => session.release()),
  };
}
