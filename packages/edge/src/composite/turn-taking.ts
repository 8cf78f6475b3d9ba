import type { Act, Decision } from '../engine/types.js';
import {
  fail,
  follow,
  giveHeld,
  measure,
  noteCalls,
  noteJoined,
  sayMore,
  stopHeld,
  takeBack,
  takeFrom,
} from './answering.js';
import { interject, offer, settle } from './committing.js';
import { historyOf, toolsAnswered } from './heard-history.js';
import { isRefuted, plainWords } from './draft.js';
import { draft, rehearse } from './drafting.js';
import { wait } from './patience.js';
import { noteShown } from './showing.js';
import { StepBuilder } from './step-builder.js';
import type { TurnTaking, TurnTakingInput, TurnTakingStep } from './turn-state.js';
import { noteTyped } from './typing.js';
import { pauses, speaks, SPEAKS, tellWords } from './utterances.js';

export { startTurnTaking } from './turn-state.js';
export type { TurnTaking, TurnTakingInput, TurnTakingStep } from './turn-state.js';

/** The one reducer of the composite: pure, so that drafting and committing can be tested without an LLM or a clock. */
export function stepTurnTaking(state: TurnTaking, input: TurnTakingInput): TurnTakingStep {
  const step = new StepBuilder(state);
  switch (input.type) {
    case 'decision':
      step.set({ firstTokenMs: input.firstTokenMs });
      decide(step, input.decision, input.atMs);
      break;
    case 'words':
      noteWords(step, input);
      break;
    case 'draft.text':
      step.changeDraft(input.draftId, (draft) => ({
        ...draft,
        text: draft.text + input.text,
        firstAtMs: draft.firstAtMs ?? input.atMs,
      }));
      rehearse(step);
      sayMore(step, input.atMs);
      break;
    case 'draft.done':
      step.changeDraft(input.draftId, (draft) => ({ ...draft, done: true }));
      rehearse(step);
      sayMore(step, input.atMs);
      break;
    case 'draft.failed':
      fail(step, input.draftId, input.atMs);
      break;
    case 'draft.calls':
      noteCalls(step, input.draftId, input.calling, input.atMs);
      break;
    case 'tools.answered':
      step.set({ history: toolsAnswered(step.state.history, input.calls, input.results) });
      break;
    case 'spent':
      step.spend(input);
      break;
    case 'typed':
      noteTyped(step, input);
      break;
    case 'shown':
      noteShown(step, input);
      break;
    case 'event':
      follow(step, input.event);
      break;
    case 'said':
      noteJoined(step);
      break;
    case 'restore':
      step.set({ history: historyOf(input.events) });
      break;
    case 'speech-started':
      measure(step, input);
      break;
    default:
      return input satisfies never;
  }
  return step.result();
}

/** What the bundle would answer with by itself, remember or have answered: all of it is the LLM's. */
const OWN_ACTS: ReadonlySet<Act> = new Set<Act>(['continue', 'repeat', 'remind', 'note', 'backchannel', 'delegate']);

/** A bundle may tell a stop by an act, too, and for so long after the floor was yielded. */
const STOP_TAIL_MS = 1000;

function decide(step: StepBuilder, decision: Decision, atMs: number): void {
  const { microTurnMs } = step.state.options;
  const fromMs = decision.index * microTurnMs;
  const toMs = fromMs + microTurnMs;
  const stops = decision.acts.includes('stop') && !isAnswered(step, decision, atMs);
  // The brain is the LLM: of what the bundle would do by itself, only what concerns the floor is passed on.
  step.acts = decision.acts.filter((act) => (act === 'stop' ? stops : !OWN_ACTS.has(act)));
  if (SPEAKS.has(decision.floor)) takeBack(step, fromMs);
  const { takeBackDue } = step.state;
  if (takeBackDue) {
    takeFrom(step, takeBackDue);
    step.set({ takeBackDue: undefined });
  } else if (stops && !step.state.answer?.calling) {
    // While tools work nothing of it is being said: what they stop is something else, and a tool is called off by words.
    step.withdraw();
  }
  if (SPEAKS.has(decision.floor)) speaks(step, decision, fromMs, toMs, atMs);
  else if (step.state.utterance) pauses(step, step.state.utterance, decision.floor, toMs, atMs);
  if (step.state.utterance) step.run({ do: 'hear', utterance: step.state.utterance.id, toMs });
  if (step.state.utterance?.wordsDueMs === toMs) {
    step.run({ do: 'settle', utterance: step.state.utterance.id, toMs });
  }
  stopHeld(step);
  tellWords(step, atMs);
  interject(step, decision, atMs);
  settle(step, atMs);
  giveHeld(step, decision.floor, atMs);
  draft(step, atMs);
  sayMore(step, atMs);
  wait(step, atMs);
  offer(step, atMs);
}

/** Whether a stop is the one that the answer is to. To stop that one, they have to speak again. */
function isAnswered({ state: { answer, utterance } }: StepBuilder, { floor }: Decision, atMs: number): boolean {
  return !SPEAKS.has(floor) && !utterance && answer !== undefined && atMs - answer.yieldedAtMs <= STOP_TAIL_MS;
}

function noteWords(step: StepBuilder, input: TurnTakingInput & { type: 'words' }): void {
  const { utterance } = step.state;
  if (utterance?.id !== input.utterance || input.coveredMs < utterance.coveredMs) return;
  const { words, stable, coveredMs, atMs } = input;
  step.set({
    utterance: { ...utterance, words, stable, coveredMs, coveredAtMs: atMs },
  });
  stopHeld(step);
  const plain = plainWords(words);
  for (const one of step.state.drafts) if (isRefuted(one, plain)) step.drop(one, 'revised');
  settle(step, atMs);
  draft(step, atMs);
  sayMore(step, atMs);
}
