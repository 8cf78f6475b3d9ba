// `askHere` is not among these: the providers' SDKs come with it, and only the thread that asks needs them.
export type { AskModel } from './ask-model.js';
export { Budget, type BudgetLimits } from './budget.js';
export { LanguageModels, type LanguageModelsParts } from './language-models.js';
export { ModelHost, type ModelHostOptions } from './model-host.js';
export { LanguageModelConfigs, modelInputs, type LanguageModelConfig, type ModelInput } from './model-config.js';
export { pauseMs } from './retry-after.js';
export { answerCall, toCallsMessage, type CallResult } from './tool-calls.js';
export type {
  ChatPart,
  ChatRequest,
  ChatTool,
  ChatToolCall,
  ChatUsage,
  ModelMessage,
  TextMessage,
  ModelState,
  Route,
} from './types.js';
