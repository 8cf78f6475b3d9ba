import * as v from 'valibot';
import { Id, Index, Ms, Share, taggedParser } from './schema.js';

/** What the model believes about this participant, once in every micro-turn. */
export const floors = [
  'silent',
  'speaking',
  'holding',
  'correcting',
  'yielded',
  'barge-in',
  'backchannel',
  'elsewhere',
] as const;
export type Floor = (typeof floors)[number];

export const responseKinds = ['reply', 'interjection', 'backchannel', 'proactive', 'relay'] as const;
export type ResponseKind = (typeof responseKinds)[number];

const Word = v.object({ text: v.string(), startMs: Ms, endMs: Ms });
/** A word of a response; times are in the response's own audio. */
export type ResponseWord = v.InferOutput<typeof Word>;

const base = {
  /** Counts the events of a session from 1, without gaps: what a resume goes by. */
  seq: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** Session ms. */
  at: Ms,
  /** Index of the micro-turn that holds `at`. */
  turn: Index,
};

const Audience = v.union([v.literal('room'), v.object({ participant: Id })]);
/** Who hears a response: everyone in the room, or one participant (an in-ear coach). */
export type Audience = v.InferOutput<typeof Audience>;

function event<T extends string, E extends v.ObjectEntries>(type: T, entries: E) {
  return v.object({ ...base, type: v.literal(type), ...entries });
}

const schemas = {
  'session.started': event('session.started', {
    sessionId: Id,
    room: Id,
    participant: Id,
    model: v.string(),
    microTurnMs: Ms,
    resumeToken: v.string(),
  }),
  'session.resumed': event('session.resumed', {
    /** Session time of which there is nothing more to be had: at most. */
    lostMs: Ms,
    /** Where it is another than before: the edge was started again with a new one. */
    model: v.optional(v.string()),
  }),
  'session.closed': event('session.closed', { reason: v.string() }),
  'session.usage': event('session.usage', {
    audioSeconds: Ms,
    microTurns: Index,
    late: Index,
    tokensIn: Index,
    tokensOut: Index,
  }),
  'floor.changed': event('floor.changed', { participant: Id, floor: v.picklist(floors), confidence: Share }),
  'transcript.word': event('transcript.word', {
    participant: Id,
    /** `<unk>` where the model heard a word that it has no name for. */
    text: v.string(),
    endMs: Ms,
    startMs: v.optional(Ms),
    confidence: Share,
    final: v.boolean(),
  }),
  'response.started': event('response.started', {
    responseId: Id,
    kind: v.picklist(responseKinds),
    audience: Audience,
    taskId: v.optional(Id),
  }),
  'response.text': event('response.text', { responseId: Id, text: v.string(), words: v.array(Word) }),
  'response.heard': event('response.heard', { responseId: Id, heardMs: Ms, heardText: v.string() }),
  'response.completed': event('response.completed', { responseId: Id, heardMs: Ms }),
  'response.interrupted': event('response.interrupted', {
    responseId: Id,
    by: v.picklist(['user', 'client', 'agent']),
    heardMs: Ms,
    heardText: v.string(),
    unheardText: v.string(),
  }),
  'response.cut': event('response.cut', { responseId: Id }),
  interruption: event('interruption', {
    kind: v.picklist(['barge-in', 'backchannel', 'interjection']),
    participant: Id,
    /** Whether the floor changed hands: a barge-in that stopped the agent, an interjection that was said. */
    taken: v.boolean(),
  }),
  'reminder.set': event('reminder.set', { reminderId: Id, dueMs: Ms, text: v.string() }),
  'reminder.fired': event('reminder.fired', { reminderId: Id, dueMs: Ms, text: v.string() }),
  stats: event('stats', {
    rttMs: v.optional(Ms),
    loss: Share,
    jitterMs: Ms,
    /** From the end of a micro-turn to its decision. */
    turnLagMs: Ms,
    /** The model's step. */
    stepMs: Ms,
  }),
  error: event('error', { code: v.string(), message: v.string(), retryable: v.boolean(), hint: v.string() }),
} as const;

/** One thing that happened in a session, with its place on the session clock. */
export type SessionEvent = v.InferOutput<(typeof schemas)[keyof typeof schemas]>;
export type SessionEventType = SessionEvent['type'];
export type SessionEventOf<T extends SessionEventType> = Extract<SessionEvent, { type: T }>;
/** An event before the session has stamped it. */
export type SessionEventBody = SessionEvent extends infer E
  ? E extends SessionEvent
    ? Omit<E, 'seq' | 'at' | 'turn'>
    : never
  : never;

export const eventSchemas = schemas;
export const sessionEventTypes = Object.keys(schemas) as readonly SessionEventType[];

/** Returns `undefined` for a type this build does not know; throws `protocol/malformed` for bad fields. */
export const parseSessionEvent: (value: unknown) => SessionEvent | undefined = taggedParser(schemas);
