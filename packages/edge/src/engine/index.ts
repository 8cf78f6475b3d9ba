// For the main thread: nothing here loads ONNX Runtime.
export { loadBundle, modelInfo, type Bundle } from './bundle.js';
export { EngineHost, type EngineHostOptions, type EngineLease, type EngineLoad } from './engine-host.js';
export type { EngineThreadStats } from './engine-messages.js';
export type { EngineId } from './engine-worker.js';
export { exitProcess } from './exit-process.js';
export { Notes, type NotesSaved } from './notes.js';
export { rememberedFromJson, rememberedToJson, type Remembered } from './remembered.js';
export {
  acts,
  providerChoices,
  type Act,
  type DecodedWord,
  type Decision,
  type EngineStats,
  type InteractionModel,
  type InteractionStream,
  type LeaseId,
  type Mark,
  type MicroTurn,
  type ModelInfo,
  type Perceived,
  type Provider,
  type ProviderChoice,
  type Recovery,
  type ShownWord,
} from './types.js';
export { formsOf } from './vocabulary.js';
