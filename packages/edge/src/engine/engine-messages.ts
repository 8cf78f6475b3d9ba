import type { MessagePort } from 'node:worker_threads';
import type { WireError } from '@microturn/protocol';
import type { ThreadHeap } from '../thread-heap.js';
import type {
  Decision,
  EngineStats,
  LeaseId,
  ModelInfo,
  Perceived,
  Provider,
  ProviderChoice,
  Recovery,
} from './types.js';

/** What an engine thread is started with. */
export interface EngineThreadData {
  readonly bundleDir: string;
  readonly rows: number;
  readonly laneSize: number;
  readonly provider: ProviderChoice;
  /** Of a `NativeGate`. */
  readonly gate: SharedArrayBuffer;
  /** What the thread before it left of its rows. */
  readonly memory?: SharedArrayBuffer | undefined;
}

/** Main to the engine thread. */
export type EngineRequest =
  /** Main says which row: it has placed the session's clock on the phase of that row's lane. */
  | {
      readonly type: 'open';
      readonly lease: LeaseId;
      readonly row: number;
      /** Why the thread before is gone, where that had the lease: `lease.reset` follows. */
      readonly again?: WireError | undefined;
      /** That thread ended in one of its steps: it steps by itself until it is known not to be the cause. */
      readonly alone?: boolean;
    }
  | { readonly type: 'close'; readonly lease: LeaseId }
  /** Its row, which has heard nothing, goes on from what main has put into the memory of the rows for it. */
  | { readonly type: 'recall'; readonly lease: LeaseId }
  | { readonly type: 'perceive'; readonly lease: LeaseId; readonly perceived: Perceived }
  /** A port on which `MicroTurn`s will come (transferred). */
  | { readonly type: 'connect'; readonly port: MessagePort }
  | { readonly type: 'stats'; readonly id: number }
  /** Asks for a sign of life. */
  | { readonly type: 'ping' }
  | { readonly type: 'shutdown' };

/** The engine thread to main. */
export type EngineReport =
  | {
      readonly type: 'ready';
      readonly info: ModelInfo;
      readonly provider: Provider;
      readonly memory: SharedArrayBuffer;
    }
  /** The model is loaded anew, which blocks the thread; `fallback` follows. */
  | { readonly type: 'device.lost' }
  /** The device was lost: the model runs on this provider now. `lease.reset` of its rows follows. */
  | { readonly type: 'fallback'; readonly provider: Provider; readonly reason: string }
  /** It could not start. */
  | { readonly type: 'failed'; readonly error: WireError }
  | { readonly type: 'decision'; readonly decision: Decision }
  /** `taken`: micro-turns that open rows were given so far. */
  | { readonly type: 'pong'; readonly taken: number }
  /** The row was set back, and goes on. */
  | {
      readonly type: 'lease.reset';
      readonly lease: LeaseId;
      readonly error: WireError;
      /** What the runtime said: for the log. */
      readonly reason: string | undefined;
      readonly recovery: Recovery;
    }
  | {
      readonly type: 'lease.failed';
      readonly lease: LeaseId;
      readonly error: WireError;
      readonly reason: string | undefined;
    }
  | { readonly type: 'stats'; readonly id: number; readonly stats: EngineThreadStats };

export interface EngineThreadStats extends EngineStats, ThreadHeap {
  /** Micro-turns of a lease that is not, or no longer, open. */
  readonly unknown: number;
  /** Messages that were no micro-turn, or one of the wrong length. */
  readonly malformed: number;
}
