import { acts, type Decision } from '../../packages/edge/src/engine/types.js';
import { ReadMessages } from '../../packages/edge/src/session/read-messages.js';
import type { Sound } from './bundle-listener.js';
import { SAMPLES_PER_TURN } from './test-sets.js';

/** What a microphone gives where nothing is heard: no more than its last bits. */
const hiss = (samples: number) => Int16Array.from({ length: samples }, (_, i) => ((i * 2_654_435_761) % 17) - 8);

/**
 * A room where nobody speaks, and what is typed into it, by micro-turn.
 * @param noise 16 kHz, 16 bit, of any length: heard forwards and backwards in turns
 */
export function quietRoom(turns: number, typed: Readonly<Record<number, string>>, noise?: Int16Array): Sound {
  const samples = turns * SAMPLES_PER_TURN;
  return {
    mic: noise ? lengthened(noise, samples) : hiss(samples),
    ref: new Int16Array(samples),
    play: new Uint8Array(turns),
    typed: Array.from({ length: turns }, (_, turn) => typed[turn] ?? ''),
  };
}

/** There and back again, so that no seam is heard. */
function lengthened(sound: Int16Array, samples: number): Int16Array {
  const period = 2 * sound.length;
  return Int16Array.from({ length: samples }, (_, i) => sound[Math.min(i % period, period - 1 - (i % period))]!);
}

/** The messages that somebody else is asked to answer, as a session finds them. */
export function askedIn({ typed = [] }: Sound, decisions: readonly Decision[], perTurn: number): string[] {
  const asked: string[] = [];
  const messages = new ReadMessages({ perTurn, ask: (text) => void asked.push(text) });
  for (const decision of decisions) {
    const text = typed[decision.index] ?? '';
    if (text !== '') messages.push(text, decision.index);
    messages.onDecision(decision);
  }
  return asked;
}

/** The agent is audible from the micro-turn after a decision, one for every word and one more, until it is stopped. */
export function hearOwn({ play }: Sound, { index, say, acts: decided }: Decision): void {
  if (decided.includes('stop')) play.fill(0, index + 1);
  if (say !== '') play.fill(1, index + 1, index + 2 + say.split(' ').length);
}

const ACTS: ReadonlySet<string> = new Set(acts);
/** Acts that have the agent speak where nothing is offered to it. */
const SPOKEN: ReadonlySet<string> = new Set(['remind', 'backchannel', 'continue', 'repeat']);

/** Whether the agent is heard for this: one of its words, or the name of an act. */
export const isHeard = (what: string) => !ACTS.has(what) || SPOKEN.has(what);
