export { MediaHost, type MediaHostOptions } from './media-host.js';
export type {
  Clip,
  EndpointId,
  EndpointStats,
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
