import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { EngineLoad } from '../engine/engine-host.js';
import type { Decision } from '../engine/types.js';
import type { MediaStats } from '../media/types.js';
import type { ThreadHeap } from '../thread-heap.js';

/** Histograms have an edge at the micro-turn's 200 ms, where a decision becomes late. */
const TURN_BUCKETS_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 1];
const LOOK_MS = 10;

/** Everything `/metrics` shows. One registry per edge, so that two in a process do not mix. */
export class EdgeMetrics {
  readonly registry = new Registry();
  readonly sessions = this.#gauge('sessions', 'Sessions now');
  readonly rooms = this.#gauge('rooms', 'Rooms now');
  readonly joins = this.#counter('joins_total', 'Joins by outcome: ok, or the code of the error', ['outcome']);
  readonly messages = this.#counter('messages_refused_total', 'Client messages refused, by code', ['code']);
  readonly turns = this.#counter('turns_total', 'Micro-turns decided');
  readonly late = this.#counter('turns_late_total', 'Micro-turns decided more than one micro-turn after they ended');
  readonly muted = this.#counter(
    'turns_muted_total',
    'Micro-turns in which the model gave no usable numbers, and decided nothing',
  );
  readonly leases = this.#gauge('engine_leases', 'Rows of the engine that are leased');
  readonly capacity = this.#gauge(
    'engine_capacity',
    'Rows that are let at once: as configured, or as many as the engine was measured to keep time with',
  );
  readonly engineLag = this.#gauge(
    'engine_lag_p99_seconds',
    'From the end of a micro-turn to its decision on the slowest engine thread, last ten seconds, p99',
  );
  readonly engineLate = this.#gauge(
    'engine_late_ratio',
    'Share of micro-turns decided late on the slowest engine thread, last ten seconds',
  );
  readonly storeDegraded = this.#gauge('store_degraded', '1 while sessions cannot be kept on disk, and live in memory');
  readonly step = this.#histogram('step_seconds', 'One run of the model');
  readonly lag = this.#histogram('turn_lag_seconds', 'From the end of a micro-turn to its decision on main');
  readonly place = this.#gauge('media_place_p99_seconds', 'RTP in to PCM placed, p99');
  readonly send = this.#gauge('media_send_p99_seconds', 'PCM due to RTP sent, p99');
  readonly tickLate = this.#gauge(
    'media_tick_late_p99_seconds',
    'Lateness of the media thread’s 5 ms tick, p99: what a packet may wait for the thread',
  );
  readonly uplinkPackets = this.#counter(
    'uplink_packets_total',
    'Packets of microphones: received, and of them malformed, duplicate, late for their micro-turn, or refused: more than a microphone sends; and lost',
    ['fate'],
  );
  readonly uplinkConcealed = this.#counter(
    'uplink_concealed_seconds_total',
    'Sound of microphones that was made up, or missing',
  );
  readonly threadHeap = this.#gauge(
    'thread_heap_bytes',
    'JavaScript heap of the threads beside main: used, and held for that; of all engine threads together',
    ['thread', 'of'],
  );
  readonly #delay = monitorEventLoopDelay({ resolution: LOOK_MS });

  readonly loopDelay: Gauge;

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    this.#delay.enable();
    const delay = this.#delay;
    this.loopDelay = new Gauge({
      name: 'microturn_loop_delay_p99_seconds',
      help: 'Event-loop delay of main since the last scrape, p99',
      registers: [this.registry],
      collect() {
        // It counts from look to look, so its own interval is in every value.
        this.set(Math.max(0, delay.percentile(99) / 1e9 - LOOK_MS / 1000));
        delay.reset();
      },
    });
  }

  /** @param lagMs from the end of the micro-turn to its decision here, on main */
  noteDecision({ stepMs, muted }: Decision, lagMs: number, microTurnMs: number): void {
    this.turns.inc();
    this.step.observe(stepMs / 1000);
    this.lag.observe(lagMs / 1000);
    if (lagMs > microTurnMs) this.late.inc();
    if (muted) this.muted.inc();
  }

  noteEngine({ leases, capacity, lateShare, lagP99Ms }: EngineLoad): void {
    this.leases.set(leases);
    this.capacity.set(capacity);
    this.engineLate.set(lateShare);
    this.engineLag.set(lagP99Ms / 1000);
  }

  /** @param uplinks totals of the media thread, which begin anew with another one */
  noteUplinks({ packets, lost, late, duplicates, malformed, refused, concealedMs }: MediaStats['uplinks']): void {
    this.uplinkPackets.reset();
    const fates = { received: packets, lost, late, duplicate: duplicates, malformed, refused };
    for (const [fate, count] of Object.entries(fates)) this.uplinkPackets.inc({ fate }, count);
    this.uplinkConcealed.reset();
    this.uplinkConcealed.inc(concealedMs / 1000);
  }

  noteHeap(thread: 'media' | 'engine', { heapUsedBytes, heapHeldBytes }: ThreadHeap): void {
    this.threadHeap.set({ thread, of: 'used' }, heapUsedBytes);
    this.threadHeap.set({ thread, of: 'held' }, heapHeldBytes);
  }

  #gauge<Label extends string = never>(name: string, help: string, labelNames: Label[] = []): Gauge<Label> {
    return new Gauge({ name: `microturn_${name}`, help, labelNames, registers: [this.registry] });
  }

  #counter<Label extends string = never>(name: string, help: string, labelNames: Label[] = []): Counter<Label> {
    return new Counter({ name: `microturn_${name}`, help, labelNames, registers: [this.registry] });
  }

  /** Of seconds, on the scale of a micro-turn. */
  #histogram(name: string, help: string): Histogram {
    return new Histogram({
      name: `microturn_${name}`,
      help,
      buckets: TURN_BUCKETS_SECONDS,
      registers: [this.registry],
    });
  }

  close(): void {
    this.#delay.disable();
    this.registry.clear();
  }
}
