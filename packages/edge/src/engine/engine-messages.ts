import type { MessagePort } from 'node:worker_threads';
import type { WireError } from '@microturn/protocol';
import type { Decision, EngineStats, LeaseId, ModelInfo } from './types.js';

/** What the engine thread is started with. */
export interface EngineThreadData {
  readonly bundleDir: string;
  readonly rows: number;
  readonly laneSize: number;
}

/** Main to the engine thread. */
export type EngineRequest =
  | { readonly type: 'open' | 'close'; readonly lease: LeaseId }
  /** A port on which `MicroTurn`s will come (transferred). */
  | { readonly type: 'connect'; readonly port: MessagePort }
  | { readonly type: 'stats'; readonly id: number }
  /** Asks for a sign of life. */
  | { readonly type: 'ping' }
  | { readonly type: 'shutdown' };

/** The engine thread to main. */
export type EngineReport =
  | { readonly type: 'ready'; readonly info: ModelInfo }
  /** It could not start. */
  | { readonly type: 'failed'; readonly error: WireError }
  | { readonly type: 'decision'; readonly decision: Decision }
  /** `taken`: micro-turns that open rows were given so far. */
  | { readonly type: 'pong'; readonly taken: number }
  | { readonly type: 'lease.failed'; readonly lease: LeaseId; readonly error: WireError }
  | { readonly type: 'stats'; readonly id: number; readonly stats: EngineThreadStats };

export interface EngineThreadStats extends EngineStats {
  /** Micro-turns of a lease that is not, or no longer, open. */
  readonly unknown: number;
  /** Messages that were no micro-turn, or one of the wrong length. */
  readonly malformed: number;
}
