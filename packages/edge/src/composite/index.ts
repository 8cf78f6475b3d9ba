export { CompositeEngine } from './composite-engine.js';
export type { CompositeParts } from './composite-row.js';
export { systemPrompt } from './prompt.js';
export { eagernesses, type ChatSource, type ClipSource, type DraftingOptions, type Eagerness } from './types.js';
