import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Floor } from '@microturn/protocol';
import type { DecoderState } from './decode.js';
import { HeardTurns } from './heard-turns.js';
import { inputBytes } from './lane-io.js';
import { rowElements, type Manifest } from './manifest.js';
import type { LeaseId } from './types.js';

/** What a row remembered after one of its micro-turns. */
export interface SavedRow {
  readonly lease: LeaseId;
  readonly index: number;
  /** Monotonic ms at which that micro-turn ended. */
  readonly dueMs: number;
  readonly decoder: DecoderState;
  readonly floor: Floor;
}

const HEAD_INTS = 5;
/** States of a row that are larger are not copied: once a second that would take longer than its step may wait. */
const MAX_STATE_BYTES = 4 << 20;
/** For a `SavedRow` as JSON. */
const NOTE_BYTES = 1024;
/** How much of what a row has heard is kept, where its states are not copied; less where all rows together would need more. */
const HEARD_MS = 20_000;
const MAX_HEARD_BYTES = 512 << 20;

/** What is kept of each row: copies of its states, or what it heard; and of which model. */
interface Kept {
  /** 32 bits that depend on every file of the bundle: what one model remembers means nothing to another of its shape. */
  readonly model: number;
  /** Floats of one row's states; 0 where they are not copied. */
  readonly stateSize: number;
  /** How many micro-turns it may hear again, and the bytes of one. */
  readonly turns: number;
  readonly turnBytes: number;
}

/**
 * Memory of the rows of one engine thread that outlives it, so that the thread that takes its place goes on from there:
 * each row's last two snapshots, or where states cannot be copied what it heard last, and which rows were in a step.
 * Written by the thread, without a word to main; a snapshot is numbered once it is whole, since a thread may end in the
 * middle of anything.
 */
export class RowMemory {
  readonly buffer: SharedArrayBuffer;
  readonly rows: number;
  readonly kept: Kept;
  /** What each row heard last; undefined where its states are kept. */
  readonly heard: HeardTurns | undefined;
  /** By row: 1 while it is in a step. */
  readonly #inStep: Int32Array;
  /** By row and slot: the number of the copy that is whole in it, from 1; 0 where none is. */
  readonly #copies: Int32Array;

  static create(rows: number, { model, stateSize, turns, turnBytes }: Kept): RowMemory {
    const heardBytes = turns > 0 ? HeardTurns.bytes(rows, turns, turnBytes) : 0;
    const buffer = new SharedArrayBuffer(heardAt(rows, stateSize) + heardBytes);
    new Int32Array(buffer, 0, HEAD_INTS).set([rows, model, stateSize, turns, turnBytes]);
    return new RowMemory(buffer);
  }

  constructor(buffer: SharedArrayBuffer) {
    const [rows = 0, model = 0, stateSize = 0, turns = 0, turnBytes = 0] = new Int32Array(buffer, 0, HEAD_INTS);
    this.buffer = buffer;
    this.rows = rows;
    this.kept = { model, stateSize, turns, turnBytes };
    this.heard = turns > 0 ? new HeardTurns(buffer, heardAt(rows, stateSize), rows, turns, turnBytes) : undefined;
    this.#inStep = new Int32Array(buffer, 4 * HEAD_INTS, rows);
    this.#copies = new Int32Array(buffer, 4 * (HEAD_INTS + rows), 2 * rows);
  }

