import { MicroturnError } from '@microturn/protocol';
import type { ChatToolCall, ModelMessage } from './types.js';

const PROBLEM_CHARS = 1000;

/** What a call gave back, as the model is told. */
export type CallResult = Awaited<ReturnType<typeof answerCall>>;

/** Does what a model called for, and says it the way the model is told. What goes wrong is for the model to know, and to say. */
export async function answerCall(call: ChatToolCall, run: () => Promise<string>) {
  const result = (type: 'text' | 'error-text', value: string) => ({
    type: 'tool-result' as const,
    toolCallId: call.callId,
    toolName: call.name,
    output: { type, value },
  });
  try {
    if (call.problem !== undefined) throw new MicroturnError('tool/failed', call.problem);
    return result('text', await run());
  } catch (error) {
    return result('error-text', MicroturnError.from(error, 'tool/failed').message.slice(0, PROBLEM_CHARS));
  }
}

/** What the model said and called for, as it is told again with the results. */
export function toCallsMessage(text: string, calls: readonly ChatToolCall[]): ModelMessage {
  return {
    role: 'assistant',
    content: [
      ...(text.trim() === '' ? [] : [{ type: 'text' as const, text }]),
      ...calls.map(({ callId, name, arguments: args, problem }) => ({
        type: 'tool-call' as const,
        toolCallId: callId,
        toolName: name,
        // What could not be read is told with the result: providers refuse a request whose arguments are no object.
        input: problem === undefined ? args : {},
      })),
    ],
  };
}
