import type { Subscription } from 'rxjs';
import { MicroturnError, samplesPerTurn } from '@microturn/protocol';
import type { Clock } from '../clock.js';
import type { EngineId } from '../engine/engine-worker.js';
import type { MicroTurn } from '../engine/types.js';
import type { RtcTap } from '../rtc/index.js';
import { ClipRing, type Clip } from './clip-ring.js';
import { EchoDelay, MAX_ECHO_MS } from './echo-delay.js';
import { FlowWatch } from './flow-watch.js';
import type { Histogram } from './histogram.js';
import type { Listener } from './listener.js';
import { isOpusRate } from './opus.js';
import { TurnCutter } from './turn-cutter.js';
import type { RowOptions } from './types.js';
import { Uplink } from './uplink.js';

export interface MediaRowParts {
  readonly clock: Clock;
  /** The far end of this row: what its participant hears. */
  readonly listener: Pick<Listener, 'play' | 'ref'>;
  /** Time from a packet's arrival to its place. */
  readonly placing: Histogram;
  /** The microphone sent, is not muted, and sends no more. */
  onStalled?(): void;
  /** The microphone sends far more than microphones do, and does not stop. It is to be closed. */
  onFlooded?(): void;
  /** To the engine thread of the row. */
  post(turn: MicroTurn, engine: EngineId): void;
}

/** Of a row that keeps its sound: a long question, and what led to it. 960 KB at 16 kHz. */
const CLIP_MS = 30_000;
/** The far end leads its echo by this: in the middle of what models learn from (5 to 200 ms), and never behind it. */
const ECHO_LEAD_MS = 80;

/** One participant's way to a model: a microphone, when there is one, cut into micro-turns for as long as the row lasts. */
export class MediaRow {
  readonly #parts: MediaRowParts;
  readonly #options: RowOptions;
  readonly #samples: number;
  readonly #cutter: TurnCutter;
  readonly #uplink: Uplink;
  readonly #clips: ClipRing | undefined;
  /** For a model that takes the far end. */
  readonly #echo: EchoDelay | undefined;
  readonly #flow = new FlowWatch();
  #tap: RtcTap | undefined;
  #subscription: Subscription | undefined;
  #turns = 0;

  constructor(options: RowOptions, parts: MediaRowParts) {
    const { zeroMs, microTurnMs, inputHz } = options;
    if (!isOpusRate(inputHz)) {
      throw new MicroturnError(
        'bundle/manifest',
        `inputHz ${inputHz}: Opus is decoded at 8000, 12000, 16000, 24000 or 48000 Hz`,
      );
    }
    const nowMs = parts.clock.now();
    this.#parts = parts;
    this.#options = options;
    this.#samples = samplesPerTurn(microTurnMs, inputHz);
    this.#cutter = new TurnCutter(zeroMs, microTurnMs, nowMs);
    this.#uplink = new Uplink({ rateHz: inputHz, turnSamples: this.#samples, zeroMs, firstTurn: this.#cutter.next });
    this.#echo = options.ref ? new EchoDelay(inputHz) : undefined;
    this.#clips = options.keepClip
      ? new ClipRing({ rateHz: inputHz, keptMs: CLIP_MS, firstSample: this.#cutter.next * this.#samples })
      : undefined;
  }

  get stats() {
    return { ...this.#uplink.stats, turns: this.#turns };
  }

  /** Listens to a microphone; the one before is let go. The tap is closed with the row. */
  attach(tap: RtcTap, muted: boolean): void {
    this.detach();
    const { clock, placing } = this.#parts;
    this.#uplink.muted = muted;
    this.#tap = tap;
    this.#subscription = tap.packet$.subscribe({
      next: (packet) => {
        const arrivalMs = clock.now();
        this.#uplink.push(packet, arrivalMs);
        this.#flow.arrived(arrivalMs);
        placing.add(clock.now() - arrivalMs);
        if (this.#uplink.flooded) this.#parts.onFlooded?.();
      },
      complete: () => this.#restart(),
    });
  }

  detach(): void {
    this.#subscription?.unsubscribe();
    this.#tap?.close();
    this.#subscription = undefined;
    this.#tap = undefined;
    this.#restart();
    this.#echo?.reset();
  }

  set muted(muted: boolean) {
    this.#uplink.muted = muted;
    this.#flow.reset();
  }

  /**
   * What was said between two session times, of the last 30 s.
   * @throws {MicroturnError} `protocol/state` where the row was started without `keepClip`
   */
  clip(fromMs: number, toMs: number): Clip {
    if (!this.#clips) throw new MicroturnError('protocol/state', 'this row keeps no sound');
    return this.#clips.read(fromMs, toMs);
  }

  /** Posts the micro-turns that are due, silence where nothing came. */
  tick(nowMs: number): void {
    if (this.#flow.look(nowMs) && !this.#uplink.silent) this.#parts.onStalled?.();
    for (const index of this.#cutter.take(nowMs)) {
      const { lease, engine } = this.#options;
      const dueMs = this.#cutter.dueMs(index);
      const { pcm, lost } = this.#uplink.cut(index);
      const startMs = dueMs - this.#options.microTurnMs;
      const play = this.#parts.listener.play(startMs, dueMs, this.#uplink.placementDelayMs);
      const ref = this.#echo && this.#ref(this.#echo, pcm, startMs);
      // Before it is posted: its buffer goes with it.
      this.#clips?.push(index * this.#samples, pcm);
      this.#turns++;
      this.#parts.post({ lease, index, pcm, lost, play, dueMs, ...(ref && { ref }) }, engine);
    }
  }

  close(): void {
    this.detach();
  }

  #restart(): void {
    this.#uplink.restart();
    this.#flow.reset();
  }

  /** What this participant's microphone may hear of the agent: as late as it was seen to. */
  #ref(echo: EchoDelay, pcm: Float32Array, startMs: number): Float32Array | undefined {
    const { inputHz } = this.#options;
    const before = (MAX_ECHO_MS * inputHz) / 1000;
    const { placementDelayMs } = this.#uplink;
    const recent = this.#parts.listener.ref(startMs - MAX_ECHO_MS, before + this.#samples, inputHz, placementDelayMs);
    if (!recent) return undefined;
    echo.push(pcm, recent);
    const lateMs = Math.max(0, (echo.delayMs ?? 0) - ECHO_LEAD_MS);
    const from = before - Math.round((lateMs * inputHz) / 1000);
    return recent.slice(from, from + this.#samples);
  }
}
