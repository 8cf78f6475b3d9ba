export { MediaHost, type MediaHostOptions } from './media-host.js';
export type {
  Clip,
  EndpointId,
  EndpointStats,
  Heard,
  HeardReport,
  MediaEvent,
  MediaMethod,
  MediaOptions,
  MediaPorts,
  MediaRequests,
  MediaStats,
  RoomId,
  RowOptions,
  SpeechMessage,
  VoiceKey,
} from './types.js';
