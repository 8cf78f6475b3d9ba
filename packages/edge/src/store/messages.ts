import type { WireError } from '@microturn/protocol';
import type { Stamp } from './stamp.js';
import type { SessionStore, StoreChange } from './types.js';

/** What the store thread is started with. */
export interface StoreThreadData {
  readonly file: string;
  readonly maxBytes: number;
}

export interface StoreRequests {
  write: { params: readonly StoreChange[]; result: void };
  find: { params: { tokenHash: string; now: Stamp }; result: Awaited<ReturnType<SessionStore['find']>> };
  list: { params: { sessionId: string; kind: string }; result: Awaited<ReturnType<SessionStore['list']>> };
  expire: { params: { now: Stamp }; result: number };
  close: { params: undefined; result: void };
}
export type StoreMethod = keyof StoreRequests;

/** Main to the store thread. Each is answered once, in order. */
export type ToStoreThread = {
  [M in StoreMethod]: { readonly id: number; readonly method: M; readonly params: StoreRequests[M]['params'] };
}[StoreMethod];

export type FromStoreThread =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: WireError }
  | { readonly setAside: { readonly name: string; readonly reason: string } };
