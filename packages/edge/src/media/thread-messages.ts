import type { MessagePort } from 'node:worker_threads';
import type { WireError } from '@microturn/protocol';
import type { Log } from '../telemetry/log.js';
import type { MediaEvent, MediaMethod, MediaOptions, MediaPorts } from './types.js';

/** What the media thread is started with; the ports are transferred. */
export interface MediaThreadData extends MediaPorts {
  readonly options: MediaOptions;
}

/** Main to media thread. */
export type ToMediaThread =
  | { readonly id: number; readonly method: MediaMethod; readonly params: unknown }
  /** Another engine thread takes over. The port is transferred. */
  | { readonly enginePort: MessagePort }
  /** Another voice thread takes over. The port is transferred. */
  | { readonly voicePort: MessagePort };

/** Media thread to main. */
export type FromMediaThread =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: WireError }
  | { readonly event: MediaEvent }
  | { readonly log: { readonly level: keyof Log; readonly fields: object; readonly message: string } };
