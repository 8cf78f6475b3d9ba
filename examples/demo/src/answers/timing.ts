import type { SessionEvent, SessionEventOf } from '@microturn/sdk';

/** A draft as the page tells of it: begun on words that may not be all, then said or thrown away. */
export interface DraftView {
  readonly id: string;
  readonly words: string;
  readonly fate: 'writing' | 'committed' | SessionEventOf<'draft.dropped'>['reason'];
}

export type AnswerTiming = Pick<
  SessionEventOf<'response.latency'>,
  'responseId' | 'drafted' | 'floorMs' | 'wordsMs' | 'llmMs' | 'voiceMs'
>;

/** How the answers of an LLM come about. */
export interface Timing {
  readonly begun: number;
  readonly committed: number;
  readonly dropped: number;
  /** Oldest first, the last few. */
  readonly drafts: readonly DraftView[];
  readonly answers: readonly AnswerTiming[];
}

const KEPT = 5;

export const noTiming: Timing = { begun: 0, committed: 0, dropped: 0, drafts: [], answers: [] };

/** The next state; the same one where the event says nothing of it. */
export function watchTiming(timing: Timing, event: SessionEvent): Timing {
  switch (event.type) {
    case 'session.started':
      return noTiming;
    case 'draft.started': {
      const draft: DraftView = { id: event.draftId, words: event.words, fate: 'writing' };
      return { ...timing, begun: timing.begun + 1, drafts: [...timing.drafts, draft].slice(-KEPT) };
    }
    case 'draft.committed':
      // An answer that was asked for after the last word was never a draft, and is not committed.
      return { ...settle(timing, event.draftId, 'committed'), committed: timing.committed + 1 };
    case 'draft.dropped':
      return { ...settle(timing, event.draftId, event.reason), dropped: timing.dropped + 1 };
    case 'response.latency': {
      const { responseId, drafted, floorMs, wordsMs, llmMs, voiceMs } = event;
      const answer = { responseId, drafted, floorMs, wordsMs, llmMs, voiceMs };
      return { ...timing, answers: [...timing.answers, answer].slice(-KEPT) };
    }
    default:
      return timing;
  }
}

function settle(timing: Timing, id: string, fate: DraftView['fate']): Timing {
  return { ...timing, drafts: timing.drafts.map((draft) => (draft.id === id ? { ...draft, fate } : draft)) };
}

/** From the end of the user's speech to the first sound. */
export function totalMs({ floorMs, wordsMs, llmMs, voiceMs }: AnswerTiming): number {
  return floorMs + wordsMs + llmMs + voiceMs;
}
