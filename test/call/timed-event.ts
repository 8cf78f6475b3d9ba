import type { SessionEvent } from '@microturn/protocol';

/** A session event, and when it reached the page: ms on the recording's clock, 0 at its first sample. */
export type TimedEvent = SessionEvent & { readonly receivedMs: number };
