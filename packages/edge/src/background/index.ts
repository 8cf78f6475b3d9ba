export { Background, type BackgroundHooks } from './background.js';
export { BackgroundConfig } from './config.js';
export type { ConversationEntry } from './conversation-log.js';
export type { Hear } from './spoken-questions.js';
export type { FollowUp, FollowUpRule } from './follow-up.js';
export type { BackgroundProvider, TaskBrief, TaskIo } from './provider.js';
export type { Task } from './task-reducer.js';
export type { Tool, ToolContext } from './toolbox.js';
