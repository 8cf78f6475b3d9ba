import { Decoder, Encoder } from '@evan/opus';

/** What Opus codes without resampling. */
export const opusRates = [8000, 12_000, 16_000, 24_000, 48_000] as const;
export type OpusRate = (typeof opusRates)[number];

export function isOpusRate(rateHz: number): rateHz is OpusRate {
  return (opusRates as readonly number[]).includes(rateHz);
}

/** How far decoded sound lags behind what the encoder was given, ms: its look-ahead, the same at every rate. */
export const OPUS_LOOKAHEAD_MS = 6.5;

/** The longest packet there may be (RFC 6716, section 3.4, R5). */
const MAX_PACKET_TICKS = 120 * 48;

/**
 * Length of a packet in RTP ticks, from its table of contents (RFC 6716, section 3.1);
 * `undefined` where the packet cannot be Opus.
 */
export function opusPacketTicks(payload: Uint8Array): number | undefined {
  const toc = payload[0];
  if (toc === undefined) return undefined;
  const frames = frameCount(toc, payload);
  const ticks = frames * frameTicks(toc);
  return frames > 0 && ticks <= MAX_PACKET_TICKS ? ticks : undefined;
}

function frameCount(toc: number, payload: Uint8Array): number {
  switch (toc & 0x03) {
    case 0:
      return 1;
    case 3:
      return payload.length > 1 ? payload[1]! & 0x3f : 0;
    default:
      return 2;
  }
}

function frameTicks(toc: number): number {
  const config = toc >> 3;
  if (config < 12) return [480, 960, 1920, 2880][config & 3]!;
  if (config < 16) return [480, 960][config & 1]!;
  return [120, 240, 480, 960][config & 3]!;
}

/** Whether a packet says that the sender is silent: nothing but a header, or a refresh of the background noise. */
export function isDtxPacket(payload: Uint8Array): boolean {
  return payload.length <= 3;
}

/**
 * Decodes one sender's packets, in order, to mono PCM. Native memory goes with the object.
 * A packet that cannot be decoded leaves the decoder as it was.
 */
export class OpusDecoder {
  readonly rateHz: OpusRate;
  readonly #decoder: Decoder;
  /** The last table of contents, as a packet of one frame that was lost. */
  readonly #lost = new Uint8Array(1);
  #lostSamples = 0;

  constructor(rateHz: OpusRate) {
    this.rateHz = rateHz;
    this.#decoder = new Decoder({ channels: 1, sample_rate: rateHz });
  }

  /** [samples] in [-1, 1]; `undefined` where the packet is bad. */
  decode(payload: Uint8Array): Float32Array | undefined {
    const ticks = opusPacketTicks(payload);
    if (ticks === undefined) return undefined;
    let pcm: Float32Array;
    try {
      pcm = toFloat(this.#decoder.decode(payload));
    } catch {
      return undefined;
    }
    this.#lost[0] = payload[0]! & 0xfc;
    this.#lostSamples = (frameTicks(payload[0]!) * this.rateHz) / 48_000;
    return pcm;
  }

  /** Forgets what it heard: another sender follows. */
  reset(): void {
    this.#decoder.reset();
    this.#lostSamples = 0;
  }

  /**
   * What may have been in `samples` samples that never came: libopus goes on from what it last decoded, fading out.
   * Zeros before the first packet.
   */
  conceal(samples: number): Float32Array {
    const pcm = new Float32Array(samples);
    if (this.#lostSamples === 0) return pcm;
    for (let at = 0; at < samples;) {
      // A packet of one byte is a frame of its kind that was lost: the one way to concealment that the binding leaves.
      const frame = toFloat(this.#decoder.decode(this.#lost));
      pcm.set(frame.subarray(0, samples - at), at);
      at += frame.length;
    }
    return pcm;
  }
}

/** Encodes one voice, mono, 20 ms a frame. */
export class OpusEncoder {
  readonly rateHz: OpusRate;
  readonly frameSamples: number;
  readonly #encoder: Encoder;
  readonly #input: Int16Array;

  constructor(rateHz: OpusRate) {
    this.rateHz = rateHz;
    this.frameSamples = rateHz / 50;
    this.#input = new Int16Array(this.frameSamples);
    this.#encoder = new Encoder({ channels: 1, sample_rate: rateHz, application: 'voip' });
    this.#encoder.complexity = 5;
    this.#encoder.bitrate = rateHz <= 16_000 ? 28_000 : 36_000;
    this.#encoder.signal = 'voice';
    this.#encoder.inband_fec = true;
    this.#encoder.packet_loss = 5;
  }

  /** @param pcm [frameSamples] in [-1, 1]; beyond that it is clipped, and what is not a number is silence */
  encode(pcm: Float32Array): Uint8Array {
    if (pcm.length !== this.frameSamples)
      throw new RangeError(`expected ${this.frameSamples} samples, got ${pcm.length}`);
    const input = this.#input;
    for (let i = 0; i < input.length; i++)
      input[i] = Math.max(-32_768, Math.min(32_767, Math.round(pcm[i]! * 32_767))) || 0;
    return this.#encoder.encode(input);
  }
}

function toFloat(bytes: Uint8Array): Float32Array {
  const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
  const pcm = new Float32Array(samples.length);
  for (let i = 0; i < pcm.length; i++) pcm[i] = samples[i]! / 32_768;
  return pcm;
}
