import * as v from 'valibot';
import { Patch } from './patch.js';
import { taskEntries, taskOrigins, taskStatuses } from './tasks.js';
import { errorEntries, Id, Index, Ms, Share, taggedParser } from './schema.js';

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

/** Why a draft came to nothing: other words were said, a newer draft took its place, it failed, or nobody talked to the agent. */
export const dropReasons = ['revised', 'superseded', 'failed', 'elsewhere'] as const;
export type DropReason = (typeof dropReasons)[number];

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
    /** Where the edge was started again and its model goes on from what it remembered so long ago. */
    snapshotAgeMs: v.optional(Ms),
  }),
  'session.closed': event('session.closed', { reason: v.string() }),
  'session.usage': event('session.usage', {
    audioSeconds: Ms,
    microTurns: Index,
    late: Index,
    tokensIn: Index,
    tokensOut: Index,
    /** Of the language models that have a price. */
    cost: v.optional(Ms),
    /** Of a recipe: what its transcriber was asked, and the seconds of sound that it was sent, again where they were sent again. */
    transcriber: v.optional(v.object({ requests: Index, seconds: Ms })),
    /** What the voice was given to say, and the seconds of speech that it has made of it. */
    voice: v.optional(v.object({ characters: Index, seconds: Ms })),
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
  /** A message that was typed, sent and taken: by `typing`, or `task.ask`. */
  'transcript.typed': event('transcript.typed', { participant: Id, text: v.string() }),
  'response.started': event('response.started', {
    responseId: Id,
    kind: v.picklist(responseKinds),
    audience: Audience,
    taskId: v.optional(Id),
  }),
  'response.text': event('response.text', { responseId: Id, text: v.string(), words: v.array(Word) }),
  'response.heard': event('response.heard', { responseId: Id, heardMs: Ms, heardText: v.string() }),
  /** `unheardText`: its listener had told that their device plays nothing, before the end. */
  'response.completed': event('response.completed', {
    responseId: Id,
    heardMs: Ms,
    unheardText: v.optional(v.string()),
  }),
  'response.interrupted': event('response.interrupted', {
    responseId: Id,
    by: v.picklist(['user', 'client', 'agent']),
    heardMs: Ms,
    heardText: v.string(),
    unheardText: v.string(),
  }),
  /** Where the time went from the end of the user's speech, as the floor saw it, to the first packet of the answer. */
  'response.latency': event('response.latency', {
    responseId: Id,
    /** Whether its draft was begun before the user had yielded. */
    drafted: v.boolean(),
    floorMs: Ms,
    wordsMs: Ms,
    llmMs: Ms,
    voiceMs: Ms,
  }),
  /** The LLM begins an answer to words that may not be all. */
  'draft.started': event('draft.started', { draftId: Id, words: v.string() }),
  'draft.committed': event('draft.committed', {
    draftId: Id,
    kind: v.picklist(['reply', 'silence', 'backchannel', 'interjection']),
    /** How long its first text had been there. */
    aheadMs: Ms,
  }),
  'draft.dropped': event('draft.dropped', {
    draftId: Id,
    reason: v.picklist(dropReasons),
    /** Characters that were written in vain. */
    chars: Index,
  }),
  'response.cut': event('response.cut', { responseId: Id }),
  interruption: event('interruption', {
    kind: v.picklist(['barge-in', 'backchannel', 'interjection']),
    participant: Id,
    /** Whether the floor changed hands: a barge-in that stopped the agent, an interjection that was said. */
    taken: v.boolean(),
  }),
  'task.created': event('task.created', {
    ...taskEntries,
    origin: v.picklist(taskOrigins),
    /** What is asked, as far as its words are known. */
    prompt: v.string(),
    subject: v.optional(Id),
    /** The earlier task on the same subject, which is stale from now on. */
    supersedes: v.optional(Id),
    /** Pictures that came with it. */
    images: v.optional(Index),
  }),
  /** It stands differently, or tells what it is doing. */
  'task.progress': event('task.progress', {
    ...taskEntries,
    status: v.picklist(taskStatuses),
    note: v.optional(v.string()),
    /** The words of a spoken question have been made out. */
    prompt: v.optional(v.string()),
    /** What was added to it. */
    amendment: v.optional(v.string()),
  }),
  'task.delta': event('task.delta', { ...taskEntries, text: v.string() }),
  /** It cannot go on without an answer: `task.answer`, or spoken. */
  'task.question': event('task.question', {
    ...taskEntries,
    questionId: Id,
    text: v.string(),
    /** A yes or no to a function that changes something. */
    approval: v.optional(v.object({ tool: v.string(), arguments: v.unknown() })),
  }),
  'task.completed': event('task.completed', { ...taskEntries, text: v.string() }),
  'task.failed': event('task.failed', { ...taskEntries, ...errorEntries }),
  'task.cancelled': event('task.cancelled', { ...taskEntries, by: v.picklist(['user', 'client', 'app']) }),
  /** Nobody waits for it any more: it will not be said. */
  'task.stale': event('task.stale', { ...taskEntries, reason: v.picklist(['superseded', 'subject', 'expired']) }),
  /** Its result was said, or shown to one who wanted no more of it. */
  'task.woven': event('task.woven', { ...taskEntries, responseId: v.optional(Id) }),
  /** A function in the page is wanted: answered with `tool.result`. */
  'tool.call': event('tool.call', { callId: Id, taskId: Id, name: v.string(), arguments: v.unknown() }),
  /** What was taken as its result, or that it is not waited for any more. */
  'tool.result': event('tool.result', { callId: Id, output: v.optional(v.unknown()), error: v.optional(v.string()) }),
  /** Changes a surface, which is a JSON document that the page shows; each begins as `{}`. */
  'ui.patch': event('ui.patch', { surfaceId: Id, patch: Patch }),
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
  error: event('error', {
    ...errorEntries,
    /** With `engine/failed`: the model goes on from what it remembered so long ago. */
    snapshotAgeMs: v.optional(Ms),
    /** With `engine/failed`: the model began anew, and heard the last so many ms again. From nothing where both are absent. */
    replayedMs: v.optional(Ms),
  }),
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
export const sessionEventTypes = /* @__PURE__ */ Object.keys(schemas) as readonly SessionEventType[];

/** Returns `undefined` for a type this build does not know; throws `protocol/malformed` for bad fields. */
export const parseSessionEvent: (value: unknown) => SessionEvent | undefined = /* @__PURE__ */ taggedParser(schemas);
