import type { Floor, SessionEventOf } from '@microturn/protocol';
import type { UserUtterance, UserWord } from './types.js';

/** Without a word for this long, and not holding the floor, the next word begins another utterance. For display only. */
const PAUSE_MS = 2000;

/** Where the words of one participant go. */
export interface Voice {
  readonly floor: Floor;
  /** Their newest utterance. */
  readonly utterance: UserUtterance;
  /** Session ms at which they yielded the floor after it: later words begin another. */
  readonly yieldedAt?: number;
  /** Whether they held the floor since the last word: however long that was, the next one goes on. */
  readonly held?: boolean;
}

/** Appends a word to the participant's open utterance, or opens one. */
export function hearWord(voice: Voice | undefined, event: SessionEventOf<'transcript.word'>): Voice {
  const word = toWord(event);
  if (!voice || beginsAnother(voice, word)) {
    const startMs = word.startMs ?? word.endMs;
    const utterance: UserUtterance = {
      speaker: 'user',
      id: `${event.participant}/${event.seq}`,
      participant: event.participant,
      typed: false,
      words: [word],
      text: toText([word]),
      status: 'partial',
      startMs,
      endMs: word.endMs,
    };
    return { floor: voice?.floor ?? 'speaking', utterance };
  }
  const words = [...settled(voice.utterance.words, word), word];
  return {
    ...voice,
    held: isHeld(voice.floor),
    utterance: {
      ...voice.utterance,
      words,
      text: toText(words),
      status: voice.yieldedAt === undefined ? 'partial' : 'final',
      endMs: Math.max(voice.utterance.endMs, word.endMs),
    },
  };
}

/** A message is an utterance that is complete. What its sender says meanwhile goes on beside it. */
export function toMessage({ participant, seq, text, at }: SessionEventOf<'transcript.typed'>): UserUtterance {
  const id = `${participant}/${seq}`;
  return { speaker: 'user', id, participant, typed: true, words: [], text, status: 'final', startMs: at, endMs: at };
}

/** An utterance is final when its speaker yields or falls silent; only yielding keeps a word soon after out of it. */
export function changeFloor(voice: Voice, event: SessionEventOf<'floor.changed'>): Voice {
  const floor = event.floor;
  switch (floor) {
    case 'yielded':
      return { floor, utterance: finish(voice.utterance), yieldedAt: event.at };
    case 'silent':
    case 'elsewhere':
      return { ...voice, floor, utterance: finish(voice.utterance) };
    case 'holding':
    case 'correcting':
      return { ...voice, floor, held: true };
    case 'barge-in':
      // Who takes the floor begins anew, whatever they held it for before.
      return { ...voice, floor, held: false };
    case 'speaking':
    case 'backchannel':
      return { ...voice, floor };
    default:
      return floor satisfies never;
  }
}

export function finish(utterance: UserUtterance): UserUtterance {
  return utterance.status === 'final' ? utterance : { ...utterance, status: 'final' };
}

function beginsAnother(voice: Voice, word: UserWord): boolean {
  // A word that ended before the floor was yielded belongs to what was said, however late it is recognised.
  if (voice.yieldedAt !== undefined) return word.endMs > voice.yieldedAt;
  if (voice.held) return false;
  return (word.startMs ?? word.endMs) - voice.utterance.endMs > PAUSE_MS;
}

function isHeld(floor: Floor): boolean {
  return floor === 'holding' || floor === 'correcting';
}

/** The first final word replaces the guesses that led to it. */
function settled(words: readonly UserWord[], next: UserWord): readonly UserWord[] {
  if (!next.final) return words;
  const lastFinal = words.findLastIndex((word) => word.final);
  return words.slice(0, lastFinal + 1);
}

function toWord(event: SessionEventOf<'transcript.word'>): UserWord {
  return {
    text: event.text,
    endMs: event.endMs,
    ...(event.startMs !== undefined && { startMs: event.startMs }),
    confidence: event.confidence,
    final: event.final,
    unknown: event.text === '<unk>',
  };
}

function toText(words: readonly UserWord[]): string {
  return words.map((word) => (word.unknown ? '…' : word.text)).join(' ');
}
