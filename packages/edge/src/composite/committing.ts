import type { Decision } from '../engine/types.js';
import { newAnswer } from './answering.js';
import { fits, plainWords, readDraft } from './draft.js';
import { userSaid } from './heard-history.js';
import type { StepBuilder } from './step-builder.js';
import { tell } from './utterances.js';

/** Words that are later than this are done without: a silent agent is worse than one that missed a word. */
const WORDS_LATE_MS = 2500;

/** The user has yielded and their words are there: the draft that fits is the answer, or a new one is asked for. */
export function settle(step: StepBuilder, atMs: number): void {
  const { utterance } = step.state;
  const yieldedAtMs = utterance?.yieldedAtMs;
  if (!utterance || yieldedAtMs === undefined) return;
  const late = atMs - yieldedAtMs > WORDS_LATE_MS;
  if (utterance.coveredMs < utterance.wordsDueMs && !late) return;
  tell(step, utterance, utterance.words.length, atMs);
  const { words, spokenToMs, coveredAtMs } = step.state.utterance!;
  const plain = plainWords(words);
  const fitting = step.state.drafts.findLast((one) => fits(one.on, plain));
  for (const one of step.state.drafts) if (one !== fitting) step.drop(one, fitting ? 'superseded' : 'revised');
  step.close(utterance);
  step.set({ drafts: [] });
  // A cough, or the end of a word that was answered already.
  if (plain.length === 0) return;
  const answering = step.state.answer !== undefined;
  const chosen = fitting ?? (answering ? undefined : step.ask(words, atMs, false));
  step.set({ history: userSaid(step.state.history, words.join(' ')) });
  if (!chosen) return;
  if (answering) {
    // They spoke under an answer that the bundle did not stop: it goes on, and what they said is remembered.
    step.drop(chosen, 'superseded');
    return;
  }
  const drafted = fitting !== undefined;
  step.set({ answer: newAnswer(chosen, { drafted, spokenToMs, yieldedAtMs, wordsAtMs: coveredAtMs }) });
  if (fitting) step.committed(chosen, atMs);
}

/** While the user holds the floor: "mm-hm" into a pause, or what cannot wait. */
export function interject(step: StepBuilder, { floor, acts }: Decision, atMs: number): void {
  const { utterance, answer, options } = step.state;
  if (!utterance || utterance.interjected || answer || utterance.yieldedAtMs !== undefined) return;
  const pause = floor === 'holding' || acts.includes('commit');
  const letsIn = pause || (floor === 'speaking' && options.eagerness === 'eager');
  const one = step.state.drafts.at(-1);
  const read = one && readDraft(one);
  if (!read || read.kind === 'reply' || read.kind === 'silence') return;
  if (read.kind === 'backchannel' ? !pause || !one.done : !letsIn) return;
  step.set({ utterance: { ...utterance, interjected: true } });
  if (read.kind === 'backchannel') {
    step.committed(one, atMs);
    step.set({ drafts: step.state.drafts.filter((other) => other !== one) });
    step.acts = [...step.acts, 'backchannel'];
    step.speech = { say: read.text, kind: 'backchannel', more: false };
    return;
  }
  // What was said so far is answered; what they say now, under it or after it, is another utterance.
  step.set({ history: userSaid(step.state.history, utterance.words.join(' ')) });
  for (const other of step.state.drafts) if (other !== one) step.drop(other, 'superseded');
  tell(step, step.state.utterance!, utterance.words.length, atMs);
  step.close(utterance);
  step.set({
    drafts: [],
    answer: newAnswer(one, {
      drafted: true,
      spokenToMs: utterance.spokenToMs,
      yieldedAtMs: atMs,
      wordsAtMs: utterance.coveredAtMs,
    }),
  });
  step.committed(one, atMs);
}
