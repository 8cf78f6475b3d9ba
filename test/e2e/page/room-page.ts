// A participant of the room test: sends a tone of its own, and measures what it hears of everybody.
import { createSession, type InteractionSession } from '@microturn/sdk';

const FFT_SIZE = 4096;
const MEASURE_EVERY_MS = 50;
/** Of the tone, RMS. */
const LOUD = 0.2;

export interface RoomPageOptions {
  readonly url: string;
  readonly token: string;
  /** Of the tone that this participant sends. */
  readonly toneHz: number;
}

/** What was heard of one track since it was last asked. */
export interface HeardTrack {
  readonly participant: string;
  /** Of the agent's voice. */
  readonly audience: string | undefined;
  /** The loudest moment, RMS in [0, 1]. */
  readonly peak: number;
  /** Where that moment had most of its energy. */
  readonly hz: number;
}

class RoomPage {
  readonly session: InteractionSession;
  readonly #context = new AudioContext();
  readonly #tone = new GainNode(this.#context, { gain: 0 });
  readonly #heard = new Map<string, { analyser: AnalyserNode; track: HeardTrack }>();

  constructor({ url, token, toneHz }: RoomPageOptions) {
    const oscillator = new OscillatorNode(this.#context, { frequency: toneHz });
    const output = new MediaStreamAudioDestinationNode(this.#context, { channelCount: 1 });
    oscillator.connect(this.#tone).connect(output);
    oscillator.start();
    this.session = createSession({ url, token, microphone: output.stream.getAudioTracks()[0]! });
    this.session.tracks.subscribe((tracks) => {
      for (const { id, track, participant, audience } of tracks) {
        if (this.#heard.has(id)) continue;
        const analyser = new AnalyserNode(this.#context, { fftSize: FFT_SIZE });
        this.#context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
        this.#heard.set(id, { analyser, track: { participant, audience, peak: 0, hz: 0 } });
      }
      for (const id of this.#heard.keys()) if (!tracks.some((track) => track.id === id)) this.#heard.delete(id);
    });
    setInterval(() => this.#measure(), MEASURE_EVERY_MS);
  }

  setLoud(loud: boolean): void {
    this.#tone.gain.value = loud ? LOUD * Math.SQRT2 : 0;
  }

  /** What was heard of each track since the last call. */
  heard(): HeardTrack[] {
    return [...this.#heard.values()].map((entry) => {
      const { track } = entry;
      entry.track = { ...track, peak: 0, hz: 0 };
      return track;
    });
  }

  #measure(): void {
    const samples = new Float32Array(FFT_SIZE);
    const spectrum = new Float32Array(FFT_SIZE / 2);
    for (const entry of this.#heard.values()) {
      entry.analyser.getFloatTimeDomainData(samples);
      const peak = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
      if (peak <= entry.track.peak) continue;
      entry.analyser.getFloatFrequencyData(spectrum);
      const loudest = spectrum.reduce((best, level, bin) => (level > spectrum[best]! ? bin : best), 0);
      entry.track = { ...entry.track, peak, hz: (loudest * this.#context.sampleRate) / FFT_SIZE };
    }
  }
}

declare global {
  interface Window {
    enter(options: RoomPageOptions): Promise<void>;
    room: RoomPage;
  }
}

window.enter = async (options) => {
  window.room = new RoomPage(options);
  await window.room.session.connect();
};
