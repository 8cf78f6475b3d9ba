export { MicroturnError, type ErrorCode, type PatchOperation } from '@microturn/protocol';
export { parseConfig, type EdgeConfig, type EdgeConfigInput } from './config.js';
export { createEdge, type EdgeOptions } from './create-edge.js';
export { Edge } from './edge.js';
export { exitProcess } from './engine/index.js';
export { silentLog, type Log } from './telemetry/index.js';
export { VERSION } from './version.js';
export type {
  BackgroundHooks,
  BackgroundProvider,
  FollowUp,
  FollowUpRule,
  TaskBrief,
  TaskIo,
  Tool,
  ToolContext,
} from './background/index.js';
export type { ChatRequest, ModelState, Route } from './llm/index.js';
export type { Picture } from './picture.js';
