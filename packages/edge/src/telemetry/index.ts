export { EdgeMetrics } from './metrics.js';
export { createLog } from './create-log.js';
export { silentLog, type Log } from './log.js';
