import { MemoryStore } from './memory-store.js';
import { sessionStoreContract } from './session-store.contract.js';

sessionStoreContract('memory', () => Promise.resolve(new MemoryStore()));
