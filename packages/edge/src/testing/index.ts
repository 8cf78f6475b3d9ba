export { ManualClock } from './manual-clock.js';
export {
  OpenAiServer,
  type ChatScript,
  type OpenAiServerOptions,
  type RecordedChat,
  type RecordedTranscription,
  type ScriptedReply,
} from './openai-server.js';
export type { ChatCompletionRequest } from './openai-wire.js';
export { ScriptedModel, type Script, type ScriptedDecision, type ScriptedModelOptions } from './scripted-model.js';
export {
  SpeechServer,
  type RecordedHearing,
  type RecordedSpeech,
  type ScriptedHearing,
  type ScriptedSpeech,
  type SpeechRequest,
  type SpeechServerOptions,
} from './speech-server.js';
export type {
  Act,
  DecodedWord,
  Decision,
  InteractionModel,
  InteractionStream,
  LeaseId,
  MicroTurn,
  ModelInfo,
} from '../engine/types.js';
