export type { OpenBackground, SessionBackground, SessionDesk } from './background.js';
export type { LiveResponse } from './conversation.js';
export {
  Session,
  type EngineOutlet,
  type SessionEngine,
  type SessionMedia,
  type SessionOrigin,
  type SessionParts,
  type SessionRow,
  type SessionVoice,
  type TypedText,
} from './session.js';
export { Room, RoomRegistry, type RoomStay } from './rooms.js';
export { type Profile, type RosterSeat } from './roster.js';
