import type { Task } from './task-reducer.js';

/** What the agent says for a task that has nothing of its own to say. */
export const phrases = {
  /** While it takes long; the second time the second one. */
  progress: ['I am still looking.', 'This takes a little longer.'],
  more: 'There is more on your screen.',
  unheard: 'I could not make out the words. Please type your question.',
  late: 'That took too long. Please ask me again.',
  unfinished: 'I could not finish that answer.',
  failed: 'I could not find an answer to that.',
} as const;

/** All that `failurePhrase` may give. */
export const failurePhrases = [phrases.unheard, phrases.late, phrases.unfinished, phrases.failed];

/** Why there is no answer, in words for the ear; the code and the hint are in the task. */
export function failurePhrase({ failure, text }: Task): string {
  if (text !== '') return phrases.unfinished;
  if (failure?.code === 'task/unheard') return phrases.unheard;
  return failure?.code === 'task/timeout' || failure?.code === 'llm/timeout' ? phrases.late : phrases.failed;
}
