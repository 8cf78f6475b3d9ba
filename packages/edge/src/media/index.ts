export { MediaHost, type MediaHostOptions } from './media-host.js';
export type { Clip } from './clip-ring.js';
export type {
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
