import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { EngineLoad } from '../engine/engine-host.js';
import type { Decision } from '../engine/types.js';

/** Histograms have an edge at the micro-turn's 200 ms, where a decision becomes late. */
const TURN_BUCKETS_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 1];
const LOOK_MS = 10;

/** Everything `/metrics` shows. One registry per edge, so that two in a process do not mix. */
export class EdgeMetrics {
  readonly registry = new Registry();
  readonly sessions = new Gauge({ name: 'microturn_sessions', help: 'Sessions now', registers: [this.registry] });
  readonly rooms = new Gauge({ name: 'microturn_rooms', help: 'Rooms now', registers: [this.registry] });
  readonly joins = new Counter({
    name: 'microturn_joins_total',
    help: 'Joins by outcome: ok, or the code of the error',
    labelNames: ['outcome'],
    registers: [this.registry],
  });
  readonly messages = new Counter({
    name: 'microturn_messages_refused_total',
    help: 'Client messages refused, by code',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly turns = new Counter({
    name: 'microturn_turns_total',
    help: 'Micro-turns decided',
    registers: [this.registry],
  });
  readonly late = new Counter({
    name: 'microturn_turns_late_total',
    help: 'Micro-turns decided more than one micro-turn after they ended',
    registers: [this.registry],
  });
  readonly leases = new Gauge({
    name: 'microturn_engine_leases',
    help: 'Rows of the engine that are leased',
    registers: [this.registry],
  });
  readonly capacity = new Gauge({
    name: 'microturn_engine_capacity',
    help: 'Rows that are let at once: as configured, or as many as the engine was measured to keep time with',
    registers: [this.registry],
  });
  readonly engineLag = new Gauge({
    name: 'microturn_engine_lag_p99_seconds',
    help: 'From the end of a micro-turn to its decision on the slowest engine thread, last ten seconds, p99',
    registers: [this.registry],
  });
  readonly engineLate = new Gauge({
    name: 'microturn_engine_late_ratio',
    help: 'Share of micro-turns decided late on the slowest engine thread, last ten seconds',
    registers: [this.registry],
  });
  readonly step = new Histogram({
    name: 'microturn_step_seconds',
    help: 'One run of the model',
    buckets: TURN_BUCKETS_SECONDS,
    registers: [this.registry],
  });
  readonly lag = new Histogram({
    name: 'microturn_turn_lag_seconds',
    help: 'From the end of a micro-turn to its decision on main',
    buckets: TURN_BUCKETS_SECONDS,
    registers: [this.registry],
  });
  readonly place = new Gauge({
    name: 'microturn_media_place_p99_seconds',
    help: 'RTP in to PCM placed, p99',
    registers: [this.registry],
  });
  readonly send = new Gauge({
    name: 'microturn_media_send_p99_seconds',
    help: 'PCM due to RTP sent, p99',
    registers: [this.registry],
  });
  readonly tickLate = new Gauge({
    name: 'microturn_media_tick_late_p99_seconds',
    help: 'Lateness of the media thread’s 5 ms tick, p99: what a packet may wait for the thread',
    registers: [this.registry],
  });
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
  noteDecision({ stepMs }: Decision, lagMs: number, microTurnMs: number): void {
    this.turns.inc();
    this.step.observe(stepMs / 1000);
    this.lag.observe(lagMs / 1000);
    if (lagMs > microTurnMs) this.late.inc();
  }

  noteEngine({ leases, capacity, lateShare, lagP99Ms }: EngineLoad): void {
    this.leases.set(leases);
    this.capacity.set(capacity);
    this.engineLate.set(lateShare);
    this.engineLag.set(lagP99Ms / 1000);
  }

  close(): void {
    this.#delay.disable();
    this.registry.clear();
  }
}
