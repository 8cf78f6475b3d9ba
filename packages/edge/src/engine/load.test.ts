import { rm } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { Admission } from './admission.js';
import { loadBundle, type Bundle } from './bundle.js';
import { FakeGraph, fakeManifest } from './fixtures/fake-graph.js';
import { tinyGraph, tinyManifest, writeBundle } from './fixtures/tiny-bundle.js';
import { lanePhaseMs } from './lane-phase.js';
import { OnnxModel } from './onnx-model.js';
import type { Decision } from './types.js';

// One engine thread in virtual time: the clock moves by what a step is said to cost, and by nothing else.

/** 20 ms, as the tiny bundle has it: every figure below scales. */
const TURN_MS = fakeManifest.microTurnMs;

class VirtualEngine {
  readonly clock = new ManualClock();
  readonly decisions: Decision[] = [];
  /** What one step takes; more rows take less than as many steps. */
  stepMs = (rows: number) => 0.5 + 0.5 * rows;
  readonly graph = new FakeGraph({ work: (rows) => this.clock.advance(this.stepMs(rows)) });
  readonly model: OnnxModel;
  readonly admission = new Admission(TURN_MS);
  readonly #laneSize: number;
  readonly #aligned: boolean;
  readonly #stepped = new Set<number>();
  readonly #rows: { push(index: number, dueMs: number): void; firstDueMs: number; next: number }[] = [];

  constructor({ laneSize = 1, aligned = true } = {}) {
    this.#laneSize = laneSize;
    this.#aligned = aligned;
    const { clock } = this;
    this.model = new OnnxModel(fakeManifest, this.graph, {
      rows: 64,
      laneSize,
      gatherMs: 0.4,
      clock,
      after: clock.after,
    });
  }

  /** Adds a row that hears silence from now on, cut where its lane's phase is, or where it happens to have joined. */
  add(): void {
    const row = this.#rows.length;
    const lease = row + 1;
    const stream = this.model.open(lease, (decision) => {
      this.decisions.push(decision);
      this.admission.note(decision, this.clock.now());
      this.#stepped.add(lease);
    });
    const push = (index: number, dueMs: number) =>
      stream.push({ lease, index, pcm: new Float32Array(160), lost: 0, play: 0, dueMs });
    const phaseMs = this.#aligned ? lanePhaseMs(0, Math.floor(row / this.#laneSize), TURN_MS) : (row * 7.3) % TURN_MS;
    const startMs = Math.ceil(this.clock.now() / TURN_MS) * TURN_MS;
    this.#rows.push({ push, firstDueMs: startMs + phaseMs + TURN_MS, next: 0 });
  }

