import type { ResponseWord, SessionEvent, SessionEventBody } from '@microturn/protocol';
import { wordsUpTo } from './conversation-step.js';

// What the events of a session say to the process that takes it up.

/** The newest events without a gap between them: those that a client can be given again. */
export function contiguousTail(events: readonly SessionEvent[]): readonly SessionEvent[] {
  let first = Math.max(0, events.length - 1);
  while (first > 0 && events[first - 1]!.seq === events[first]!.seq - 1) first--;
  return events.slice(first);
}

/** The ends of the responses that have none: each was interrupted where it was last heard. */
export function unfinishedResponses(events: readonly SessionEvent[]): SessionEventBody[] {
  const live = new Map<string, { words: ResponseWord[]; heardMs: number }>();
  for (const event of events) {
    switch (event.type) {
      case 'response.started':
        live.set(event.responseId, { words: [], heardMs: 0 });
        break;
      case 'response.text':
        live.get(event.responseId)?.words.push(...event.words);
        break;
      case 'response.heard': {
        const response = live.get(event.responseId);
        if (response) response.heardMs = event.heardMs;
        break;
      }
      case 'response.completed':
      case 'response.interrupted':
        live.delete(event.responseId);
        break;
      default:
    }
  }
  return [...live].map(([responseId, { words, heardMs }]) => {
    const { heard, unheard } = wordsUpTo(words, heardMs);
    return { type: 'response.interrupted', responseId, by: 'agent', heardMs, heardText: heard, unheardText: unheard };
  });
}
