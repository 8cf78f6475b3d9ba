import { Subject } from 'rxjs';
import type { MicroTurn } from '../../engine/types.js';
import { Downlink } from '../downlink.js';
import { Histogram } from '../histogram.js';
import { Listener } from '../listener.js';
import { MediaRow } from '../media-row.js';
import { OpusDecoder, OpusEncoder } from '../opus.js';
import { parseRtpPacket, writeRtpPacket } from '../rtp-packet.js';
import type { HeardReport } from '../types.js';
import { seededRandom } from '../../testing/seeded-random.js';
import { ManualClock } from './manual-clock.js';

const RATE_HZ = 16_000;
const FRAME_MS = 20;
const FRAME_SAMPLES = (RATE_HZ * FRAME_MS) / 1000;
const TICK_MS = 5;
const MICRO_TURN_MS = 200;
/** The browser says which packet it plays some 10 ms before its sound comes out. */
const NAMED_AHEAD_MS = 10;
const REPORT_MS = 100;
const START_MS = 1_000;

export interface VirtualCallOptions {
  /** From the moment a frame is due at the edge to the loudspeaker, and from the microphone's frame to the edge. */
  readonly earMs?: number;
  readonly uplinkMs?: number;
  /** What of the loudspeaker's sound the microphone picks up, and how much later. */
  readonly echo?: { readonly levelDb: number; readonly delayMs: number };
  /** Of white noise at the microphone. */
  readonly noiseDb?: number;
  /** False: for a model that takes no far end. */
  readonly ref?: boolean;
  /** False: the client never says what it plays. */
  readonly reports?: boolean;
  /** Takes a micro-turn at its boundary. */
  readonly onTurn?: (turn: MicroTurn) => void;
  /** Takes what the client says of its playback, where the session is to have it; the listener gets it otherwise. */
  readonly onReport?: (report: HeardReport) => void;
  readonly onStarted?: (responseId: string, atMs: number) => void;
  readonly onSent?: (responseId: string, atMs: number) => void;
}

/**
 * A call in virtual time, of the real media path: the agent's speech is framed, encoded, paced and decoded, played by a
 * loudspeaker, picked up by a microphone beside what the user says, encoded, placed, and cut into micro-turns with their far end.
 */
export class VirtualCall {
  readonly clock = new ManualClock(START_MS);
  readonly downlink: Downlink;
  readonly listener: Listener;
  readonly turns: MicroTurn[] = [];
  /** What the loudspeaker has played, [samples] since the call began, at 16 kHz; what lies ahead may still be muted. */
  readonly loudspeaker: Float32Array;
  readonly #user: Float32Array;
  readonly #options: Required<Omit<VirtualCallOptions, 'echo'>> & Pick<VirtualCallOptions, 'echo'>;
  readonly #row: MediaRow;
  readonly #microphone = new Subject<Uint8Array>();
  readonly #decoder = new OpusDecoder(RATE_HZ);
  readonly #encoder = new OpusEncoder(RATE_HZ);
  readonly #random = seededRandom(9);
  readonly #played: { readonly atMs: number; readonly rtpTicks: number }[] = [];
  readonly #underway: { readonly atMs: number; readonly deliver: () => void }[] = [];
  #nextTickMs = START_MS + 2.5;
  #nextFrameMs = START_MS + FRAME_MS;
  #nextReportMs = START_MS + REPORT_MS;
  #frames = 0;
  #mutedAtMs = Infinity;

