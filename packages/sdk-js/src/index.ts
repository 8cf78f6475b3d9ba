export { createSession } from './create-session.js';
export { webrtc } from './connection/webrtc.js';
export { TokenSource, type EndpointOptions, type TokenRequest, type TokenResponse } from './connection/token-source.js';
export { levelOf } from './media/level.js';
export type {
  AnswerOptions,
  AskOptions,
  Connection,
  ConnectionStatus,
  InteractionSession,
  RemoteTrack,
  SessionInfo,
  SessionOptions,
  Snapshot,
} from './session.js';
export type {
  AgentResponse,
  AgentState,
  AgentWord,
  BackgroundTask,
  FloorState,
  InterruptionRecord,
  SessionStats,
  TaskQuestion,
  TranscriptEntry,
  UserUtterance,
  UserWord,
} from './conversation/types.js';
export type { Participant, ParticipantTrack } from './participants.js';
export type {
  CameraDevice,
  DeviceInfo,
  InputDevice,
  InputState,
  OutputDevice,
  OutputState,
  VideoDevice,
  VideoOptions,
} from './media/devices.js';
export type { VideoChoice } from './media/video-of.js';
export type { DuckingOptions } from './media/ducker.js';
export type {
  LinkObserver,
  OpenOptions,
  Publication,
  ReceivedTrack,
  RosterUpdate,
  SessionNotice,
  SessionRequest,
  Transport,
  TransportLink,
} from './connection/transport.js';
export type { ClientTool } from './tools/page-tools.js';
export type { ObserveInputOptions, TypedField } from './input/observe-input.js';
export type { FrameSource, MediaPlatform } from './media/platform.js';
export type { Clock } from './clock.js';
export type { Logger } from './logger.js';
export type { State } from './state.js';
export {
  MicroturnError,
  type AskResult,
  type Audience,
  type AudienceChoice,
  type ErrorCode,
  type Floor,
  type InterruptResult,
  type JoinResult,
  type PatchOperation,
  type ResponseKind,
  type SessionEvent,
  type SessionEventOf,
  type SessionEventType,
  type Surfaces,
  type TaskOrigin,
  type TaskStatus,
  type WireError,
} from '@microturn/protocol';
