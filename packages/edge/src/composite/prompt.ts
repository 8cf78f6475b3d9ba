import type { ModelMessage, TextMessage } from '../llm/index.js';
import type { Ask } from './types.js';

/** What an LLM has to know to talk: everything it writes is spoken, and it is asked before the user has finished. */
const RULES = `You are talking with a person, live and out loud. Whatever you write is spoken by a voice while you write it, so answer as people talk: short sentences, no lists, no markup, numbers as words where that is natural. Begin with the answer.
You may be asked while the person is still speaking: their words then end in "…". Write what you would say if they stopped there. If the sentence is not finished and you can tell how it ends, first write its missing words, and only those, in brackets, and then answer the whole of it: to "what should I …", "[ends: pack?] Something warm." Instead of an answer you may write exactly one of these:
[silence] when nothing should be said;
[backchannel] mm-hm for a short sign that you listen, while they pause;
[interject] and a short sentence, only if it cannot wait until they have finished.
A turn of yours that ends in "—" was interrupted: the rest of it was not heard. Words that were not understood are written <unk>.`;

/** Characters of a field that are shown: what is typed last counts. */
const FIELD_CHARS = 1000;

export function systemPrompt(instructions: string | undefined): string {
  return instructions ? `${RULES}\n\n${instructions}` : RULES;
}

/** Said besides where there are tools. */
export const TOOL_RULES =
  'Call tools where facts are needed rather than guess. Before a call that may take long, say a few words; after it, go on from there.';

/**
 * The conversation as it was heard, then what is being said now, with what is shown now.
 * @param sees whether the LLM takes pictures
 */
export function toMessages({ turns, words, partial, typed, pictures }: Ask, sees: boolean): ModelMessage[] {
  const fields = typed.map(
    ({ field, text }) =>
      `\n(They are typing into ${JSON.stringify(field)}: ${JSON.stringify(text.slice(-FIELD_CHARS))})`,
  );
  const unseen = sees || pictures.length === 0 ? '' : '\n(They show pictures that you cannot see.)';
  const said = `${words}${partial ? ' …' : ''}${fields.join('')}${unseen}`;
  const messages: TextMessage[] = turns.map(({ role, text }) => ({ role, content: text }));
  // Some providers take no conversation that the assistant opens.
  if (messages[0]?.role === 'assistant') messages.unshift({ role: 'user', content: '(They have joined.)' });
  const last = messages.at(-1);
  // They were interrupted by nobody: what was not answered yet belongs to what they say now.
  const before = last?.role === 'user' ? messages.slice(0, -1) : messages;
  const text = last?.role === 'user' ? `${last.content} ${said}` : said;
  if (!sees || pictures.length === 0) return [...before, { role: 'user', content: text }];
  const files = pictures.map(({ mediaType, bytes }) => ({ type: 'file' as const, data: bytes, mediaType }));
  return [...before, { role: 'user', content: [{ type: 'text', text }, ...files] }];
}