  /** @param lengthMs how long the call lasts at most */
  constructor(lengthMs: number, options: VirtualCallOptions = {}) {
    this.#options = {
      earMs: 50,
      uplinkMs: 10,
      noiseDb: -65,
      ref: true,
      reports: true,
      onTurn: () => undefined,
      onReport: (report) => this.listener.report(report, this.clock.now()),
      onStarted: () => undefined,
      onSent: () => undefined,
      ...options,
    };
    const samples = Math.ceil(((lengthMs + 1_000) * RATE_HZ) / 1000);
    this.loudspeaker = new Float32Array(samples);
    this.#user = new Float32Array(samples);
    this.downlink = new Downlink({
      ssrc: 42,
      payloadType: 111,
      firstSequence: 1,
      firstRtpTicks: 0xffff_0000,
      clock: this.clock,
      send: (bytes) => this.#play(bytes.slice()),
      onStarted: (responseId, atMs) => this.#options.onStarted(responseId, atMs),
      onSent: (responseId, _lengthMs, atMs) => this.#options.onSent(responseId, atMs),
      lateness: new Histogram(),
    });
    this.listener = new Listener(this.downlink);
    this.#row = new MediaRow(
      {
        lease: 1,
        engine: 0,
        microTurnMs: MICRO_TURN_MS,
        inputHz: RATE_HZ,
        zeroMs: START_MS,
        ref: this.#options.ref,
      },
      {
        clock: this.clock,
        listener: this.listener,
        placing: new Histogram(),
        post: (turn) => {
          this.turns.push(turn);
          this.#options.onTurn(turn);
        },
      },
    );
    this.#row.attach({ packet$: this.#microphone, close: () => undefined }, false);
  }

  /** ms since the call began. */
  get nowMs(): number {
    return this.clock.now() - START_MS;
  }

  /** The user says this, at `atMs` of the call. */
  hear(pcm16k: Float32Array, atMs: number): void {
    this.#user.set(pcm16k, Math.round((atMs * RATE_HZ) / 1000));
  }

  /** The client mutes the agent's track, and says so. */
  mute(): void {
    if (this.#mutedAtMs === Infinity) this.#mutedAtMs = this.clock.now();
    this.#report('muted');
  }

  /** The client plays the agent's track again: what of it was due in between is gone. */
  unmute(): void {
    if (this.#mutedAtMs === Infinity) return;
    this.loudspeaker.fill(0, this.#sample(this.#mutedAtMs), this.#sample(this.clock.now()));
    this.#mutedAtMs = Infinity;
  }

  /** Lets time pass. */
  pass(ms: number): void {
    const untilMs = this.clock.now() + ms;
    for (;;) {
      const [next] = this.#underway.sort((a, b) => a.atMs - b.atMs);
      const atMs = Math.min(this.#nextTickMs, this.#nextFrameMs, this.#nextReportMs, next?.atMs ?? Infinity);
      if (atMs > untilMs) break;
      this.clock.advance(atMs - this.clock.now());
      if (next?.atMs === atMs) this.#underway.shift()?.deliver();
      else if (atMs === this.#nextFrameMs) this.#capture();
      else if (atMs === this.#nextReportMs) {
        this.#nextReportMs += REPORT_MS;
        if (this.#mutedAtMs === Infinity) this.#report('playing');
      } else {
        this.#nextTickMs += TICK_MS;
        this.downlink.tick(atMs);
        this.#row.tick(atMs);
      }
    }
    this.clock.advance(untilMs - this.clock.now());
  }

  close(): void {
    this.#row.close();
  }

  /** A packet is played when its sound is due at the ear. */
  #play(bytes: Uint8Array): void {
    const packet = parseRtpPacket(bytes)!;
    const pcm = this.#decoder.decode(packet.payload)!;
    const atMs = this.downlink.dueMsOf(packet.rtpTicks) + this.#options.earMs;
    this.#played.push({ atMs, rtpTicks: packet.rtpTicks });
    this.loudspeaker.set(pcm, this.#sample(atMs));
  }

  /** Takes 20 ms of what the microphone hears, and sends them. */
  #capture(): void {
    const { echo, noiseDb, uplinkMs } = this.#options;
    const from = this.#sample(this.#nextFrameMs - FRAME_MS);
    const pcm = this.#user.slice(from, from + FRAME_SAMPLES);
    const gain = echo ? 10 ** (echo.levelDb / 20) : 0;
    const late = Math.round(((echo?.delayMs ?? 0) * RATE_HZ) / 1000);
    const muted = this.#sample(this.#mutedAtMs);
    const noise = 10 ** (noiseDb / 20) * Math.sqrt(3);
    for (let i = 0; i < pcm.length; i++) {
      const at = from + i - late;
      const heard = at < muted ? (this.loudspeaker[at] ?? 0) : 0;
      pcm[i]! += gain * heard + noise * (2 * this.#random() - 1);
    }
    const bytes = writeRtpPacket({
      payloadType: 111,
      marker: this.#frames === 0,
      sequenceNumber: this.#frames & 0xffff,
      rtpTicks: this.#frames * 960,
      ssrc: 7,
      payload: this.#encoder.encode(pcm).slice(),
    });
    this.#frames++;
    this.#underway.push({ atMs: this.#nextFrameMs + uplinkMs, deliver: () => this.#microphone.next(bytes) });
    this.#nextFrameMs += FRAME_MS;
  }

  #report(state: 'playing' | 'muted'): void {
    const nowMs = this.clock.now();
    const named = this.#played.findLast(({ atMs }) => atMs - NAMED_AHEAD_MS <= nowMs);
    if (!this.#options.reports || !named) return;
    const report = { audience: 'room', rtpTimestamp: named.rtpTicks, outputLatencyMs: 0, state } as const;
    this.#underway.push({
      atMs: nowMs + this.#options.uplinkMs,
      deliver: () => this.#options.onReport(report),
    });
  }

  #sample(monotonicMs: number): number {
    if (monotonicMs === Infinity) return Infinity;
    return Math.round(((monotonicMs - START_MS) * RATE_HZ) / 1000);
  }
}
