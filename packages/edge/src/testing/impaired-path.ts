import type { Clock } from '../clock.js';
import { seededRandom } from './seeded-random.js';

/** What a path does to packets; what is left out it does not do. Shares are in [0, 1], and each packet is judged by itself. */
export interface Impairments {
  /** Nothing gets through. */
  readonly blocked?: boolean;
  /** Share that is lost. */
  readonly loss?: number;
  /** Outages: on average one every `everyMs` (not counting themselves), for `lengthMs` each. */
  readonly bursts?: { readonly everyMs: number; readonly lengthMs: number };
  readonly delayMs?: number;
  /** Up to so much on top of the delay, evenly spread. Packets stay in order, as in one queue. */
  readonly jitterMs?: number;
  /** Share that takes `reorderMs` (40) longer, and is overtaken by those behind it. */
  readonly reorder?: number;
  readonly reorderMs?: number;
  /** Share that comes twice. */
  readonly duplicate?: number;
  /** Share after which one of the last 256 packets comes once more, as an attacker has it who recorded them. */
  readonly replay?: number;
  /** A narrow line; what would wait longer than `queueMs` (200) in front of it is lost. */
  readonly bitsPerSecond?: number;
  readonly queueMs?: number;
}

export interface PathStats {
  readonly taken: number;
  readonly delivered: number;
  /** By chance, in a burst, or while blocked. */
  readonly lost: number;
  /** For want of bandwidth. */
  readonly dropped: number;
  readonly reordered: number;
  readonly duplicated: number;
  readonly replayed: number;
}

export interface ImpairedPathParts {
  readonly clock: Clock;
  /** Runs `run` once, `ms` from now; the result calls it off. */
  readonly after: (ms: number, run: () => void) => () => void;
  /** The same seed and the same packets meet the same fate. */
  readonly seed: number;
  readonly deliver: (packet: Uint8Array) => void;
}

const REORDER_MS = 40;
const QUEUE_MS = 200;
const REMEMBERED = 256;
/** What may be on its way at once: more is lost. */
const IN_FLIGHT = 4096;

/** One direction of a network path, as bad as it is told to be. Its time is the clock's, so it runs as well in a test's. */
export class ImpairedPath {
  readonly #parts: ImpairedPathParts;
  readonly #random: () => number;
  readonly #inFlight = new Set<() => void>();
  readonly #remembered: Uint8Array[] = [];
  #impairments: Impairments = {};
  /** Order is kept by never delivering before these: the line's end, and the last packet of the queue. */
  #lineFreeMs = 0;
  #lastDueMs = 0;
  #burst: { fromMs: number; toMs: number } | undefined;
  #closed = false;
  readonly #stats = { taken: 0, delivered: 0, lost: 0, dropped: 0, reordered: 0, duplicated: 0, replayed: 0 };

  constructor(parts: ImpairedPathParts) {
    this.#parts = parts;
    this.#random = seededRandom(parts.seed);
  }

  get stats(): PathStats {
    return { ...this.#stats };
  }

  /** From now on; what is on its way already goes on. */
  impair(impairments: Impairments): void {
    for (const [name, share] of Object.entries(impairments)) {
      if (typeof share === 'number' && !(share >= 0)) throw new RangeError(`${name}: expected 0 or more, got ${share}`);
    }
    this.#impairments = impairments;
    this.#burst = undefined;
  }

  /** Takes a packet, and delivers it when it is due, or not, or twice. The bytes are the path's to keep. */
  send(packet: Uint8Array): void {
    if (this.#closed) return;
    this.#stats.taken++;
    const { duplicate = 0, replay = 0 } = this.#impairments;
    if (this.#isLost()) this.#stats.lost++;
    else {
      this.#carry(packet);
      if (this.#chance(duplicate)) {
        this.#stats.duplicated++;
        this.#carry(packet);
      }
    }
    if (this.#remembered.length > 0 && this.#chance(replay)) {
      this.#stats.replayed++;
      this.#carry(this.#remembered[Math.floor(this.#random() * this.#remembered.length)]!);
    }
    this.#remembered.push(packet);
    if (this.#remembered.length > REMEMBERED) this.#remembered.shift();
  }

  /** What is on its way never arrives. Closing twice is harmless. */
  close(): void {
    this.#closed = true;
    for (const cancel of this.#inFlight) cancel();
    this.#inFlight.clear();
    this.#remembered.length = 0;
  }

  #isLost(): boolean {
    const { blocked = false, loss = 0, bursts } = this.#impairments;
    // Each is drawn for every packet, so that one does not shift the fate that another has in store.
    const byChance = this.#chance(loss);
    return blocked || (bursts !== undefined && this.#inBurst(bursts)) || byChance;
  }

  #inBurst({ everyMs, lengthMs }: { everyMs: number; lengthMs: number }): boolean {
    const nowMs = this.#parts.clock.now();
    let burst = this.#burst;
    while (!burst || nowMs >= burst.toMs) {
      const fromMs = (burst?.toMs ?? nowMs) - everyMs * Math.log(1 - this.#random());
      burst = { fromMs, toMs: fromMs + lengthMs };
    }
    this.#burst = burst;
    return nowMs >= burst.fromMs;
  }

  #carry(packet: Uint8Array): void {
    const { delayMs = 0, jitterMs = 0, reorder = 0, reorderMs = REORDER_MS } = this.#impairments;
    const leftMs = this.#throughLine(packet.byteLength);
    if (leftMs === undefined || this.#inFlight.size >= IN_FLIGHT) {
      this.#stats.dropped++;
      return;
    }
    const overtaken = this.#chance(reorder);
    let dueMs = leftMs + delayMs + this.#random() * jitterMs;
    if (overtaken) {
      this.#stats.reordered++;
      dueMs += reorderMs;
    } else {
      dueMs = this.#lastDueMs = Math.max(dueMs, this.#lastDueMs);
    }
    this.#deliverAt(dueMs, packet);
  }

  /** When the packet has left a line of the given width; undefined where the queue in front of it is full. */
  #throughLine(bytes: number): number | undefined {
    const { bitsPerSecond, queueMs = QUEUE_MS } = this.#impairments;
    const nowMs = this.#parts.clock.now();
    if (bitsPerSecond === undefined) return nowMs;
    const startMs = Math.max(nowMs, this.#lineFreeMs);
    if (startMs - nowMs > queueMs) return undefined;
    this.#lineFreeMs = startMs + (bytes * 8000) / bitsPerSecond;
    return this.#lineFreeMs;
  }

  #deliverAt(dueMs: number, packet: Uint8Array): void {
    const waitMs = dueMs - this.#parts.clock.now();
    const deliver = () => {
      this.#stats.delivered++;
      this.#parts.deliver(packet);
    };
    if (waitMs <= 0 && this.#inFlight.size === 0) {
      deliver();
      return;
    }
    const cancel = this.#parts.after(waitMs, () => {
      this.#inFlight.delete(cancel);
      deliver();
    });
    this.#inFlight.add(cancel);
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }
}
