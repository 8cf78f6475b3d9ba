import type { Clock } from '../clock.js';
import type { Histogram } from './histogram.js';
import { OpusEncoder, type OpusRate } from './opus.js';
import { Pacer, type FrameSlot } from './pacer.js';
import { PlayoutMap } from './playout-map.js';
import { writeRtpPacket } from './rtp-packet.js';
import { SentAudio } from './sent-audio.js';
import { SpeechQueue, type Speech, type SpeechFrame, type SpeechVerdict } from './speech-queue.js';

/** Silent frames at the end of a spurt: without them a browser stretches the last sound. */
const TAIL_FRAMES = 2;
/** How long less than a frame may wait for its rest at the start of a spurt. */
const PATIENCE_MS = 20;

export interface DownlinkParts {
  readonly ssrc: number;
  readonly payloadType: number;
  readonly firstSequence: number;
  readonly firstRtpTicks: number;
  readonly clock: Clock;
  /** Takes one RTP packet; must not keep the caller waiting. */
  send(packet: Uint8Array): void;
  onStarted(responseId: string, atMs: number): void;
  onSent(responseId: string, lengthMs: number, atMs: number): void;
  /** Of frames behind their time. */
  readonly lateness: Histogram;
}

/**
 * One agent voice, from PCM to packets: queue, frame, encode, pace. The first frame of a spurt leaves at once, nothing
 * leaves more than 40 ms ahead of real time, and nothing at all while the agent is silent.
 */
export class Downlink {
  readonly #parts: DownlinkParts;
  readonly #queue = new SpeechQueue();
  readonly #pacer: Pacer;
  /** Each set up by the first frame of its rate, in 0.13 ms: most rooms are entered long before their agent speaks. */
  readonly #encoders = new Map<OpusRate, OpusEncoder>();
  #sequence: number;
  #rateHz: OpusRate = 24_000;
  #tail = 0;
  #tailOwed = false;
  #waitingSinceMs = 0;
  #current: string | undefined;

  /** Where each response lies on the timeline, and what it sounded like. */
  readonly played = new PlayoutMap();
  readonly sent = new SentAudio();

  constructor(parts: DownlinkParts) {
    this.#parts = parts;
    this.#sequence = parts.firstSequence;
    this.#pacer = new Pacer(parts.clock.now(), parts.firstRtpTicks);
  }

  /** The response that was sent last, as long as nothing follows it. */
  get current(): string | undefined {
    return this.#current;
  }

  get sentUntilMs(): number {
    return this.#pacer.sentUntilMs;
  }

  get queuedMs(): number {
    return this.#queue.lengthMs;
  }

  dueMsOf(rtpTicks: number): number {
    return this.#pacer.dueMsOf(rtpTicks, this.#parts.clock.now());
  }

  /** Takes speech; what can leave leaves before this returns. */
  say(speech: Speech): SpeechVerdict {
    const nowMs = this.#parts.clock.now();
    if (this.#queue.empty) this.#waitingSinceMs = nowMs;
    const verdict = this.#queue.push(speech);
    this.#pump(nowMs, true);
    return verdict;
  }

  /** Sends what is due. Called every 5 ms. */
  tick(nowMs: number): void {
    if (this.#pacer.speaking || !this.#queue.empty) this.#pump(nowMs, false);
  }

  /** Flushes a response, and refuses what comes of it from now on. Returns how much of it had been sent, ms. */
  cut(responseId: string): number {
    const sentMs = this.#queue.cut(responseId);
    if (this.#pacer.speaking && this.#current === responseId) {
      this.#tailOwed = true;
      this.#tail = 0;
      this.#pump(this.#parts.clock.now(), false);
    }
    return sentMs;
  }

  #pump(nowMs: number, arrived: boolean): void {
    for (;;) {
      this.#endResponses(nowMs);
      const speak = !this.#tailOwed && this.#canSpeak(nowMs);
      const slot = this.#pacer.open(nowMs, arrived && speak && this.#tail > 0);
      if (!slot) return;
      const frame = this.#tailOwed ? undefined : this.#frame(speak);
      if (frame) {
        this.#tail = 0;
        this.#speak(slot, frame);
      } else if (this.#pacer.speaking && this.#tail < TAIL_FRAMES) {
        this.#tail++;
        this.#transmit(slot, new Float32Array(this.#rateHz / 50), this.#rateHz);
      } else {
        this.#tailOwed = false;
        this.#tail = 0;
        this.#pacer.pause();
        if (!this.#canSpeak(nowMs)) return;
      }
    }
  }

  /** Inside a spurt a frame that is due goes as it is; at the start of one it may wait a little to be filled. */
  #canSpeak(nowMs: number): boolean {
    if (this.#queue.ready) return true;
    return !this.#pacer.speaking && !this.#queue.empty && nowMs - this.#waitingSinceMs >= PATIENCE_MS;
  }

  #frame(ready: boolean): SpeechFrame | undefined {
    return ready || (this.#pacer.speaking && this.#tail === 0) ? this.#queue.take() : undefined;
  }

  #speak(slot: FrameSlot, frame: SpeechFrame): void {
    this.#rateHz = frame.rateHz;
    this.#current = frame.responseId;
    this.played.add(slot.dueMs, frame);
    this.sent.write(slot.dueMs, frame.pcm, frame.rateHz);
    this.#transmit(slot, frame.pcm, frame.rateHz);
    if (frame.offsetMs === 0) this.#parts.onStarted(frame.responseId, slot.dueMs);
  }

  #transmit(slot: FrameSlot, pcm: Float32Array, rateHz: OpusRate): void {
    const { ssrc, payloadType, clock, lateness } = this.#parts;
    const payload = this.#encoder(rateHz).encode(pcm);
    const { rtpTicks, marker } = slot;
    this.#parts.send(writeRtpPacket({ payloadType, marker, sequenceNumber: this.#sequence, rtpTicks, ssrc, payload }));
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#pacer.fill(slot);
    lateness.add(clock.now() - slot.dueMs);
  }

  #endResponses(nowMs: number): void {
    for (let ended = this.#queue.takeEnded(); ended; ended = this.#queue.takeEnded()) {
      this.#parts.onSent(ended.responseId, ended.lengthMs, nowMs);
    }
  }

  #encoder(rateHz: OpusRate): OpusEncoder {
    let encoder = this.#encoders.get(rateHz);
    if (!encoder) this.#encoders.set(rateHz, (encoder = new OpusEncoder(rateHz)));
    return encoder;
  }
}
