import type { WireError } from '@microturn/protocol';
import type { AttemptPart, ModelAsk } from './attempt.js';
import type { ModelSpec } from './model-spec.js';

/** From main to the models' thread. */
export type ModelRequest =
  | { type: 'ask'; id: number; spec: ModelSpec; ask: ModelAsk }
  /** Nobody reads it any more: what is not sent yet is dropped. */
  | { type: 'cancel'; id: number }
  /** The newest parcel was read. */
  | { type: 'read' }
  | { type: 'ping' };

/** Of an answer; after `end` or `failed` comes nothing. */
export type AnswerPart = AttemptPart | { readonly type: 'failed'; readonly error: WireError };

/** From the models' thread to main. */
export type ModelReport =
  | { type: 'ready' }
  /** What came since the last one, by question: oldest first, neighbouring text as one. */
  | { type: 'parcel'; answers: readonly (readonly [id: number, parts: readonly AnswerPart[]])[] }
  | { type: 'pong' };
