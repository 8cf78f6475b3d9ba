export type { OpenBackground, SessionBackground, SessionDesk } from './background.js';
export type { LiveResponse } from './conversation.js';
export {
  Session,
  type SessionOrigin,
  type SessionEngine,
  type SessionMedia,
  type SessionParts,
  type SessionVoice,
} from './session.js';
export { Room, RoomRegistry, type RoomStay } from './rooms.js';
export { type Profile, type RosterSeat } from './roster.js';
