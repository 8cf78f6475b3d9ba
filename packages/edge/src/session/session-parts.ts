import type { AudienceChoice, MicroturnError, SessionEvent, SessionEventBody } from '@microturn/protocol';
import type { Clock } from '../clock.js';
import type { Decision, EngineId, LeaseId, ModelInfo, Perceived, Recovery, Remembered } from '../engine/index.js';
import type { MediaMethod, MediaRequests } from '../media/index.js';
import type { Picture } from '../picture.js';
import type { FoundSession } from '../store/index.js';
import type { Log } from '../telemetry/index.js';
import type { SpeakRequest } from '../voice/index.js';
import type { RoomAudience } from './audience.js';
import type { ServiceCounts } from './service-counts.js';
import type { OpenBackground, SessionTools, SpentTokens } from './background.js';

/** What a session needs of the media thread. */
export interface SessionMedia {
  request<M extends MediaMethod>(method: M, params: MediaRequests[M]['params']): Promise<MediaRequests[M]['result']>;
}

/** What a session needs of the engine: one row, and its decisions. */
export interface SessionEngine {
  readonly info: ModelInfo;
  /** Its replies answer what was said, whenever they are said: one waits for as long as another row speaks to the room. */
  readonly repliesKeep?: boolean | undefined;
  /** @throws {MicroturnError} `edge/full` where no row could be leased now */
  assertRoom(): void;
  lease(
    onDecision: (decision: Decision) => void,
    onFailed: (error: MicroturnError) => void,
    onReset: (error: MicroturnError, recovery: Recovery) => void,
    outlet: EngineOutlet,
  ): SessionRow;
}

/** What a model has to say besides its decisions. */
export interface EngineOutlet {
  /** Session ms now. */
  nowMs(): number;
  /** Words of an answer that go on between two decisions. */
  more(text: string): void;
  emit(event: SessionEventBody): void;
  /** What may be said soon: the voice may make it now. */
  rehearse?(text: string): void;
  /** An utterance is over, and these are all of its words: of a model that tells them besides its decisions. */
  heard?(utterance: ToldUtterance): void;
  /** The functions that it may call now; none where the session has no background. */
  tools?(): SessionTools | undefined;
}

export interface ToldUtterance {
  readonly words: readonly string[];
  /** Session ms at which it was begun. */
  readonly fromMs: number;
}

export interface SessionRow {
  readonly id: LeaseId;
  readonly engine: EngineId;
  /** Monotonic ms of session time 0: up to a micro-turn ahead, where the row's lane has its boundaries. */
  readonly zeroMs: number;
  /** Of the language model that speaks here, where one does. */
  readonly spent?: SpentTokens;
  /** Of the transcriber that hears for it, where one does. */
  readonly transcribed?: ServiceCounts['transcriber'];
  /** The model is told of what happens in its session, as the client is. */
  observe?(event: SessionEvent): void;
  /** The session was of another process, and this is what happened there. */
  restore?(events: readonly SessionEvent[]): void;
  /** What its model remembered last; undefined where that is not kept. */
  remembered?(): Remembered | undefined;
  /** Goes on from what a row of another process remembered. @returns whether it does */
  goOn?(remembered: Remembered): boolean;
  /** The first packet of a response left, at session ms. */
  speechStarted?(responseId: string, atMs: number): void;
  /** What the user types: as it stands now, or `sent`. */
  typed?(typed: TypedText): void;
  /** What there is to be seen with what is said and typed from now on. */
  show?(shown: Shown): void;
  /** What a bundle cannot hear: messages, the agent's words that were heard, and what waits for its word. */
  perceive?(perceived: Perceived): void;
  release(): void;
}

/** What the user shows now, by a name: a newer one of that name replaces it, and none takes it away. */
export interface Shown {
  readonly name: string;
  readonly pictures: readonly Picture[];
}

export interface TypedText {
  readonly field: string;
  readonly text: string;
  readonly sent: boolean;
}

/** What a session needs of the voice. Speech itself goes straight to the media thread. */
export interface SessionVoice {
  speak(request: SpeakRequest): Promise<unknown>;
  /** What may be said soon. @returns whether it is made now, and paid for */
  rehearse?(request: Pick<SpeakRequest, 'text' | 'speaker' | 'caller'>): boolean;
  end(responseId: string): void;
  cancel(responseId: string): void;
}

export interface SessionParts {
  readonly room: string;
  readonly participant: string;
  /** The room, as far as the agent speaks to it. */
  readonly roomAudience: RoomAudience;
  /** Whom the model speaks to. */
  readonly audience: AudienceChoice;
  readonly clock: Clock;
  readonly media: SessionMedia;
  readonly engine: SessionEngine;
  readonly voice: SessionVoice;
  /** Whose voice it is, where there are several. */
  readonly speaker?: string | undefined;
  readonly log: Log;
  /** Slow work off the path; without it nothing can be asked of a background model. */
  readonly background?: OpenBackground | undefined;
  /** Whether the sound of the last half minute is kept, for a model that has to hear it again. */
  readonly keepClip?: boolean | undefined;
  /** Called once, when the session is over for whatever reason. */
  readonly onClosed: (session: { readonly id: string }, reason: string) => void;
  /** @param lagMs from the end of the micro-turn to here, on main */
  readonly onDecision?: ((decision: Decision, lagMs: number) => void) | undefined;
}

/** Where a session of a process that is gone is taken up. */
export interface SessionOrigin extends FoundSession {
  readonly resumeToken: string;
  /** What its client has: more than was saved, where the process was killed between two saves. */
  readonly lastSeq: number;
}
