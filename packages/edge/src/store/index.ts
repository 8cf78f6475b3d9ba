export { DiskStore } from './disk-store.js';
export { MemoryStore } from './memory-store.js';
export { SessionRecorder, hashToken, type FoundSession, type Recordable } from './recorder.js';
export { elapsedMs, stampNow, type Stamp } from './stamp.js';
export type { RecordKey, SessionStore, StoreChange, StoredRecord, StoredSession } from './types.js';
