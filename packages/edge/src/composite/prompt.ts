import { toCallsMessage, type ModelMessage } from '../llm/index.js';
import { joined, type Turn } from './heard-history.js';
import type { Ask } from './types.js';

/** What an LLM has to know to talk: everything it writes is spoken, and it is asked before the user has finished. */
const RULES = `You are talking with a person, live and out loud. Whatever you write is spoken by a voice while you write it, so answer as people talk: short sentences, no lists, no markup, numbers as words where that is natural. Begin with the answer.
You may be asked while the person is still speaking: their words then end in "…". Write what you would say if they stopped there. If the sentence is not finished and you can tell how it ends, first write its missing words, and only those, in brackets, and then answer the whole of it: to "what should I …", "[ends: pack?] Something warm." Instead of an answer you may write exactly one of these:
[silence] only if they are not talking to you;
[backchannel] mm-hm for a short sign that you listen, while they pause;
[interject] and a short sentence, only if it cannot wait until they have finished.
A turn of yours that ends in "—" was interrupted: the rest of it was not heard. To what interrupts you, "wait" and "stop" too, answer briefly, such as "Okay." Words that were not understood are written <unk>.`;

/** Characters of a field that are shown: what is typed last counts. */
const FIELD_CHARS = 1000;

export function systemPrompt(instructions: string | undefined): string {
  return instructions ? `${RULES}\n\n${instructions}` : RULES;
}

/** What is asked again, where a word of the answer was heard already: providers refuse a message without a word. */
const WAITING = '(They wait for your answer.)';

/** Said besides where there are tools. */
export const TOOL_RULES =
  'Call tools where facts are needed rather than guess. Before a call that may take long, say a few words; after it, go on from there.';

/**
 * The conversation as it was heard, then what is being said now, with what is shown now.
 * @param sees whether the LLM takes pictures
 * @param calls whether it has tools: some providers take no call of a tool where there is none
 */
export function toMessages(
  { turns, words, partial, typed, pictures }: Ask,
  { sees, calls }: { readonly sees: boolean; readonly calls: boolean },
): ModelMessage[] {
  const fields = typed.map(
    ({ field, text }) =>
      `\n(They are typing into ${JSON.stringify(field)}: ${JSON.stringify(text.slice(-FIELD_CHARS))})`,
  );
  const unseen = sees || pictures.length === 0 ? '' : '\n(They show pictures that you cannot see.)';
  const known = calls ? turns : joined(turns.filter(({ role }) => role !== 'tools'));
  const last = known.at(-1);
  // They were interrupted by nobody: what was not answered yet belongs to what they say now.
  const messages = toTurnMessages(last?.role === 'user' ? known.slice(0, -1) : known);
  const asked = last?.role === 'user' ? `${last.text} ${words}`.trim() : words || WAITING;
  const text = `${asked}${partial ? ' …' : ''}${fields.join('')}${unseen}`;
  // Some providers take no conversation that the assistant opens.
  if (messages[0]?.role === 'assistant') messages.unshift({ role: 'user', content: '(They have joined.)' });
  if (!sees || pictures.length === 0) return [...messages, { role: 'user', content: text }];
  const files = pictures.map(({ mediaType, bytes }) => ({ type: 'file' as const, data: bytes, mediaType }));
  return [...messages, { role: 'user', content: [{ type: 'text', text }, ...files] }];
}

function toTurnMessages(turns: readonly Turn[]): ModelMessage[] {
  const messages: ModelMessage[] = [];
  for (const [i, turn] of turns.entries()) {
    if (turn.role !== 'tools') {
      messages.push({ role: turn.role, content: turn.text });
      continue;
    }
    // What was said before a call is one message with it, as it was when the model wrote it.
    const before = turns[i - 1];
    const said = before?.role === 'assistant' ? before.text : '';
    if (said !== '') messages.pop();
    messages.push(toCallsMessage(said, turn.calls), { role: 'tool', content: [...turn.results] });
  }
  return messages;
}
