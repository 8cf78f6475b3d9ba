import {
  patchSurfaces,
  type Audience,
  type Floor,
  type SessionEvent,
  type SessionEventOf,
  type Surfaces,
} from '@microturn/protocol';
import { recordCut, recordInterjection, recordInterruption } from './interruptions.js';
import { abandonResponse, reduceResponse, startResponse, type ResponseEvent } from './responses.js';
import type {
  AgentResponse,
  AgentState,
  BackgroundTask,
  FloorState,
  InterruptionRecord,
  SessionStats,
  TranscriptEntry,
  UserUtterance,
} from './types.js';
import { abandonTasks, isWorking, reduceTasks } from './tasks.js';
import { changeFloor, finish, hearWord, toMessage, type Voice } from './utterances.js';

/** Entries that each list keeps; the oldest go first. */
export const KEPT = 500;

/** What the events of a call have said so far. */
export interface Conversation {
  /** The participant that this client is. */
  readonly me: string | undefined;
  readonly live: boolean;
  readonly floor: FloorState;
  readonly agent: AgentState;
  /** By participant: whatever they are called. */
  readonly voices: ReadonlyMap<string, Voice>;
  readonly utterances: readonly UserUtterance[];
  readonly responses: readonly AgentResponse[];
  readonly transcript: readonly TranscriptEntry[];
  readonly interruptions: readonly InterruptionRecord[];
  readonly tasks: readonly BackgroundTask[];
  readonly surfaces: Surfaces;
  readonly stats: SessionStats | undefined;
}

const quietAgent: AgentState = { listening: false, speaking: false, thinking: false, overlapping: false };

export function newConversation(me?: string): Conversation {
  return {
    me,
    live: false,
    floor: { floor: 'silent', confidence: 0, at: 0 },
    agent: quietAgent,
    voices: new Map(),
    utterances: [],
    responses: [],
    transcript: [],
    interruptions: [],
    tasks: [],
    surfaces: new Map(),
    stats: undefined,
  };
}

/** The call is over, whatever its last event was: nothing goes on, and what was said stays. */
export function endConversation(state: Conversation): Conversation {
  return settle(state, {
    ...state,
    live: false,
    floor: { floor: 'silent', confidence: 0, at: state.floor.at },
    voices: new Map(),
    utterances: state.utterances.map(finish),
    responses: abandoned(state.responses),
    tasks: abandonTasks(state.tasks),
  });
}

/** The link, or its media, is lost or back: nobody is heard meanwhile, and what was being said may go on. */
export function setLive(state: Conversation, live: boolean): Conversation {
  return settle(state, { ...state, live });
}

/**
 * What the events have said with one more.
 * @throws {MicroturnError} `ui/patch` where it does not fit: it is as if it had not come
 */
export function reduceConversation(state: Conversation, event: SessionEvent): Conversation {
  switch (event.type) {
    case 'session.started':
      return settle(state, { ...state, me: event.participant, live: true });
    case 'session.resumed':
      // What was being said when the link was lost is over; where its end was lost with the edge, nobody else says so.
      return settle(state, {
        ...state,
        live: true,
        responses: abandoned(state.responses),
        // Patches and the ends of tasks may be among what was lost: the edge draws what there is anew, and tells which tasks go on.
        surfaces: event.lostMs > 0 ? new Map() : state.surfaces,
        tasks: event.lostMs > 0 ? abandonTasks(state.tasks) : state.tasks,
      });
    case 'session.closed':
      return endConversation(state);
    case 'floor.changed':
      return settle(state, withFloor(state, event));
    case 'transcript.word':
      return settle(state, withVoice(state, event.participant, hearWord(state.voices.get(event.participant), event)));
    case 'transcript.typed':
      return settle(state, { ...state, utterances: kept([...state.utterances, toMessage(event)]) });
    case 'response.started':
      return settle(state, {
        ...state,
        responses: kept([...state.responses.filter(({ id }) => id !== event.responseId), startResponse(event)]),
        interruptions: recordInterjection(state.interruptions, event),
      });
    case 'response.text':
    case 'response.heard':
    case 'response.completed':
    case 'response.cut':
      return settle(state, withResponse(state, event));
    case 'response.interrupted':
      return settle(state, {
        ...withResponse(state, event),
        interruptions: kept(recordCut(state.interruptions, event)),
      });
    case 'interruption':
      return { ...state, interruptions: kept(recordInterruption(state.interruptions, event, state.responses)) };
    case 'stats':
      return { ...state, stats: toStats(event) };
    case 'task.created':
    case 'task.progress':
    case 'task.delta':
    case 'task.question':
    case 'task.completed':
    case 'task.failed':
    case 'task.cancelled':
    case 'task.stale':
    case 'task.woven':
      return settle(state, { ...state, tasks: kept(reduceTasks(state.tasks, event)) });
    case 'ui.patch':
      return { ...state, surfaces: patchSurfaces(state.surfaces, event) };
    case 'tool.call':
    case 'tool.result':
    case 'response.latency':
    case 'draft.started':
    case 'draft.committed':
    case 'draft.dropped':
    case 'session.usage':
    case 'reminder.set':
    case 'reminder.fired':
    case 'error':
      return state;
    default:
      return event satisfies never;
  }
}

