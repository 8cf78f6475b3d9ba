import type { ResponseKind, SessionEvent, SessionEventOf } from '@microturn/sdk';

export const trialIds = ['count', 'pause', 'stop', 'agree', 'remind', 'translate'] as const;
/** One of the things that the page suggests. */
export type TrialId = (typeof trialIds)[number];

/** A pause this long, in the middle of a story, is one worth waiting in. */
const PAUSE_MS = 2500;
/** What the agent says this soon after a word is about the word, and does not break the pause. */
const REACTION_MS = 1000;
/** Heard this long after an “uh-huh”, the agent went on. */
const WENT_ON_MS = 1500;
/** Between what the model takes for agreement and a word that agrees: further apart, nobody said “uh-huh”. */
const AGREEING_MS = 1000;
const agreeing: ReadonlySet<string> = new Set(
  'uh huh hmm mhm yeah yes yep okay right sure see exactly really great good oh ah'.split(' '),
);
/** Between a word that stops and the end of what it stopped, which is told once the listener's device has said what it played. */
const STOPPING_MS = 2500;
const stopping: ReadonlySet<string> = new Set('stop wait'.split(' '));
const asking: ReadonlySet<string> = new Set('remind reminder timer alarm seconds minutes'.split(' '));
const numbers: readonly string[] =
  `one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
  nineteen twenty`.split(/\s+/);

interface Speaking {
  readonly id: string;
  readonly kind: ResponseKind;
  readonly startMs: number;
  /** Session ms of the first “uh-huh” in it. */
  readonly agreedMs: number | undefined;
}

/** A number that the agent said, and nothing else. */
interface Counted {
  readonly value: number;
  readonly atMs: number;
  /** Said while the user was speaking. */
  readonly into: boolean;
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
  readonly counted: Counted | undefined;
  /** Session ms of what was taken for agreement last, and of the last word that agrees. */
  readonly backchannelMs: number;
  readonly agreeingMs: number;
  /** Session ms at which the user cut it off last, with words left that they have not heard; and of the last word that stops. */
  readonly cutMs: number;
  readonly stoppingMs: number;
  /** A word was heard that asks for a reminder. */
  readonly asked: boolean;
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
  counted: undefined,
  backchannelMs: -Infinity,
  agreeingMs: Infinity,
  cutMs: -Infinity,
  stoppingMs: Infinity,
  asked: false,
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
      const heard = {
        ...trials,
        lastWordMs: event.endMs,
        broken: false,
        waited,
        agreeingMs: agreeing.has(event.text) ? event.endMs : trials.agreeingMs,
        stoppingMs: stopping.has(event.text) ? event.endMs : trials.stoppingMs,
        asked: trials.asked || asking.has(event.text),
      };
      return withStop(withAgreement(heard));
    }
    case 'interruption':
      if (!isMine(trials, event.participant) || event.kind !== 'backchannel') return trials;
      return withAgreement({ ...trials, backchannelMs: event.at });
    case 'response.started': {
      const counts = event.kind === 'interjection' || event.kind === 'reply';
      const next = counts && trials.waited ? see(trials, 'pause', event.at) : trials;
      return {
        ...next,
        broken: trials.broken || event.at - (trials.lastWordMs ?? 0) > REACTION_MS,
        counting: trials.counting || counts,
        waited: false,
        speaking: [
          ...trials.speaking,
          { id: event.responseId, kind: event.kind, startMs: event.at, agreedMs: undefined },
        ],
      };
    }
    case 'response.text':
      return count(trials, event);
    case 'response.heard':
      return event.at - agreedMs(trials, event.responseId) >= WENT_ON_MS ? see(trials, 'agree', event.at) : trials;
    case 'response.completed':
      return end(
        Number.isFinite(agreedMs(trials, event.responseId)) ? see(trials, 'agree', event.at) : trials,
        event.responseId,
      );
    case 'response.interrupted':
      return end(
        event.by === 'user' && event.unheardText !== '' ? withStop({ ...trials, cutMs: event.at }) : trials,
        event.responseId,
      );
    case 'reminder.fired':
      // The model may say so with nobody having asked.
      return trials.asked ? { ...see(trials, 'remind', event.at), asked: false } : trials;
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

/** One number may be chance: it counts once it goes up, and while the user speaks. */
function count(trials: Trials, { responseId, at, text }: SessionEventOf<'response.text'>): Trials {
  const kind = trials.speaking.find(({ id }) => id === responseId)?.kind;
  const value = numbers.indexOf(text.trim().toLowerCase());
  if (value < 0 || !(kind === 'interjection' || kind === 'reply')) return trials;
  const counted = { value, atMs: at, into: kind === 'interjection' };
  const before = trials.counted;
  if (!before || value <= before.value) return { ...trials, counted };
  const next = { ...trials, counted: { ...counted, into: counted.into || before.into } };
  return next.counted.into ? see(next, 'count', before.atMs) : next;
}

/** The floor’s belief and a word make an “uh-huh”, whichever of them is told first. */
function withAgreement(trials: Trials): Trials {
  const { backchannelMs, agreeingMs, speaking } = trials;
  if (!(Math.abs(backchannelMs - agreeingMs) <= AGREEING_MS)) return trials;
  return {
    ...trials,
    speaking: speaking.map((speech) =>
      speech.agreedMs === undefined && speech.startMs <= backchannelMs
        ? { ...speech, agreedMs: backchannelMs }
        : speech,
    ),
  };
}

/** It was cut off for a word that stops, and not for another, a cough or an echo: whichever of the two is told first. */
function withStop(trials: Trials): Trials {
  const { cutMs, stoppingMs } = trials;
  return Math.abs(cutMs - stoppingMs) <= STOPPING_MS ? see(trials, 'stop', cutMs) : trials;
}

/** Infinity where nobody agreed with it. */
function agreedMs(trials: Trials, responseId: string): number {
  return trials.speaking.find(({ id }) => id === responseId)?.agreedMs ?? Infinity;
}

function end(trials: Trials, responseId: string): Trials {
  return { ...trials, speaking: trials.speaking.filter(({ id }) => id !== responseId) };
}
