import * as v from 'valibot';
import { limits } from './limits.js';
import { AudienceChoice, built, Id, Index, Ms, RtpTicks, taggedParser } from './schema.js';
import { PageTool, TaskText } from './tasks.js';

/** Answered by a `reply` with the same id. */
const RequestId = /* @__PURE__ */ built(() => v.pipe(v.number(), v.integer(), v.minValue(1)));
const Text = /* @__PURE__ */ built(() => v.pipe(v.string(), v.minLength(1), v.maxLength(limits.textChars)));
// mediasoup checks what is inside these far more strictly than a copy of its schema could.
const RtpParameters = /* @__PURE__ */ built(() => v.looseObject({ codecs: v.array(v.looseObject({})) }));
const RtpCapabilities = /* @__PURE__ */ built(() => v.looseObject({}));
const DtlsParameters = /* @__PURE__ */ built(() => v.looseObject({ fingerprints: v.array(v.looseObject({})) }));

/** A function, so that a page, which parses none of these, need not carry them. */
const schemas = () => ({
  /** The first message of a socket. The token travels here and not in the URL, where proxies would log it. */
  join: v.object({
    type: v.literal('join'),
    id: RequestId,
    protocol: v.number(),
    token: v.pipe(v.string(), v.maxLength(limits.tokenChars)),
    /** Checked against the token's grant where given. */
    room: v.optional(Id),
    /** Whom the model is to speak to; a token with the attribute `mt.audience` has the last word. */
    audience: v.optional(AudienceChoice),
    /** Who to talk with: one of the edge's recipes, or `nano` for the bundle alone. */
    recipe: v.optional(Id),
    resume: v.optional(v.object({ resumeToken: Id, lastSeq: Index })),
  }),
  /** Once, when the client's device is loaded. The reply lists the tracks there are; later ones are pushed. */
  subscribe: v.object({ type: v.literal('subscribe'), id: RequestId, rtpCapabilities: RtpCapabilities }),
  'transport.connect': v.object({
    type: v.literal('transport.connect'),
    id: RequestId,
    transportId: Id,
    dtlsParameters: DtlsParameters,
  }),
  'transport.restart-ice': v.object({ type: v.literal('transport.restart-ice'), id: RequestId, transportId: Id }),
  /** A track that was offered by `track.added` is received: from here on nothing of it is missed. */
  'track.ready': v.object({ type: v.literal('track.ready'), consumerId: Id }),
  produce: v.object({
    type: v.literal('produce'),
    id: RequestId,
    transportId: Id,
    source: v.picklist(['microphone', 'camera', 'screen']),
    rtpParameters: RtpParameters,
  }),
  'producer.mute': v.object({ type: v.literal('producer.mute'), id: RequestId, producerId: Id, muted: v.boolean() }),
  'producer.close': v.object({ type: v.literal('producer.close'), id: RequestId, producerId: Id }),
  /** Mutes another's track; needs the grant `roomAdmin`. Only its owner unmutes it. */
  'participant.mute': v.object({
    type: v.literal('participant.mute'),
    id: RequestId,
    participant: Id,
    producerId: Id,
  }),
  /** Ends another's call; needs the grant `roomAdmin`. */
  'participant.remove': v.object({ type: v.literal('participant.remove'), id: RequestId, participant: Id }),
  /** What the listener's device plays now: the truth that the history is made of. */
  heard: v.object({
    type: v.literal('heard'),
    /** The agent's RTP clock, of the packet being played (`getSynchronizationSources()`); `muted` goes without where none was. */
    rtpTimestamp: v.optional(RtpTicks),
    /** Which of the agent's voices. */
    audience: v.optional(AudienceChoice, 'room'),
    /** From the mixer to the ear, where the browser tells (`AudioContext.outputLatency`). */
    outputLatencyMs: v.pipe(Ms, v.maxValue(2000)),
    /** `muted`: from here on nothing is heard until the next response. */
    state: v.picklist(['playing', 'muted']),
  }),
  /** The app speaks through the agent. The reply carries the responseId. */
  say: v.object({ type: v.literal('say'), id: RequestId, text: Text, audience: v.optional(AudienceChoice) }),
  /** What stands in a field of the page now, before it is sent; or, with `sent`, a message. A newer one replaces it. */
  typing: v.object({
    type: v.literal('typing'),
    field: v.pipe(v.string(), v.minLength(1), v.maxLength(limits.fieldChars)),
    text: v.pipe(v.string(), v.maxLength(limits.typedChars)),
    sent: v.boolean(),
  }),
  /** The user's client stops the agent. The reply carries what had been heard. */
  'response.interrupt': v.object({
    type: v.literal('response.interrupt'),
    id: RequestId,
    rtpTimestamp: v.optional(RtpTicks),
    audience: v.optional(AudienceChoice, 'room'),
    outputLatencyMs: v.optional(v.pipe(Ms, v.maxValue(2000))),
  }),
  /**
   * Typed instead of spoken: asked of the background model or, without a subject or images, taken as what it says about a task under
   * way. The reply is an `AskResult`.
   */
  'task.ask': v.object({
    type: v.literal('task.ask'),
    id: RequestId,
    text: TaskText,
    /** A newer task on the same subject supersedes an older one. */
    subject: v.optional(Id),
    /** Pictures that go with it: ids of `image.append`. */
    images: v.optional(v.pipe(v.array(Id), v.maxLength(limits.images))),
  }),
  /** What the model of a recipe sees with what is said and typed from now on, by a name; without pictures, nothing any more. */
  'image.show': v.object({
    type: v.literal('image.show'),
    id: RequestId,
    name: v.pipe(v.string(), v.minLength(1), v.maxLength(limits.fieldChars)),
    images: v.pipe(v.array(Id), v.maxLength(limits.images)),
  }),
  /** One piece of a picture that is to be shown or asked about, in order; what it is, its first bytes say. */
  'image.append': v.object({
    type: v.literal('image.append'),
    id: RequestId,
    imageId: Id,
    data: v.pipe(v.string(), v.base64(), v.maxLength(limits.imagePieceChars)),
    last: v.boolean(),
  }),
  /** More about a task that goes on: it begins again with that. */
  'task.amend': v.object({ type: v.literal('task.amend'), id: RequestId, taskId: Id, text: TaskText }),
  /** Answers its question; `true` and `false` where it asks for approval. */
  'task.answer': v.object({
    type: v.literal('task.answer'),
    id: RequestId,
    taskId: Id,
    /** Of the `task.question` that is answered: an answer to one that is over is none to the next. `true` needs it. */
    questionId: v.optional(Id),
    answer: v.union([TaskText, v.boolean()]),
  }),
  /** "Never mind": one task, or all of them where none is named. */
  'task.cancel': v.object({ type: v.literal('task.cancel'), id: RequestId, taskId: v.optional(Id) }),
  /** The talk is about something else now: what was asked before is not said any more. */
  'subject.change': v.object({ type: v.literal('subject.change'), id: RequestId }),
  /** The functions that this page offers, all of them: the ones it offered before are gone. */
  'tools.register': v.object({
    type: v.literal('tools.register'),
    id: RequestId,
    tools: v.pipe(v.array(PageTool), v.maxLength(limits.pageTools)),
  }),
  /** What a function in the page gave back, or why it did not. */
  'tool.result': v.object({
    type: v.literal('tool.result'),
    id: RequestId,
    callId: Id,
    output: v.optional(v.unknown()),
    error: v.optional(v.pipe(v.string(), v.maxLength(1024))),
  }),
  ping: v.object({ type: v.literal('ping'), id: RequestId }),
  leave: v.object({ type: v.literal('leave') }),
});
type Schemas = ReturnType<typeof schemas>;

export type ClientMessage = v.InferOutput<Schemas[keyof Schemas]>;
export type ClientMessageType = ClientMessage['type'];
export type ClientMessageOf<T extends ClientMessageType> = Extract<ClientMessage, { type: T }>;
export type ClientRequest = Extract<ClientMessage, { id: number }>;

/** Returns `undefined` for a type this build does not know; throws `protocol/malformed` for bad fields. */
export const parseClientMessage: (value: unknown) => ClientMessage | undefined = /* @__PURE__ */ taggedParser(
  /* @__PURE__ */ schemas(),
);