  /** Adds a row if another is let in now. @returns whether it was */
  join(): boolean {
    const leases = this.#rows.length;
    if (leases >= this.admission.capacity(leases, this.#stepped.size, this.clock.now())) return false;
    this.add();
    return true;
  }

  get leases(): number {
    return this.#rows.length;
  }

  /** Posts what is due until `seconds` have passed, each micro-turn as soon as the clock has come to it. */
  async run(seconds: number): Promise<Decision[]> {
    const from = this.decisions.length;
    const endMs = this.clock.now() + seconds * 1000;
    while (this.clock.now() < endMs) {
      let nextMs = endMs;
      for (const row of this.#rows) {
        let dueMs = row.firstDueMs + row.next * TURN_MS;
        for (; dueMs <= this.clock.now(); dueMs += TURN_MS) row.push(row.next++, dueMs);
        nextMs = Math.min(nextMs, dueMs);
      }
      // Steps that were made ready run here, each a turn of the event loop long, and move the clock.
      const beforeMs = this.clock.now();
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      if (this.clock.now() === beforeMs) this.clock.advance(Math.max(0.1, Math.min(nextMs - beforeMs, 0.4)));
    }
    return this.decisions.slice(from);
  }
}

const share = (decisions: Decision[], is: (decision: Decision) => boolean) =>
  decisions.filter(is).length / decisions.length;

describe('an engine thread in virtual time', () => {
  it('keeps time with every row while it can, in lanes as alone', async () => {
    for (const laneSize of [1, 8]) {
      const engine = new VirtualEngine({ laneSize });
      for (let row = 0; row < 16; row++) engine.add();
      const decisions = await engine.run(1);
      expect(share(decisions, ({ lagMs }) => lagMs > TURN_MS)).toBe(0);
      expect(engine.model.stats).toMatchObject({ late: 0, dropped: 0 });
    }
  });

  it('steps aligned rows together, and rows that joined at any time one by one', async () => {
    const steps = [];
    for (const aligned of [true, false]) {
      const engine = new VirtualEngine({ laneSize: 8, aligned });
      for (let row = 0; row < 8; row++) engine.add();
      const decisions = await engine.run(1);
      steps.push(engine.model.stats.steps / decisions.length);
    }
    expect(steps[0]).toBeLessThan(0.13);
    expect(steps[1]).toBeGreaterThan(0.5);
  });

  it('conceals a single late micro-turn, and is back in phase with the next', async () => {
    const engine = new VirtualEngine();
    engine.add();
    await engine.run(0.2);
    const { stepMs } = engine;
    engine.stepMs = () => 30;
    await engine.run(0.02);
    engine.stepMs = stepMs;
    const after = await engine.run(0.4);
    expect(engine.model.stats.late).toBeGreaterThan(0);
    expect(engine.decisions.map(({ index }) => index)).toEqual(engine.decisions.map((_, i) => i));
    expect(share(after.slice(3), ({ lagMs }) => lagMs > 2)).toBe(0);
  });

  it('never lags by more than the micro-turns that may wait, decides each once, and recovers', async () => {
    const engine = new VirtualEngine();
    for (let row = 0; row < 4; row++) engine.add();
    const { stepMs } = engine;
    engine.stepMs = () => 12; // four rows of it are 48 ms in every 20
    const slow = await engine.run(1.5);
    expect(share(slow, ({ lagMs }) => lagMs > TURN_MS)).toBeGreaterThan(0.9);
    expect(Math.max(...slow.map(({ lagMs }) => lagMs))).toBeLessThan(3 * TURN_MS + 2 * 48);
    expect(engine.admission.capacity(4, 4, engine.clock.now())).toBe(3);
    engine.stepMs = stepMs;
    await engine.run(0.2); // what waits is caught up with
    const well = await engine.run(12);
    expect(share(well, ({ lagMs }) => lagMs > TURN_MS)).toBe(0);
    for (let lease = 1; lease <= 4; lease++) {
      const indexes = engine.decisions.filter((decision) => decision.lease === lease).map(({ index }) => index);
      expect(indexes).toEqual(indexes.map((_, i) => i));
    }
    engine.clock.advance(60_000);
    expect(engine.admission.capacity(4, 4, engine.clock.now())).toBe(Infinity);
  });

  it('lets in about as many as it can serve, when they come one by one', async () => {
    const engine = new VirtualEngine();
    engine.stepMs = () => 1.5; // 13 rows in 20 ms
    for (let joins = 0; joins < 24; joins++) {
      engine.join();
      await engine.run(0.5);
    }
    expect(engine.leases).toBeGreaterThanOrEqual(11);
    expect(engine.leases).toBeLessThanOrEqual(15);
  });
});

describe('fault 36: a storm of joins, in virtual time', () => {
  it('lets in as many as fit by what a step takes, and one more, before any of them has stepped, and none is late', async () => {
    const engine = new VirtualEngine();
    engine.stepMs = () => 1.5; // 13 rows in 20 ms, 9 in the share that steps may take
    for (let row = 0; row < 3; row++) engine.add();
    await engine.run(1);
    const answers = Array.from({ length: 200 }, () => engine.join());
    expect(answers.filter(Boolean)).toHaveLength(7);
    expect(answers.lastIndexOf(true)).toBe(6);
    const decisions = await engine.run(5);
    expect(share(decisions, ({ lagMs }) => lagMs > TURN_MS)).toBe(0);
    expect(engine.admission.capacity(10, 10, engine.clock.now())).toBe(11);
  });

  it('that goes on lets in one at a time from then on, until they are too many', async () => {
    const engine = new VirtualEngine();
    engine.stepMs = () => 1.5;
    for (let row = 0; row < 3; row++) engine.add();
    await engine.run(1);
    const letIn: number[] = [];
    for (let second = 0; second < 10; second++) {
      letIn.push(Array.from({ length: 20 }, () => engine.join()).filter(Boolean).length);
      await engine.run(1);
    }
    expect(letIn[0]).toBe(7);
    expect(Math.max(...letIn.slice(1))).toBe(1);
    expect(engine.leases).toBeLessThanOrEqual(15);
  });

  it('fills lanes by what a row takes in them', async () => {
    const engine = new VirtualEngine({ laneSize: 8 });
    engine.stepMs = (rows) => 0.6 + 0.3 * rows; // 3 ms for a full one
    for (let row = 0; row < 8; row++) engine.add();
    await engine.run(1);
    for (let asked = 0; asked < 200; asked++) engine.join();
    expect(engine.leases).toBe(38);
    expect(share(await engine.run(5), ({ lagMs }) => lagMs > TURN_MS)).toBe(0);
  });
});

describe('an hour of micro-turns in virtual time', () => {
  let bundle: Bundle;
  beforeAll(async () => {
    const files = { 'step.onnx': tinyGraph() };
    const folder = await writeBundle(tinyManifest(files), files);
    bundle = await loadBundle(folder);
    await rm(folder, { recursive: true });
  });

  const TURNS = 18_000;
  /** A hundred micro-turns of sound, over and over; a lane's other rows are somewhere else in it. */
  const sounds = Array.from({ length: 100 }, (_, i) =>
    new Float32Array(160).map((_, k) => 0.002 * Math.sin(i * 1.7) * Math.cos(k / (3 + (i % 7)))),
  );

  it('decides the same alone and in a lane, at the same cost and in flat memory from first to last', async () => {
    const clock = new ManualClock();
    const models = await Promise.all(
      [1, 4].map((laneSize) => OnnxModel.load(bundle, { rows: laneSize, laneSize, clock })),
    );
    let left = 0;
    let done = () => {};
    const taken: Pick<Decision, 'floor' | 'confidence'>[] = [];
    let differing = 0;
    const compare = ({ floor, confidence }: Decision) => {
      taken.push({ floor, confidence });
      if (taken.length < 2) return;
      const [one, other] = taken.splice(0);
      if (one!.floor !== other!.floor || one!.confidence !== other!.confidence) differing++;
    };
    const streams = models.flatMap((model) =>
      Array.from({ length: model.rows }, (_, row) =>
        model.open(row, (decision) => {
          if (row === 0) compare(decision);
          if (--left === 0) done();
        }),
      ).map((stream, row) => ({ stream, row })),
    );
    const cpuMs: number[] = [];
    const used: number[] = [];
    const tenth = TURNS / 10;
    for (let part = 0; part < 10; part++) {
      const before = process.cpuUsage();
      for (let index = part * tenth; index < (part + 1) * tenth; index++) {
        clock.advance(200);
        left = streams.length;
        const decided = new Promise<void>((resolve) => (done = resolve));
        for (const { stream, row } of streams) {
          const pcm = sounds[(index + 31 * row) % sounds.length]!;
          stream.push({ lease: row, index, pcm, lost: 0, play: 0, dueMs: clock.now() });
        }
        await decided;
      }
      const { user, system } = process.cpuUsage(before);
      cpuMs.push((user + system) / 1000);
      used.push(process.memoryUsage().rss);
    }
    expect(differing).toBe(0);
    for (const model of models) {
      expect(model.stats).toMatchObject({ steps: TURNS, muted: 0, dropped: 0, late: 0 });
      await model.close();
    }
    // Generous, for a machine with others on it: what grows with time would be many times over after an hour.
    expect(cpuMs[9]! / cpuMs[1]!).toBeLessThan(2.5);
    expect(used[9]! - used[1]!).toBeLessThan(96e6);
  });
});
