import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { MicroturnError } from '@microturn/protocol';
import { TRANSCRIBE_HZ } from '../transcribe/types.js';
import type { RecognizerModel, VoiceModel } from './messages.js';

/** What a single graph that recognises speech may be: its file does not say. */
export const ctcKinds = ['zipformer2-ctc', 'nemo-ctc'] as const;
export type CtcKind = (typeof ctcKinds)[number];

/** Mel bands, in every streaming model of sherpa-onnx that is supported here. */
const FEATURES = 80;

/**
 * The streaming recogniser in a folder as sherpa-onnx's models are published: `encoder*.onnx`, `decoder*.onnx` and
 * `joiner*.onnx` are a transducer, without a joiner a paraformer, and one graph alone is `ctc`. `tokens.txt` is beside them.
 * Of a graph that is there twice, the one in 8 bits is taken.
 * @throws {MicroturnError} `edge/config` where there is none
 */
export function findRecognizer(folder: string, ctc: CtcKind, numThreads: number): RecognizerModel {
  const files = new ModelFiles(folder);
  const tokens = files.named('tokens.txt');
  const [encoder, decoder, joiner] = ['encoder', 'decoder', 'joiner'].map((name) => files.graph(name));
  const common = { tokens, numThreads, provider: 'cpu', debug: 0 } as const;
  const featConfig = { sampleRate: TRANSCRIBE_HZ, featureDim: FEATURES };
  if (encoder !== undefined && decoder !== undefined) {
    const parts =
      joiner === undefined ? { paraformer: { encoder, decoder } } : { transducer: { encoder, decoder, joiner } };
    return { featConfig, modelConfig: { ...parts, ...common } };
  }
  const model = files.graph('');
  if (model === undefined) throw files.lacks('a graph: encoder*.onnx, decoder*.onnx and joiner*.onnx, or one *.onnx');
  const parts = ctc === 'nemo-ctc' ? { nemoCtc: { model } } : { zipformer2Ctc: { model } };
  return { featConfig, modelConfig: { ...parts, ...common } };
}

/**
 * The voice in a folder as sherpa-onnx's models are published: one graph and `tokens.txt`, with `lexicon.txt` or
 * `espeak-ng-data` where it needs them; with `voices.bin` it is Kokoro, else VITS (which Piper’s are).
 * @throws {MicroturnError} `edge/config` where there is none
 */
export function findVoice(folder: string, numThreads: number): VoiceModel {
  const files = new ModelFiles(folder);
  const model = files.graph('');
  if (model === undefined) throw files.lacks('a graph: one *.onnx');
  const [lexicon, dataDir] = [files.find('lexicon.txt'), files.find('espeak-ng-data')];
  const spoken = {
    model,
    tokens: files.named('tokens.txt'),
    ...(lexicon !== undefined && { lexicon }),
    ...(dataDir !== undefined && { dataDir }),
  };
  const voices = files.find('voices.bin');
  return {
    model: {
      ...(voices === undefined ? { vits: spoken } : { kokoro: { ...spoken, voices } }),
      numThreads,
      provider: 'cpu',
      debug: 0,
    },
    maxNumSentences: 1,
  };
}

/** A folder of a model, looked at once. */
class ModelFiles {
  readonly #folder: string;
  readonly #names: readonly string[];

  constructor(folder: string) {
    this.#folder = folder;
    try {
      this.#names = readdirSync(folder).toSorted();
    } catch (cause) {
      throw new MicroturnError('edge/config', `${folder}: no such folder of a model`, { cause });
    }
  }
  find(name: string): string | undefined {
    return this.#names.includes(name) ? join(this.#folder, name) : undefined;
  }
  named(name: string): string {
    const path = this.find(name);
    if (path === undefined) throw this.lacks(name);
    return path;
  }
  /** The graph whose name begins like this, in 8 bits where there is one. */
  graph(prefix: string): string | undefined {
    const graphs = this.#names.filter((name) => name.startsWith(prefix) && name.endsWith('.onnx'));
    const name = graphs.find((one) => one.includes('int8')) ?? graphs[0];
    return name === undefined ? undefined : join(this.#folder, name);
  }
  lacks(what: string): MicroturnError {
    return new MicroturnError('edge/config', `${this.#folder}: it has no ${what}`);
  }
}
