export { MicroturnError, type ErrorCode } from '@microturn/protocol';
export { parseConfig, type EdgeConfig, type EdgeConfigInput } from './config.js';
export { Edge, createEdge, type EdgeOptions } from './edge.js';
export { silentLog, type Log } from './telemetry/index.js';
export { VERSION } from './version.js';
