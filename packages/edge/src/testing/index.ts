export { ManualClock } from './manual-clock.js';
export { ScriptedModel, type Script, type ScriptedDecision, type ScriptedModelOptions } from './scripted-model.js';
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
