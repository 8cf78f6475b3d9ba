import type { SavedRow } from './row-memory.js';

/** What a row remembered after one of its micro-turns: enough for a row of another process to go on from. */
export interface Remembered extends Pick<SavedRow, 'index' | 'decoder' | 'floor'> {
  /** The row's states, one after the other, as its bundle orders them. */
  readonly state: Float32Array;
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
