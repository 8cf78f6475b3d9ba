import type { ResponseWord, SessionEventOf } from '@microturn/protocol';
import type { AgentResponse, AgentWord } from './types.js';

/** One Opus packet: the finest step of the listener's clock. */
const PACKET_MS = 20;

export type ResponseEvent = SessionEventOf<
  | 'response.started'
  | 'response.text'
  | 'response.heard'
  | 'response.completed'
  | 'response.interrupted'
  | 'response.cut'
>;

export function startResponse(event: SessionEventOf<'response.started'>): AgentResponse {
  return {
    speaker: 'agent',
    id: event.responseId,
    kind: event.kind,
    audience: event.audience,
    ...(event.taskId !== undefined && { taskId: event.taskId }),
    words: [],
    text: '',
    status: 'speaking',
    startMs: event.at,
    heardMs: 0,
    heardText: '',
  };
}

/** One response, from its start to what was heard of it. */
export function reduceResponse(response: AgentResponse, event: ResponseEvent): AgentResponse {
  switch (event.type) {
    case 'response.started':
      return response;
    case 'response.text':
      return {
        ...response,
        text: joinText(response.text, event.text),
        words: [...response.words, ...event.words.map(unheard)],
      };
    case 'response.heard':
      return heardText(response, event.heardMs, event.heardText);
    case 'response.completed':
      return { ...heardUpTo(response, event.heardMs), status: 'completed' };
    case 'response.interrupted':
      return { ...heardText(response, event.heardMs, event.heardText), status: 'interrupted', interruptedBy: event.by };
    case 'response.cut':
      return response.status === 'speaking' ? { ...response, status: 'interrupted' } : response;
    default:
      return event satisfies never;
  }
}

/** A response whose call ended under it. */
export function abandonResponse(response: AgentResponse): AgentResponse {
  return response.status === 'speaking' ? { ...response, status: 'interrupted' } : response;
}

function unheard(word: ResponseWord): AgentWord {
  return { ...word, heard: false };
}

function joinText(a: string, b: string): string {
  return a && b && !/\s$/.test(a) && !/^\s/.test(b) ? `${a} ${b}` : a + b;
}

/** The edge says which words were heard: its text is a prefix of ours. */
function heardText(response: AgentResponse, heardMs: number, text: string): AgentResponse {
  let left = countWords(text);
  const words = response.words.map((word) => {
    left -= countWords(word.text);
    return mark(word, left >= 0);
  });
  return { ...response, words, heardMs: Math.max(response.heardMs, heardMs), heardText: text };
}

/** Only the time is known. A word that was heard stays heard. */
function heardUpTo(response: AgentResponse, heardMs: number): AgentResponse {
  const words = response.words.map((word) => mark(word, word.heard || word.endMs <= heardMs + PACKET_MS));
  const heard = words.filter((word) => word.heard);
  const heardText = heard.length === words.length ? response.text : heard.map((word) => word.text).join(' ');
  return { ...response, words, heardMs: Math.max(response.heardMs, heardMs), heardText };
}

function mark(word: AgentWord, heard: boolean): AgentWord {
  return word.heard === heard ? word : { ...word, heard };
}

function countWords(text: string): number {
  return text.split(/\s+/).filter(Boolean).length;
}
