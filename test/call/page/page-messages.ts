import type { SessionEvent } from '@microturn/protocol';

export interface PageOptions {
  readonly url: string;
  readonly token: string;
  readonly room?: string;
  /** False only listens. */
  readonly microphone: boolean;
  readonly record: boolean;
  readonly ducking: boolean;
}

/** Sound goes to the tool as a binary message: one of these and an RTP time (u32), its arrival (f64, ms), and samples of 16 bits. */
export const HEADER_BYTES = 16;
export const RECORDED = 0;
export const RECEIVED_PACKET = 1;

/** What the page tells the tool as JSON. Times are on the recording's clock. */
export type PageMessage =
  | { type: 'event'; event: SessionEvent; receivedMs: number }
  | { type: 'problem'; code: string; message: string; hint: string }
  | { type: 'connection'; status: string; atMs: number; code?: string; message?: string; hint?: string }
  | { type: 'microphone'; atMs: number }
  | { type: 'speaker'; blocked: boolean; ducked: boolean; atMs: number };
