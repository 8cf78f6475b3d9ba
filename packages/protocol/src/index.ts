export { MicroturnError, errorCodes, isErrorCode, type ErrorCode, type WireError } from './errors.js';
export { PROTOCOL_VERSION, limits } from './limits.js';
export { decodeJson } from './json.js';
export {
  OPUS_TICKS_PER_MS,
  rtpAdvance,
  rtpDistance,
  samplesPerTurn,
  sequenceDistance,
  turnAt,
  turnStartMs,
} from './time.js';
export {
  dropReasons,
  floors,
  parseSessionEvent,
  responseKinds,
  sessionEventTypes,
  type Audience,
  type DropReason,
  type Floor,
  type ResponseKind,
  type ResponseWord,
  type SessionEvent,
  type SessionEventBody,
  type SessionEventOf,
  type SessionEventType,
} from './events.js';
export { patchSurfaces, type Patch, type PatchOperation, type Surfaces } from './patch.js';
export { AskResult, PageTool, taskOrigins, taskStatuses, type TaskOrigin, type TaskStatus } from './tasks.js';
export {
  parseClientMessage,
  type ClientMessage,
  type ClientMessageOf,
  type ClientMessageType,
  type ClientRequest,
} from './client-message.js';
export {
  InterruptResult,
  JoinResult,
  TrackOffer,
  isSessionEvent,
  parseServerMessage,
  type ControlMessage,
  type RosterMessage,
  type ServerMessage,
} from './server-message.js';
export type { AudienceChoice } from './schema.js';
export { Participant, ParticipantTrack } from './participant.js';