/** Whether this client plays a response, or another participant's does. */
export function isAudibleTo(audience: Audience, me: string | undefined): boolean {
  return audience === 'room' || audience.participant === me;
}

function withFloor(state: Conversation, event: SessionEventOf<'floor.changed'>): Conversation {
  const { floor, confidence, at, participant } = event;
  const mine = state.me === undefined || participant === state.me;
  const next = mine ? { ...state, floor: { floor, confidence, at } } : state;
  const voice = state.voices.get(participant);
  return voice ? withVoice(next, participant, changeFloor(voice, event)) : next;
}

function withVoice(state: Conversation, participant: string, voice: Voice): Conversation {
  const voices = new Map(state.voices).set(participant, voice);
  const index = state.utterances.findLastIndex(({ id }) => id === voice.utterance.id);
  if (state.utterances[index] === voice.utterance) return { ...state, voices };
  const utterances =
    index < 0 ? [...finishOthers(state, participant), voice.utterance] : state.utterances.with(index, voice.utterance);
  return { ...state, voices, utterances: kept(utterances) };
}

/** A participant who begins another utterance has ended the one before. */
function finishOthers(state: Conversation, participant: string): readonly UserUtterance[] {
  return state.utterances.map((utterance) => (utterance.participant === participant ? finish(utterance) : utterance));
}

function abandoned(responses: readonly AgentResponse[]): readonly AgentResponse[] {
  return responses.some(({ status }) => status === 'speaking') ? responses.map(abandonResponse) : responses;
}

function withResponse(state: Conversation, event: ResponseEvent): Conversation {
  const index = state.responses.findLastIndex(({ id }) => id === event.responseId);
  const response = state.responses[index];
  if (!response) return state;
  return { ...state, responses: state.responses.with(index, reduceResponse(response, event)) };
}

/** Brings what follows from the rest up to date, and keeps what has not changed. */
function settle(before: Conversation, state: Conversation): Conversation {
  const { utterances, responses } = state;
  const same = utterances === before.utterances && responses === before.responses;
  const transcript = same ? before.transcript : kept(byTime(utterances, responses));
  return { ...state, transcript, agent: agentOf(state) };
}

function agentOf(state: Conversation): AgentState {
  const speaking =
    state.live && state.responses.some((r) => r.status === 'speaking' && isAudibleTo(r.audience, state.me));
  const next: AgentState = {
    listening: state.live,
    speaking,
    thinking: state.tasks.some(isWorking),
    overlapping: speaking && isAudible(state.floor.floor),
  };
  const keys = Object.keys(next) as (keyof AgentState)[];
  return keys.every((key) => next[key] === state.agent[key]) ? state.agent : next;
}

/** Whether the participant makes themselves heard. */
export function isAudible(floor: Floor): boolean {
  switch (floor) {
    case 'speaking':
    case 'correcting':
    case 'barge-in':
    case 'backchannel':
      return true;
    case 'silent':
    case 'holding':
    case 'yielded':
    case 'elsewhere':
      return false;
    default:
      return floor satisfies never;
  }
}

function byTime(utterances: readonly UserUtterance[], responses: readonly AgentResponse[]): TranscriptEntry[] {
  // Both are nearly sorted, and sort is stable: entries of one moment keep their order.
  return [...utterances, ...responses].sort((a, b) => a.startMs - b.startMs);
}

function kept<T>(list: readonly T[]): readonly T[] {
  return list.length > KEPT ? list.slice(-KEPT) : list;
}

function toStats({ rttMs, loss, jitterMs, turnLagMs, stepMs }: SessionEventOf<'stats'>): SessionStats {
  return { ...(rttMs !== undefined && { rttMs }), loss, jitterMs, turnLagMs, stepMs };
}
