/** What a recogniser of sherpa-onnx is made of, as its `OnlineRecognizer` takes it. */
export interface RecognizerModel {
  readonly featConfig: { readonly sampleRate: number; readonly featureDim: number };
  readonly modelConfig: {
    readonly transducer?: { readonly encoder: string; readonly decoder: string; readonly joiner: string };
    readonly paraformer?: { readonly encoder: string; readonly decoder: string };
    readonly zipformer2Ctc?: { readonly model: string };
    readonly nemoCtc?: { readonly model: string };
    readonly tokens: string;
    readonly numThreads: number;
    readonly provider: 'cpu';
    readonly debug: 0;
  };
}

/** What a voice of sherpa-onnx is made of, as its `OfflineTts` takes it. */
export interface VoiceModel {
  readonly model: {
    readonly vits?: SpokenModel;
    readonly kokoro?: SpokenModel & { readonly voices: string };
    readonly numThreads: number;
    readonly provider: 'cpu';
    readonly debug: 0;
  };
  /** A sentence is made, and passed on, at a time. */
  readonly maxNumSentences: 1;
}

interface SpokenModel {
  readonly model: string;
  readonly tokens: string;
  readonly lexicon?: string;
  readonly dataDir?: string;
}

/** What a process of sherpa-onnx is started with. */
export type SherpaJob =
  | { readonly does: 'recognise'; readonly model: RecognizerModel }
  | { readonly does: 'speak'; readonly model: VoiceModel; readonly speaker: number };

/** To the process. An `id` is an utterance, or a sentence to say. */
export type SherpaRequest =
  | { type: 'start'; id: number }
  /** 16 kHz, up to session ms `toMs`. */
  | { type: 'push'; id: number; pcm: Int16Array; toMs: number }
  /** The words of all that was pushed are wanted. */
  | { type: 'settle'; id: number }
  /** `speed`: 1 is as the model speaks. */
  | { type: 'say'; id: number; text: string; speed: number }
  /** Not wanted any more. */
  | { type: 'stop'; id: number };

/** From the process. */
export type SherpaReport =
  /** `rateHz` of the sound that a voice makes. */
  | { type: 'ready'; rateHz: number }
  /** All words so far. `settled`: those that were asked for. */
  | { type: 'words'; id: number; text: string; toMs: number; settled: boolean }
  | { type: 'sound'; id: number; pcm: Int16Array }
  /** A sentence is made, or is not going to be. */
  | { type: 'end'; id: number; problem?: string }
  /** The library cannot be loaded. */
  | { type: 'failed'; problem: string };
