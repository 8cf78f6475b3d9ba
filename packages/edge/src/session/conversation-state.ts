import type { Audience, Floor, ResponseKind, ResponseWord, SessionEventBody } from '@microturn/protocol';
import type { Decision } from '../engine/index.js';
import { plainly, type Manner } from '../voice/index.js';

/** How a response stands. `cut` waits for the listener's last word on what was heard; then it is over. */
export type ResponsePhase = 'speaking' | 'ending' | 'cut';

export interface LiveResponse {
  readonly id: string;
  readonly kind: ResponseKind;
  readonly phase: ResponsePhase;
  readonly audience: Audience;
  /** `model` and `task` may go on while their words follow each other; what the app says is complete from the start. */
  readonly by: 'model' | 'app' | 'task';
  /** Calls of the voice that have not finished. */
  readonly speaking: number;
  readonly words: readonly ResponseWord[];
  /** Speech made so far, ms. */
  readonly lengthMs: number;
  /** From when on nothing was said in front of it. */
  readonly dueAtMs: number;
  readonly startedAtMs: number | undefined;
  /** Characters that it was asked to say. */
  readonly chars: number;
  /** Set when the last packet has left. */
  readonly sentAtMs: number | undefined;
  readonly heardMs: number;
  /** The listener's device plays nothing, as it told last. */
  readonly muted: boolean;
  readonly cutBy: 'user' | 'client' | 'agent' | undefined;
  readonly cutAtMs: number | undefined;
}

export interface Conversation {
  readonly participant: string;
  /** Whom the model speaks to. */
  readonly audience: Audience;
  /** False while the participant is away: then nothing is spoken, and what the agent says counts as unheard. */
  readonly listening: boolean;
  readonly floor: Floor;
  readonly responses: readonly LiveResponse[];
  /** A barge-in that is going on and has not taken the floor (yet). */
  readonly bargeIn: boolean;
  /** What the user stopped last and did not hear; `continue` says it after all. */
  readonly stopped: Stopped | undefined;
  /** What was said last, whether or not it was heard; `repeat` says it again. */
  readonly said: Said | undefined;
  /** How the agent was told to speak. */
  readonly manner: Manner;
  /** How many words each surface shows, by its id. */
  readonly shown: Readonly<Record<string, number>>;
  readonly reminders: number;
  /** A reply of the model waits for as long as another's response to the room is said: it does not belong to its moment. */
  readonly repliesKeep: boolean;
}

export interface Said {
  readonly text: string;
  readonly audience: Audience;
}

export interface Stopped extends Said {
  readonly atMs: number;
}

export type ConversationInput =
  /** `overhears`: the agent says something to the room that is another participant's. `behind`: responses that such a one is before. */
  | {
      type: 'decision';
      atMs: number;
      decision: Decision;
      responseId: string;
      overhears?: boolean;
      behind?: ReadonlySet<string>;
    }
  /** The model's words go on between two decisions. */
  | { type: 'more'; atMs: number; text: string; responseId: string }
  /** The app speaks through the agent: to whom the model does, unless it says to whom. */
  | { type: 'say'; atMs: number; responseId: string; text: string; audience?: Audience }
  /** What a background task has found: a response of its own, or more of the one that it has. */
  | { type: 'relay'; atMs: number; responseId: string; taskId: string; text: string }
  | { type: 'relay-end'; responseId: string }
  /** The agent takes back what it is saying. */
  | { type: 'drop'; atMs: number; responseId: string }
  /** One clause is made and on its way to the media thread; word times count from the start of the response. */
  | { type: 'clause'; responseId: string; text: string; words: readonly ResponseWord[]; lengthMs: number }
  | { type: 'spoken'; responseId: string }
  | {
      type: 'voice-failed';
      atMs: number;
      responseId: string;
      code: string;
      message: string;
      retryable: boolean;
      hint: string;
    }
  | { type: 'speech-started'; responseId: string; atMs: number }
  | { type: 'speech-sent'; responseId: string; atMs: number }
  | { type: 'heard'; responseId: string; heardMs: number; state: 'playing' | 'muted' }
  /** The user's client stops the agent: `heard` for each response comes before. */
  | { type: 'interrupt'; atMs: number }
  /** Another participant of the room took the floor: what this one has the agent say to the room ends. */
  | { type: 'overruled'; atMs: number; by: 'user' | 'client' }
  /** The participant went away, or came back: what is being said ends where they last heard it. */
  | { type: 'listener'; atMs: number; present: boolean };

/** What the session must do besides telling its client. */
export type ConversationEffect =
  | { do: 'speak'; responseId: string; audience: Audience; text: string; last: boolean; manner?: Manner }
  | { do: 'end'; responseId: string; audience: Audience }
  | { do: 'cut'; responseId: string; audience: Audience }
  /** This participant stopped what the agent says to the room for another. */
  | { do: 'overrule' };

export interface ConversationStep {
  readonly state: Conversation;
  readonly events: readonly SessionEventBody[];
  readonly effects: readonly ConversationEffect[];
}

export function startConversation(participant: string, audience: Audience = 'room', repliesKeep = false): Conversation {
  const nothing = { responses: [], bargeIn: false, stopped: undefined, said: undefined, shown: {}, reminders: 0 };
  return { participant, audience, listening: true, floor: 'silent', manner: plainly, repliesKeep, ...nothing };
}
