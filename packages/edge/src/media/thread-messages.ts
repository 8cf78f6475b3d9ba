import type { MessagePort } from 'node:worker_threads';
import type { WireError } from '@microturn/protocol';
import type { EngineId } from '../engine/engine-worker.js';
import type { Log } from '../telemetry/log.js';
import type { MediaEvent, MediaMethod, MediaOptions } from './types.js';

/** What the media thread is started with. */
export interface MediaThreadData {
  readonly options: MediaOptions;
}

/** Main to media thread. */
export type ToMediaThread =
  | { readonly id: number; readonly method: MediaMethod; readonly params: unknown }
  /** Where the micro-turns of this engine thread go from now on. The port is transferred. */
  | { readonly enginePort: MessagePort; readonly engine: EngineId }
  /** Another voice thread takes over. The port is transferred. */
  | { readonly voicePort: MessagePort };

/** Media thread to main. */
export type FromMediaThread =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: WireError }
  | { readonly event: MediaEvent }
  | { readonly log: { readonly level: keyof Log; readonly fields: object; readonly message: string } };
