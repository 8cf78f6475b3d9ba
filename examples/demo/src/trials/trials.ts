import type { SessionEvent } from '@microturn/sdk';

export const trialIds = ['count', 'pause', 'stop', 'agree', 'remind', 'translate'] as const;
/** One of the things that the page suggests. */
export type TrialId = (typeof trialIds)[number];

/** A pause this long, in the middle of a story, is one worth waiting in. */
const PAUSE_MS = 2500;
/** What the agent says this soon after a word is about the word, and does not break the pause. */
const REACTION_MS = 1000;
/** Heard this long after an “uh-huh”, the agent went on. */
const WENT_ON_MS = 1500;

interface Speaking {
  readonly id: string;
  /** Session ms of the first “uh-huh” in it. */
  readonly agreedMs: number | undefined;
}

/** Which of the suggestions have been seen to happen, from the events alone. */
export interface Trials {
  readonly me: string | undefined;
  /** Session ms at which each was first seen. */
  readonly seen: Readonly<Partial<Record<TrialId, number>>>;
  readonly lastWordMs: number | undefined;
  /** Since the last word the agent began to speak of its own accord. */
  readonly broken: boolean;
  /** It has begun to count. */
  readonly counting: boolean;
  /** It let a pause pass in silence; going on to count is still to come. */
  readonly waited: boolean;
  readonly speaking: readonly Speaking[];
}

export const noTrials: Trials = {
  me: undefined,
  seen: {},
  lastWordMs: undefined,
  broken: false,
  counting: false,
  waited: false,
  speaking: [],
};

export function watchTrials(trials: Trials, event: SessionEvent): Trials {
  switch (event.type) {
    case 'session.started':
      // A new call starts another clock; what was seen stays seen.
      return { ...noTrials, seen: trials.seen, me: event.participant };
    case 'transcript.word': {
      if (!isMine(trials, event.participant)) return trials;
      const { counting, broken, speaking, lastWordMs = event.endMs } = trials;
      const paused = event.endMs - lastWordMs >= PAUSE_MS;
      const waited = paused ? counting && !broken && speaking.length === 0 : trials.waited;
      return { ...trials, lastWordMs: event.endMs, broken: false, waited };
    }
    case 'interruption':
      if (!isMine(trials, event.participant)) return trials;
      if (event.kind === 'interjection') return see(trials, 'count', event.at);
      if (event.kind !== 'backchannel') return trials;
      return {
        ...trials,
        speaking: trials.speaking.map((speech) => ({ ...speech, agreedMs: speech.agreedMs ?? event.at })),
      };
    case 'response.started': {
      const counts = event.kind === 'interjection' || event.kind === 'reply';
      const next = counts && trials.waited ? see(trials, 'pause', event.at) : trials;
      return {
        ...next,
        broken: trials.broken || event.at - (trials.lastWordMs ?? 0) > REACTION_MS,
        counting: trials.counting || counts,
        waited: false,
        speaking: [...trials.speaking, { id: event.responseId, agreedMs: undefined }],
      };
    }
    case 'response.heard':
      return event.at - agreedMs(trials, event.responseId) >= WENT_ON_MS ? see(trials, 'agree', event.at) : trials;
    case 'response.completed':
      return end(
        Number.isFinite(agreedMs(trials, event.responseId)) ? see(trials, 'agree', event.at) : trials,
        event.responseId,
      );
    case 'response.interrupted':
      return end(event.by === 'user' ? see(trials, 'stop', event.at) : trials, event.responseId);
    case 'reminder.fired':
      return see(trials, 'remind', event.at);
    case 'ui.patch':
      return event.surfaceId === 'translation' ? see(trials, 'translate', event.at) : trials;
    case 'floor.changed':
    case 'session.resumed':
    case 'session.closed':
    case 'transcript.typed':
    case 'task.created':
    case 'task.progress':
    case 'task.delta':
    case 'task.question':
    case 'task.completed':
    case 'task.failed':
    case 'task.cancelled':
    case 'task.stale':
    case 'task.woven':
    case 'tool.call':
    case 'tool.result':
    case 'response.latency':
    case 'draft.started':
    case 'draft.committed':
    case 'draft.dropped':
    case 'session.usage':
    case 'response.text':
    case 'response.cut':
    case 'reminder.set':
    case 'stats':
    case 'error':
      return trials;
    default:
      return event satisfies never;
  }
}

function isMine(trials: Trials, participant: string): boolean {
  return trials.me === undefined || trials.me === participant;
}

function see(trials: Trials, id: TrialId, at: number): Trials {
  return trials.seen[id] === undefined ? { ...trials, seen: { ...trials.seen, [id]: at } } : trials;
}

/** Infinity where nobody agreed with it. */
function agreedMs(trials: Trials, responseId: string): number {
  return trials.speaking.find(({ id }) => id === responseId)?.agreedMs ?? Infinity;
}

function end(trials: Trials, responseId: string): Trials {
  return { ...trials, speaking: trials.speaking.filter(({ id }) => id !== responseId) };
}
