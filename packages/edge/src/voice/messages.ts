import type { MessagePort } from 'node:worker_threads';
import type { ResponseWord, WireError } from '@microturn/protocol';
import type { VoiceKey } from '../media/types.js';
import type { Manner } from './manner.js';
import type { VoiceSpec } from './open-voice.js';

/** A clause that is made, and is on its way to the media thread. */
export interface SpokenClause {
  readonly text: string;
  /** Times count from the start of the response's sound. */
  readonly words: readonly ResponseWord[];
  /** What the clause adds to the response, the pause before it included. */
  readonly lengthMs: number;
  /** Where in the response that begins. */
  readonly offsetMs: number;
}

/** From main to the voice thread. */
export type VoiceRequest =
  | { type: 'connect'; port: MessagePort }
  | {
      type: 'speak';
      job: number;
      voice: VoiceKey;
      responseId: string;
      text: string;
      last: boolean;
      /** Who speaks: one of the thread's `speakers`; its first voice where none is named. */
      speaker?: string | undefined;
      /** Whose response it is. */
      caller?: string | undefined;
      /** Its own where it is not told. */
      manner?: Manner | undefined;
      /** How long the response is already, for a thread that replaced the one that made it. */
      offsetMs: number;
    }
  | { type: 'end'; voice: VoiceKey; responseId: string }
  | { type: 'cancel'; responseId: string }
  /** May be said soon, by one of the thread's `speakers`. */
  | { type: 'rehearse'; speaker?: string | undefined; caller?: string | undefined; text: string }
  | { type: 'ping' };

/** From the voice thread to main. */
export type VoiceReport =
  | { type: 'ready'; name: string }
  | { type: 'failed'; error: WireError }
  | { type: 'clause'; job: number; clause: SpokenClause }
  /** Something went wrong and was made up for. */
  | { type: 'problem'; job: number; error: WireError }
  /** The last report of a job: all of its text is made. */
  | { type: 'done'; job: number; lengthMs: number }
  /** The last report of a job: the rest of its text is not said. */
  | { type: 'refused'; job: number; error: WireError }
  | { type: 'pong' };

/** What a voice thread is started with. */
export interface VoiceThreadData {
  /** One of `fliteVoices`, or `tones`. */
  readonly voice: string;
  /** Others, by the name that jobs use. */
  readonly speakers: Readonly<Record<string, VoiceSpec>>;
  /** Made while there is nothing else to do, so that saying it later costs nothing. */
  readonly warm: readonly string[];
}
