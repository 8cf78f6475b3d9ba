import { OpenAiServer, type ChatScript } from '../../packages/edge/src/testing/openai-server.js';
import { answerRequests } from './helper-process.js';
import {
  STREAMED_QUESTION,
  TOKENS_PER_SECOND,
  WHOLE_QUESTION,
  type ScriptedLlmReport,
  type ScriptedLlmRequest,
} from './scripted-llm-messages.js';

const LONG_ANSWER = Array.from({ length: 6_000 }, (_, i) => (i % 12 === 11 ? ' end.' : ' word'));

const answers: ChatScript = ({ messages }) => {
  const asked = JSON.stringify(messages.at(-1));
  if (asked.includes(`now asks: ${STREAMED_QUESTION}`))
    return { text: LONG_ANSWER, tokensPerSecond: TOKENS_PER_SECOND };
  if (asked.includes(`now asks: ${WHOLE_QUESTION}`)) return { text: LONG_ANSWER.slice(0, 240).join('') };
  return { text: 'It is four.' };
};

/** Answers the edge by HTTP, and the benchmark what it has done so far. */
export async function serve(): Promise<void> {
  const server = await OpenAiServer.start({ chat: answers });
  answerRequests<ScriptedLlmRequest, ScriptedLlmReport>(async () => {
    const { url, chats, problems } = server;
    return {
      url,
      streaming: chats.filter(({ outcome, sent }) => outcome === 'open' && sent > 0).length,
      tokens: chats.reduce((sum, { sent }) => sum + sent, 0),
      problems,
    };
  });
}
