import type { SessionDesk } from './background.js';
import type { LiveConversation } from './live-conversation.js';
import type { Perceiving } from './perceiving.js';
import type { SessionEvents } from './session-events.js';
import type { SessionMedia } from './session-parts.js';

export interface SessionDeskParts extends Pick<SessionDesk, 'sessionId' | 'participant' | 'microTurnMs' | 'nowMs'> {
  readonly endpoint: string;
  readonly events: SessionEvents;
  readonly conversation: LiveConversation;
  readonly perceiving: Perceiving;
  readonly media: SessionMedia;
}

/** What background work may do to its session, as long as that is open. */
export function createDesk(parts: SessionDeskParts): SessionDesk {
  const { sessionId, participant, microTurnMs, nowMs, endpoint, events, conversation, perceiving, media } = parts;
  return {
    sessionId,
    participant,
    microTurnMs,
    nowMs,
    emit: (event) => events.emitWhileOpen(event),
    nextResponseId: () => events.nextResponseId(),
    relay: (responseId, taskId, text) => conversation.apply({ type: 'relay', atMs: nowMs(), responseId, taskId, text }),
    endRelay: (responseId) => conversation.apply({ type: 'relay-end', responseId }),
    drop: (responseId) => conversation.apply({ type: 'drop', atMs: nowMs(), responseId }),
    patch: (surfaceId, patch) => events.patch(surfaceId, patch),
    mark: (mark) => perceiving.mark(mark),
    clip: (fromMs, toMs) => media.request('clip', { endpoint, fromMs, toMs }),
  };
}
