import type { Audience, Floor, MicroturnError, ResponseKind, TaskOrigin, TaskStatus } from '@microturn/protocol';

/** What the agent does now. Not exclusive: it listens while it speaks. */
export interface AgentState {
  /** The call is up, and not `reconnecting`, so the model hears every micro-turn of the microphone; nothing gates it. */
  readonly listening: boolean;
  /** A response is being said, and the call is up: while it is `reconnecting` none is heard, though it may go on. */
  readonly speaking: boolean;
  /** Background work is under way. */
  readonly thinking: boolean;
  /** The agent and this participant speak at the same time. */
  readonly overlapping: boolean;
}

/** What the model believes about this participant. */
export interface FloorState {
  readonly floor: Floor;
  /** In [0, 1]. */
  readonly confidence: number;
  /** Session ms of the change. */
  readonly at: number;
}

export interface UserWord {
  /** `<unk>` where `unknown`. */
  readonly text: string;
  /** Session ms. */
  readonly endMs: number;
  /** Session ms, only where the model gives it. */
  readonly startMs?: number;
  readonly confidence: number;
  readonly final: boolean;
  /** The model heard a word that it has no name for. */
  readonly unknown: boolean;
}

/** What a person said, up to where the floor was yielded or a long pause; or a message that they typed and sent. */
export interface UserUtterance {
  readonly speaker: 'user';
  readonly id: string;
  readonly participant: string;
  /** Typed and sent, not spoken: it is final, and all of it is in `text`. */
  readonly typed: boolean;
  /** What was heard, word by word: none where it is `typed`. */
  readonly words: readonly UserWord[];
  /** The words as one line, where unknown ones are an ellipsis; or the message as it was typed. */
  readonly text: string;
  readonly status: 'partial' | 'final';
  /** Session ms of the first word: its start where given, else its end. Of a message, when the edge took it. */
  readonly startMs: number;
  /** Session ms of the last word's end. Of a message, as `startMs`. */
  readonly endMs: number;
}

export interface AgentWord {
  readonly text: string;
  /** In the response's own audio. */
  readonly startMs: number;
  readonly endMs: number;
  /** Played by the listener's device, by the listener's clock. */
  readonly heard: boolean;
}

/** One contiguous run of agent speech. */
export interface AgentResponse {
  readonly speaker: 'agent';
  /** The responseId. */
  readonly id: string;
  readonly kind: ResponseKind;
  readonly audience: Audience;
  readonly taskId?: string;
  readonly words: readonly AgentWord[];
  readonly text: string;
  readonly status: 'speaking' | 'completed' | 'interrupted';
  /** Session ms at which it started. */
  readonly startMs: number;
  /** How much of its audio was heard so far. */
  readonly heardMs: number;
  readonly heardText: string;
  /** Who stopped it, where it was interrupted. */
  readonly interruptedBy?: 'user' | 'client' | 'agent';
}

export type TranscriptEntry = UserUtterance | AgentResponse;

/** Speech that started while the other side held the floor. */
export interface InterruptionRecord {
  readonly id: string;
  /** `stop`: this app's own `interrupt()`. */
  readonly kind: 'barge-in' | 'backchannel' | 'interjection' | 'stop';
  readonly by: 'user' | 'agent' | 'client';
  readonly participant?: string;
  /** Whether the floor changed hands. */
  readonly taken: boolean;
  /** Session ms. */
  readonly at: number;
  /** The response that was talked over, or, for an interjection, the one that was said. */
  readonly responseId?: string;
  /** Where the response was cut: how much of it had been heard. */
  readonly heardMs?: number;
}

/** One piece of background work. */
export interface BackgroundTask {
  readonly id: string;
  /** Rises when it is amended. */
  readonly revision: number;
  /** What it is about, in a few words. */
  readonly title: string;
  /** What is asked, as far as its words are known. */
  readonly prompt: string;
  readonly origin: TaskOrigin;
  /**
   * `done`: there is a result, and it has not been said yet; `woven`: it has; `stale`: it will not be, as when the call ended, or what
   * became of it was lost with the link.
   */
  readonly status: TaskStatus;
  /** What it is doing. */
  readonly note?: string;
  /** The result so far. */
  readonly text: string;
  /** What it must know to go on: `session.answer()`, or spoken. */
  readonly question?: TaskQuestion;
  /** Why it failed. */
  readonly error?: MicroturnError;
  /** Session ms at which it was asked. */
  readonly at: number;
}

export interface TaskQuestion {
  readonly id: string;
  readonly text: string;
  /** A yes or no to a function that changes something. */
  readonly approval?: { readonly tool: string; readonly arguments: unknown };
}

export interface SessionStats {
  readonly rttMs?: number;
  /** Share of the packets, in [0, 1]. */
  readonly loss: number;
  readonly jitterMs: number;
  /** From the end of a micro-turn to its decision. */
  readonly turnLagMs: number;
  /** The model's step. */
  readonly stepMs: number;
}
