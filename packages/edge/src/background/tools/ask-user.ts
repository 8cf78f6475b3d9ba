import type { ChatTool } from '../../llm/index.js';

/** Offered to a model that works on a task, which answers calls of it itself: no other tool may have its name. */
export const askUser: ChatTool = {
  name: 'ask_user',
  description: 'Asks the user a short question, by voice and on the screen, and waits for the answer.',
  parameters: {
    type: 'object',
    properties: { question: { type: 'string', minLength: 1, maxLength: 500 } },
    required: ['question'],
    additionalProperties: false,
  },
};
