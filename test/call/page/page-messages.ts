import type { SessionEvent } from '@microturn/protocol';

export interface PageOptions {
  readonly url: string;
  readonly token: string;
  readonly room?: string;
  /** False only listens. */
  readonly microphone: boolean;
  readonly record: boolean;
}

/** What the page tells the tool as JSON; recorded sound goes as binary messages. Times are on the recording's clock. */
export type PageMessage =
  | { type: 'event'; event: SessionEvent; receivedMs: number }
  | { type: 'problem'; code: string; message: string; hint: string }
  | { type: 'connection'; status: string; atMs: number; code?: string; message?: string; hint?: string }
  | { type: 'microphone'; atMs: number }
  | { type: 'speaker'; blocked: boolean };
