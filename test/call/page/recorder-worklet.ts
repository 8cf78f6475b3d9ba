// Runs in the page's AudioWorklet: records two tracks side by side, so that both are on one clock, to the sample.

/** What Web Audio gives to a worklet, which TypeScript's libraries leave out. */
declare const currentFrame: number;
declare function registerProcessor(name: string, processor: new () => object): void;
declare const AudioWorkletProcessor: new () => { readonly port: MessagePort };

/** What a worklet is given at a time. */
const FRAMES = 128;
/** An input is quiet when it has been below this for so long: 0.3 s below -60 dBFS. */
const QUIET = 0.001;
const QUIET_FRAMES = 14_400;
/** 0.2 s. */
const CHUNK_FRAMES = 9_600;

/** Input 0 is what is sent, input 1 what is received; each chunk interleaves the two. */
class Recorder extends AudioWorkletProcessor {
  #chunk = new Int16Array(2 * CHUNK_FRAMES);
  #filled = 0;
  #startFrame = currentFrame;
  #nextFrame = currentFrame;
  readonly #quietFrames = [0, 0];

  process(inputs: Float32Array[][]): boolean {
    const sent = inputs[0]?.[0];
    const received = inputs[1]?.[0];
    // A context that is starting, or cannot keep up, leaves frames out: the clock goes on without them.
    while (this.#nextFrame < currentFrame) this.#write(0, 0);
    for (let i = 0; i < FRAMES; i++) this.#write(sent?.[i] ?? 0, received?.[i] ?? 0);
    this.#noteQuiet(0, sent);
    this.#noteQuiet(1, received);
    return true;
  }

  /** Tells, once in every pause, that an input can be taken up anew without anybody missing anything. */
  #noteQuiet(input: 0 | 1, samples: Float32Array | undefined): void {
    if (!samples || samples.some((x) => Math.abs(x) > QUIET)) this.#quietFrames[input] = 0;
    else if ((this.#quietFrames[input]! += FRAMES) === QUIET_FRAMES) this.port.postMessage({ quiet: input });
  }

  #write(sent: number, received: number): void {
    this.#chunk[2 * this.#filled] = toInt16(sent);
    this.#chunk[2 * this.#filled + 1] = toInt16(received);
    this.#nextFrame++;
    if (++this.#filled === CHUNK_FRAMES) this.#post();
  }

  #post(): void {
    const pcm = this.#chunk;
    this.port.postMessage({ startFrame: this.#startFrame, pcm }, [pcm.buffer]);
    this.#chunk = new Int16Array(2 * CHUNK_FRAMES);
    this.#filled = 0;
  }
}

function toInt16(x: number): number {
  return Math.round(Math.min(Math.max(x, -1), 1) * 32_767);
}

registerProcessor('recorder', Recorder);
