import type { RowMemory, SavedRow } from './row-memory.js';
import type { LeaseId } from './types.js';

/** What a row remembered after one of its micro-turns: enough for a row of another process to go on from. */
export interface Remembered extends Pick<SavedRow, 'index' | 'decoder' | 'floor'> {
  /** The row's states, one after the other, as its bundle orders them. */
  readonly state: Float32Array;
}

/** The newest copy of a row that is sound, under this lease. */
export function rememberedOf(memory: RowMemory, row: number, lease: LeaseId): Remembered | undefined {
  const copy = memory.load(row, lease).find(({ state }) => state.every(Number.isFinite));
  return copy && { ...copy.saved, state: copy.state.slice() };
}

/** Makes it a row's newest copy. @returns false, and nothing changes, where the memory is for rows of another shape */
export function putRemembered(
  memory: RowMemory,
  row: number,
  { lease, dueMs }: Pick<SavedRow, 'lease' | 'dueMs'>,
  { index, decoder, floor, state }: Remembered,
): boolean {
  if (state.length === 0 || state.length !== memory.kept.stateSize) return false;
  return memory.save(row, { lease, dueMs, index, decoder, floor }, (into) => {
    into.set(state);
    return true;
  });
}

/** To be kept by whoever knows nothing of models. */
export function rememberedToJson({ index, decoder, floor, state }: Remembered): string {
  const bytes = Buffer.from(state.buffer, state.byteOffset, state.byteLength);
  return JSON.stringify({ index, decoder, floor, state: bytes.toString('base64') });
}

/** @param json as `rememberedToJson` made it */
export function rememberedFromJson(json: string): Remembered {
  const { state, ...saved } = JSON.parse(json) as Omit<Remembered, 'state'> & { readonly state: string };
  // A copy of its own: what `Buffer` makes of text may begin anywhere.
  const bytes = Uint8Array.from(Buffer.from(state, 'base64'));
  return { ...saved, state: new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / 4)) };
}
