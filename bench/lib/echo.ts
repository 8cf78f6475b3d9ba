import wrtc from '@roamhq/wrtc';

const { RTCAudioSource, RTCAudioSink } = wrtc.nonstandard;
const RATE_HZ = 48_000;
/** libwebrtc takes and gives 10 ms at a time. */
const FRAME = RATE_HZ / 100;
const BURST_EVERY_FRAMES = 37;
const BURST_LEVEL = 0.5;
/** Of a burst that has been through a codec; what is between bursts stays far below. */
const HEARD_LEVEL = 0.1;

/** Sends a short burst of tone now and then, and measures when each is heard again. */
export class EchoProbe {
  readonly #source = new RTCAudioSource();
  readonly track = this.#source.createTrack();
  readonly #timer: NodeJS.Timeout;
  readonly #startMs = performance.now();
  #frames = 0;
  #sentMs: number | undefined;
  #roundTripsMs: number[] = [];
  #sink: InstanceType<typeof RTCAudioSink> | undefined;

  constructor() {
    this.#timer = setInterval(() => this.#catchUp(), 5);
  }

  /** @param track what comes back */
  listen(track: MediaStreamTrack): void {
    this.#sink = new RTCAudioSink(track);
    this.#sink.ondata = ({ samples, sampleRate }: { samples: Int16Array; sampleRate: number }) => {
      const nowMs = performance.now();
      const at = samples.findIndex((sample) => Math.abs(sample) / 32_768 > HEARD_LEVEL);
      if (at < 0 || this.#sentMs === undefined) return;
      this.#roundTripsMs.push(nowMs + (at * 1000) / sampleRate - this.#sentMs);
      this.#sentMs = undefined; // the rest of the burst is no echo of its own
    };
  }

  /** What was measured since the last time. */
  collect(): number[] {
    return this.#roundTripsMs.splice(0);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#sink?.stop();
    this.track.stop();
  }

  /** By the clock and not by the timer, which comes late on a busy machine. */
  #catchUp(): void {
    const due = Math.floor((performance.now() - this.#startMs) / 10);
    for (; this.#frames < due; this.#frames++) {
      const burst = this.#frames % BURST_EVERY_FRAMES === 0;
      if (burst) this.#sentMs = this.#startMs + this.#frames * 10;
      const samples = Int16Array.from({ length: FRAME }, (_, i) =>
        burst ? 32_767 * BURST_LEVEL * Math.sin((2 * Math.PI * 1000 * i) / RATE_HZ) : 0,
      );
      this.#source.onData({ samples, sampleRate: RATE_HZ, bitsPerSample: 16, channelCount: 1, numberOfFrames: FRAME });
    }
  }
}
