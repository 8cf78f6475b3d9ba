import { createRequire } from 'node:module';
import type { RecognizerModel, SherpaJob, SherpaReport, SherpaRequest, VoiceModel } from './messages.js';

// The entry of a process that runs one model of sherpa-onnx. It is a process because the library ends the one it is in
// where a model is not as it expects, and because it brings an ONNX Runtime that is not the edge's.

/** As much of the library as is used here; it has no types of its own. */
interface Library {
  readonly OnlineRecognizer: new (config: RecognizerModel) => {
    createStream(): Stream;
    isReady(stream: Stream): boolean;
    decode(stream: Stream): void;
    getResult(stream: Stream): { readonly text: string };
  };
  readonly OfflineTts: new (config: VoiceModel) => {
    readonly sampleRate: number;
    generateAsync(request: {
      readonly text: string;
      readonly sid: number;
      readonly speed: number;
      readonly enableExternalBuffer: false;
      readonly onProgress: (progress: { readonly samples: Float32Array }) => boolean;
    }): Promise<{ readonly samples: Float32Array }>;
  };
}
interface Stream {
  acceptWaveform(sound: { readonly samples: Float32Array; readonly sampleRate: number }): void;
}

const HZ = 16_000;
/** Silence behind the last word, where somebody waits for it: a streaming model says a word once it has heard what follows. */
const TAIL = new Float32Array(0.6 * HZ);
/** What a model throws while it speaks is not told by the library, and then neither is its end. */
const HANG_MS = 10_000;

const send = (report: SherpaReport) => void process.send?.(report);

// Whoever started it is gone.
process.once('disconnect', () => process.exit());
process.once('message', (job: SherpaJob) => {
  let library: Library;
  try {
    library = createRequire(import.meta.url)('sherpa-onnx-node') as Library;
    run(library, job);
  } catch (error) {
    send({ type: 'failed', problem: (error as Error).message.trim().split('\n')[0]! });
    process.disconnect();
  }
});

function run(library: Library, job: SherpaJob): void {
  const take = job.does === 'recognise' ? recognise(library, job.model) : speak(library, job);
  process.on('message', take);
}

function recognise({ OnlineRecognizer }: Library, model: RecognizerModel): (request: SherpaRequest) => void {
  const recognizer = new OnlineRecognizer(model);
  const streams = new Map<number, { readonly stream: Stream; toMs: number }>();
  send({ type: 'ready', rateHz: HZ });
  const hear = (id: number, samples: Float32Array, settled: boolean) => {
    const one = streams.get(id);
    if (!one) return;
    one.stream.acceptWaveform({ samples, sampleRate: HZ });
    while (recognizer.isReady(one.stream)) recognizer.decode(one.stream);
    send({ type: 'words', id, text: recognizer.getResult(one.stream).text, toMs: one.toMs, settled });
  };
  return (request) => {
    switch (request.type) {
      case 'start':
        streams.set(request.id, { stream: recognizer.createStream(), toMs: 0 });
        return;
      case 'push': {
        const one = streams.get(request.id);
        if (one) one.toMs = request.toMs;
        hear(
          request.id,
          Float32Array.from(request.pcm, (sample) => sample / 0x8000),
          false,
        );
        return;
      }
      case 'settle':
        hear(request.id, TAIL, true);
        return;
      case 'stop':
        streams.delete(request.id);
        return;
      case 'say':
        return;
      default:
        request satisfies never;
    }
  };
}

function speak({ OfflineTts }: Library, job: SherpaJob & { does: 'speak' }): (request: SherpaRequest) => void {
  const voice = new OfflineTts(job.model);
  const { speaker: sid } = job;
  /** Sentences to say, oldest first; the first is being made. What is not wanted any more leaves it. */
  const wanted = new Map<number, { readonly text: string; readonly speed: number }>();
  let working = false;
  send({ type: 'ready', rateHz: voice.sampleRate });
  const say = async (id: number, { text, speed }: { readonly text: string; readonly speed: number }) => {
    let sent = 0;
    const pass = (samples: Float32Array) => {
      sent += samples.length;
      if (samples.length > 0) send({ type: 'sound', id, pcm: Int16Array.from(samples, toInt16) });
    };
    const watch = setTimeout(() => {
      process.send?.({ type: 'failed', problem: `no sound within ${HANG_MS} ms` } satisfies SherpaReport, () =>
        process.exit(1),
      );
    }, HANG_MS);
    const onProgress = ({ samples }: { readonly samples: Float32Array }) => {
      watch.refresh();
      const goesOn = wanted.has(id);
      if (goesOn) pass(samples);
      return goesOn;
    };
    try {
      const { samples } = await voice.generateAsync({ text, sid, speed, enableExternalBuffer: false, onProgress });
      // Some models tell of no progress.
      if (wanted.has(id)) pass(samples.subarray(sent));
    } finally {
      clearTimeout(watch);
    }
  };
  const work = async () => {
    working = true;
    for (let next = wanted.entries().next(); !next.done; next = wanted.entries().next()) {
      const [id, sentence] = next.value;
      try {
        await say(id, sentence);
        send({ type: 'end', id });
      } catch (error) {
        send({ type: 'end', id, problem: (error as Error).message });
      }
      wanted.delete(id);
    }
    working = false;
  };
  return (request) => {
    if (request.type === 'say') {
      wanted.set(request.id, request);
      if (!working) void work();
    } else if (request.type === 'stop') wanted.delete(request.id);
  };
}

function toInt16(sample: number): number {
  return Math.max(-0x8000, Math.min(0x7fff, Math.round(sample * 0x8000)));
}
