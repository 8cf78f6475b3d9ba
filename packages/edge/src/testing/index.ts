export { ImpairedPath, type ImpairedPathParts, type Impairments, type PathStats } from './impaired-path.js';
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
export { seededRandom } from './seeded-random.js';
export {
  SpeechServer,
  type RecordedHearing,
  type RecordedSpeech,
  type ScriptedHearing,
  type ScriptedSpeech,
  type SpeechRequest,
  type SpeechServerOptions,
} from './speech-server.js';
export { UdpRelay, type SocketAddress, type UdpRelayOptions } from './udp-relay.js';
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
