import type { Floor } from '@microturn/protocol';
import type { Decision } from '../engine/types.js';
import { mayDraft } from './drafting.js';
import type { StepBuilder } from './step-builder.js';
import type { Utterance } from './turn-state.js';

/** Sound before the first micro-turn that the floor calls speech: a soft beginning may be in the one before. */
const LEAD_MS = 400;
/** A floor that says nothing of a user who spoke has given it up as well, without saying so. */
const SILENT_TURNS = 3;
/** A bundle takes some ends for pauses: nobody is to wait for an answer for as long as it holds those. */
const LONGEST_PAUSE_MS = 3_000;

/** Of a floor that is surer than this, another micro-turn of speech follows nearly always. */
const SURE = 0.6;

/** Floors of a user who is talking. */
export const SPEAKS: ReadonlySet<Floor> = new Set(['speaking', 'correcting', 'barge-in']);

/** The user is heard in this micro-turn: an utterance begins, or goes on. */
export function speaks(
  step: StepBuilder,
  { floor, confidence }: Pick<Decision, 'floor' | 'confidence'>,
  fromMs: number,
  toMs: number,
  atMs: number,
): void {
  const { utterance, options, draftDueMs } = step.state;
  const hesitates = confidence < SURE;
  if (!utterance) {
    const id = step.next();
    const { heardToMs, brokenIntoMs } = step.state;
    const soundFromMs = brokenIntoMs === fromMs ? heardToMs : Math.max(heardToMs, fromMs - LEAD_MS);
    step.set({
      brokenIntoMs: undefined,
      draftDueMs: Math.max(draftDueMs, toMs + options.drafting.everyMs),
      utterance: {
        id,
        fromMs: soundFromMs,
        floor,
        hesitates,
        spokenToMs: toMs,
        spokenMs: toMs - fromMs,
        wordsDueMs: Infinity,
        hesitatedMs: toMs,
        yieldedTurns: 0,
        holdingTurns: 0,
        yieldedAtMs: undefined,
        words: [],
        stable: 0,
        coveredMs: 0,
        coveredAtMs: 0,
        told: 0,
        own: false,
        drafts: 0,
        murmured: false,
      },
    });
    step.run({ do: 'listen', utterance: id, fromMs: soundFromMs });
    return;
  }
  const begins = hesitates && !utterance.hesitates;
  if (begins && options.rehears && mayDraft(step, atMs)) step.run({ do: 'settle', utterance: utterance.id, toMs });
  step.set({
    utterance: {
      ...utterance,
      floor,
      hesitates,
      ...(begins && { hesitatedMs: toMs }),
      spokenToMs: toMs,
      spokenMs: utterance.spokenMs + toMs - fromMs,
      wordsDueMs: Infinity,
      yieldedTurns: 0,
      holdingTurns: 0,
      yieldedAtMs: undefined,
      murmured: false,
    },
  });
}

/** They are not: an utterance that is open pauses, is over, or was for somebody else. */
export function pauses(step: StepBuilder, before: Utterance, floor: Floor, toMs: number, atMs: number): void {
  if (floor === 'elsewhere') {
    step.forget(before);
    return;
  }
  const gave = floor === 'yielded' || floor === 'silent';
  const utterance: Utterance = {
    ...before,
    floor,
    hesitates: true,
    wordsDueMs: Math.min(before.wordsDueMs, toMs),
    hesitatedMs: Math.min(before.wordsDueMs, toMs),
    yieldedTurns: gave ? before.yieldedTurns + 1 : 0,
    holdingTurns: floor === 'holding' ? before.holdingTurns + 1 : 0,
  };
  step.set({
    utterance: { ...utterance, yieldedAtMs: before.yieldedAtMs ?? (isTurn(step, utterance) ? atMs : undefined) },
  });
}

/** Whether it is the agent's turn, as far as the app lets the bundle decide. */
function isTurn({ state }: StepBuilder, { floor, yieldedTurns, holdingTurns }: Utterance): boolean {
  const { eagerness, microTurnMs } = state.options;
  const { longestPauseMs = eagerness === 'patient' ? Infinity : LONGEST_PAUSE_MS } = state.options;
  if (holdingTurns * microTurnMs >= longestPauseMs) return true;
  switch (eagerness) {
    case 'patient':
      return yieldedTurns >= (floor === 'yielded' ? 2 : 2 * SILENT_TURNS);
    case 'normal':
      return floor === 'yielded' || yieldedTurns >= SILENT_TURNS;
    case 'eager':
      return floor === 'yielded' || yieldedTurns >= SILENT_TURNS || holdingTurns >= 2;
    default:
      return eagerness satisfies never;
  }
}

/** Passes words on that will not change any more, as a transcript. */
export function tellWords(step: StepBuilder, atMs: number): void {
  const { utterance } = step.state;
  if (!utterance) return;
  tell(step, utterance, Math.min(utterance.stable, utterance.words.length), atMs);
}

export function tell(step: StepBuilder, utterance: Utterance, upTo: number, atMs: number): void {
  if (upTo <= utterance.told) return;
  const endMs = Math.min(utterance.coveredMs, atMs);
  // When a word ended is known to the clip it was first read in, and no closer: transcribers give no times.
  step.words.push(...utterance.words.slice(utterance.told, upTo).map((text) => ({ text, endMs, confidence: 1 })));
  step.set({ utterance: { ...utterance, told: upTo } });
}

/** They have ended, and no word up to there is missing: what it is about may be more than an answer. */
export function tellWhole(step: StepBuilder, { words, fromMs, coveredMs, wordsDueMs }: Utterance): void {
  if (coveredMs >= wordsDueMs && words.length > 0) step.run({ do: 'heard', words, fromMs });
}
