export { HttpTranscriber, type HttpTranscriberOptions } from './http-transcriber.js';
export { RealtimeTranscriber, type RealtimeTranscriberOptions } from './realtime-transcriber.js';
export {
  TRANSCRIBE_HZ,
  type Transcriber,
  type Transcript,
  type TranscriptListener,
  type Transcription,
} from './types.js';
