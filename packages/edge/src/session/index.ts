export type {
  OpenBackground,
  AppBackground,
  SessionBackground,
  SessionDesk,
  SessionTools,
  TaskRequest,
  TypedRequest,
} from './background.js';
export type { LiveResponse } from './conversation-state.js';
export { Session } from './session.js';
export type { EventListener } from './session-events.js';
export type {
  EngineOutlet,
  SessionEngine,
  SessionMedia,
  SessionOrigin,
  SessionParts,
  SessionRow,
  SessionVoice,
  Shown,
  ToldUtterance,
  TypedText,
} from './session-parts.js';
export { Room, RoomRegistry, type RoomStay, type RoomWatcher, type WatchedRoom } from './rooms.js';
export { type Profile, type RosterSeat } from './roster.js';
