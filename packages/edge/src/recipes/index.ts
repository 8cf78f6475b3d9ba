export { Agents, type AgentsParts, type CallAgent } from './agents.js';
export { builtInRecipes, type BuiltInRecipe } from './built-in.js';
export { openTranscriber, toVoiceSpec, type Environment } from './open-parts.js';
export { RecipeInput, type RecipeConfig } from './recipe-config.js';
export { BUNDLE_ALONE, resolveRecipes, type Recipes } from './resolve.js';