  /**
   * @param state fills in the row's states, [stateSize], or returns false where it cannot
   * @returns whether there is a new copy
   */
  save(row: number, saved: SavedRow, state: (into: Float32Array) => boolean): boolean {
    const bytes = new TextEncoder().encode(JSON.stringify(saved));
    if (bytes.length > NOTE_BYTES) return false;
    const [first = 0, second = 0] = this.#copiesOf(row);
    const slot = first < second ? 0 : 1;
    const { note, floats } = this.#slotOf(row, slot);
    Atomics.store(this.#copies, 2 * row + slot, 0);
    note.fill(0x20).set(bytes);
    if (!state(floats)) return false;
    Atomics.store(this.#copies, 2 * row + slot, Math.max(first, second) + 1);
    return true;
  }

  /** What the row remembered under this lease, the newest first. */
  load(row: number, lease: LeaseId): { readonly saved: SavedRow; readonly state: Float32Array }[] {
    const copies = this.#copiesOf(row);
    return [0, 1]
      .filter((slot) => copies[slot]! > 0)
      .sort((a, b) => copies[b]! - copies[a]!)
      .map((slot) => {
        const { note, floats } = this.#slotOf(row, slot);
        return { saved: JSON.parse(new TextDecoder().decode(Uint8Array.from(note))) as SavedRow, state: floats };
      })
      .filter(({ saved }) => saved.lease === lease);
  }

  /** A step begins or ends. @param first the row that is the 0 of `rows` */
  mark(rows: Iterable<number>, inStep: boolean, first = 0): void {
    for (const row of rows) Atomics.store(this.#inStep, first + row, inStep ? 1 : 0);
  }

  /** The rows that were in a step when the thread ended; asked once. */
  takeMarked(): number[] {
    const marked = [...this.#inStep.keys()].filter((row) => this.#inStep[row] === 1);
    this.mark(marked, false);
    return marked;
  }

  #copiesOf(row: number): number[] {
    return [0, 1].map((slot) => Atomics.load(this.#copies, 2 * row + slot));
  }

  #slotOf(row: number, slot: number): { note: Uint8Array; floats: Float32Array } {
    const start = slotsAt(this.rows) + (2 * row + slot) * slotBytes(this.kept.stateSize);
    return {
      note: new Uint8Array(this.buffer, start, NOTE_BYTES),
      floats: new Float32Array(this.buffer, start + NOTE_BYTES, this.kept.stateSize),
    };
  }
}

function slotsAt(rows: number): number {
  return aligned(4 * (HEAD_INTS + 3 * rows));
}

function slotBytes(stateSize: number): number {
  return aligned(NOTE_BYTES + 4 * stateSize);
}

function heardAt(rows: number, stateSize: number): number {
  return slotsAt(rows) + 2 * rows * slotBytes(stateSize);
}

/** Copying to what does not begin on a multiple of 8 takes seven times as long. */
function aligned(bytes: number): number {
  return 8 * Math.ceil(bytes / 8);
}

/**
 * The memory that a thread before this one left, where it fits the model; else a new one.
 * @param copies whether a row's states can be copied; what it hears is kept where they cannot, or are too large
 */
export function memoryFor(
  manifest: Manifest,
  rows: number,
  { copies, left }: { readonly copies: boolean; readonly left?: SharedArrayBuffer | undefined },
): RowMemory {
  const kept = keptOf(manifest, rows, copies);
  const memory = left && new RowMemory(left);
  return memory?.rows === rows && isDeepStrictEqual(memory.kept, kept) ? memory : RowMemory.create(rows, kept);
}

function keptOf(manifest: Manifest, rows: number, copies: boolean): Kept {
  const model = modelOf(manifest);
  const stateSize = manifest.states.reduce((sum, { shape }) => sum + rowElements(shape), 0);
  if (copies && 4 * stateSize <= MAX_STATE_BYTES) return { model, stateSize, turns: 0, turnBytes: 0 };
  const turnBytes = inputBytes(manifest);
  const fitting = Math.floor(MAX_HEARD_BYTES / (rows * turnBytes));
  return { model, stateSize: 0, turns: Math.min(Math.ceil(HEARD_MS / manifest.microTurnMs), fitting), turnBytes };
}

function modelOf({ files }: Manifest): number {
  const hashes = Object.entries(files).map(([name, { sha256 }]) => `${name} ${sha256}\n`);
  return createHash('sha256').update(hashes.sort().join('')).digest().readInt32LE();
}
