import { MicroturnError } from '@microturn/protocol';
import { fail } from './answering.js';
import type { StepBuilder } from './step-builder.js';

/** Called with each decision: an answer that is owed and does not come on is told of, and in the end given up. */
export function wait(step: StepBuilder, atMs: number): void {
  const { answer, waiting, options } = step.state;
  if (!options.patience) return;
  if (!answer || answer.draft.done) {
    if (waiting) step.set({ waiting: undefined });
    return;
  }
  const { id: draftId, text } = answer.draft;
  const told = waiting?.draftId === draftId && waiting.told;
  // While tools work it is not the LLM that is waited for; they have a limit of their own.
  if (waiting?.draftId !== draftId || waiting.chars !== text.length || answer.calling) {
    step.set({ waiting: { draftId, chars: text.length, sinceMs: atMs, told } });
    return;
  }
  const { wordMs, word, firstMs, stallMs } = options.patience;
  const waitedMs = atMs - waiting.sinceMs;
  if (waitedMs >= (text === '' ? firstMs : stallMs)) {
    const detail =
      text === '' ? `no answer within ${firstMs} ms` : `nothing for ${stallMs} ms in the middle of an answer`;
    step.run({ do: 'cancel', draftId });
    step.emit({ type: 'error', ...new MicroturnError('llm/timeout', detail).toWire() });
    step.speech = undefined;
    fail(step, draftId, atMs);
  } else if (answer.said === 0 && !told && word !== '' && waitedMs >= wordMs) {
    // What it is announced with is the beginning of it.
    step.set({ waiting: { ...waiting, told: true }, answer: { ...answer, opens: answer.responseId === undefined } });
    step.speech = { say: word, kind: 'reply', more: true };
  }
}
