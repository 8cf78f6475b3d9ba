import type { MicroturnError } from '@microturn/protocol';
import type { Clock } from '../clock.js';
import { decode, freshDecoder } from './decode.js';
import type { HeardTurn } from './heard-turns.js';
import type { RowOutputs } from './lane-io.js';
import type { Manifest } from './manifest.js';
import type { LaneRows, OpenRow } from './open-row.js';
import type { RowMemory } from './row-memory.js';
import type { MicroTurn } from './types.js';

/** How often what a row remembers is copied. */
const SNAPSHOT_MS = 1000;
/** How long a row hears again what it heard, before it hears only as many more: it hears nothing else meanwhile. */
const REPLAY_MS = 1500;

/**
 * What is kept of rows, and how they go on from it. Where states can be copied, from the last copy, at once. Where they
 * cannot, as on a device, from nothing: the row hears its last micro-turns again, and nothing is decided on them.
 */
export class RowRecovery {
  readonly #memory: RowMemory;
  readonly #manifest: Manifest;
  readonly #clock: Clock;
  readonly #saveEvery: number;
  /** Lanes of which rows hear again, the one whose turn it is first. */
  readonly #replaying: LaneRows[] = [];

  constructor(memory: RowMemory, manifest: Manifest, clock: Clock) {
    this.#memory = memory;
    this.#manifest = manifest;
    this.#clock = clock;
    this.#saveEvery = Math.ceil(SNAPSHOT_MS / manifest.microTurnMs);
  }

  /** Keeps what a row has heard in the step that it just took, or once a second what it remembers. */
  keep(row: OpenRow, { index, play, dueMs }: MicroTurn): void {
    const { lease, decoder, floor, place } = row;
    const { lane } = row.lane;
    if (row.replay) return;
    this.#memory.heard?.add(place.row, lease, { index, play }, (into) => lane.copyInputs(row.index, into));
    if (this.#memory.kept.stateSize === 0 || index < row.savedIndex + this.#saveEvery) return;
    row.savedIndex = index;
    this.#memory.save(place.row, { lease, index, dueMs, decoder, floor }, (into) => lane.read(row.index, into));
  }

  /** Has a row go on from what is kept of it. It is told how: now, or when it has heard again what it heard. */
  goBack(row: OpenRow, cause: MicroturnError): 'kept' | 'nothing' {
    const snapshotAgeMs = this.recall(row);
    if (snapshotAgeMs !== undefined) {
      row.replay = undefined;
      row.onReset?.(cause, { snapshotAgeMs });
      return 'kept';
    }
    const turns = this.#memory.heard?.of(row.place.row, row.lease) ?? [];
    if (turns.length === 0) {
      this.forget(row, cause);
      return 'nothing';
    }
    row.replay = { turns, sinceMs: this.#clock.now(), cause, next: 0, heard: 0, hurried: false };
    if (!this.#replaying.includes(row.lane)) this.#replaying.push(row.lane);
    return 'kept';
  }

  /** Has a row go on from its last copy. @returns how old that is; undefined where there is none */
  recall(row: OpenRow): number | undefined {
    const { lease, place } = row;
    // Whether a copy is finite is looked at here, and not whenever one is made: it is seldom gone back to.
    const found = this.#memory.load(place.row, lease).find(({ state }) => row.lane.lane.restore(row.index, state));
    if (!found) return undefined;
    row.decoder = found.saved.decoder;
    row.floor = found.saved.floor;
    row.savedIndex = found.saved.index;
    return Math.max(0, this.#clock.now() - found.saved.dueMs);
  }

  /** Has a row begin anew. */
  forget(row: OpenRow, cause: MicroturnError): void {
    this.#clear(row);
    row.replay = undefined;
    row.onReset?.(cause, {});
  }

  /** A lane of which rows hear again, by turns; undefined where none does. */
  nextLane(): LaneRows | undefined {
    const lane = this.#replaying.shift();
    if (lane && [...lane.rows.values()].some(({ replay }) => replay)) this.#replaying.push(lane);
    return lane;
  }

  /** What a row hears next; undefined where it hears nothing again, or is done with it, which it is told. */
  next(row: OpenRow): HeardTurn | undefined {
    const { replay } = row;
    if (!replay) return undefined;
    if (!replay.hurried && this.#clock.now() - replay.sinceMs > REPLAY_MS) {
      replay.hurried = true;
      // The latest: what was said last counts most.
      replay.next = Math.max(replay.next, replay.turns.length - replay.heard);
    }
    const turn = replay.turns[replay.next];
    if (turn) {
      if (replay.next === 0) this.#clear(row);
      return turn;
    }
    row.replay = undefined;
    row.onReset?.(replay.cause, { replayedMs: replay.heard * this.#manifest.microTurnMs });
    return undefined;
  }

  /** A row has heard `turn` again. */
  heardAgain(row: OpenRow, turn: HeardTurn, outputs: RowOutputs | undefined): void {
    const { replay } = row;
    // Set back once more meanwhile: it hears all of it again.
    if (replay?.turns[replay.next] !== turn) return;
    replay.next++;
    if (!outputs) return;
    replay.heard++;
    const { decoded, state } = decode(this.#manifest, row.decoder, outputs, turn);
    row.decoder = state;
    row.floor = decoded.floor;
  }

  #clear(row: OpenRow): void {
    row.lane.lane.clear(row.index);
    row.decoder = freshDecoder;
  }
}
