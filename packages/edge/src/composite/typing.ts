import { newAnswer, takenOf } from './answering.js';
import { userSaid } from './heard-history.js';
import type { StepBuilder } from './step-builder.js';
import type { TurnTakingInput } from './turn-state.js';

const KEPT_FIELDS = 8;

/** What stands in a field is known to the next question; a message that was sent is one. */
export function noteTyped(step: StepBuilder, { field, text, sent, atMs }: TurnTakingInput & { type: 'typed' }): void {
  const typed = new Map(step.state.typed);
  typed.delete(field);
  // What is sent empty asks nothing: providers refuse a message without a word.
  if (!sent || text.trim() === '') {
    if (!sent && text !== '') typed.set(field, text);
    for (const oldest of typed.keys()) {
      if (typed.size <= KEPT_FIELDS) break;
      typed.delete(oldest);
    }
    step.set({ typed });
    return;
  }
  step.set({ typed });
  // A message is an utterance that is complete, and takes the floor from an answer to an older one.
  const { answer, takeBackDue } = step.state;
  // Of that there may be no more than the word that announced it; and one that is to be taken back already still is.
  step.set({ takeBackDue: takeBackDue ?? (answer && takenOf(answer)) });
  step.withdraw();
  const asked = step.ask([text], atMs, false);
  step.set({ history: userSaid(step.state.history, text, 'untold') });
  step.answer(newAnswer(asked, { drafted: false, spokenToMs: atMs, yieldedAtMs: atMs, wordsAtMs: atMs }));
}
