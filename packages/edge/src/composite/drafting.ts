import { fits, plainWords } from './draft.js';
import type { StepBuilder } from './step-builder.js';
import { SPEAKS } from './utterances.js';

const KEPT_DRAFTS = 3;
/** Fewer words are not worth a draft while they are still being said. */
const FEW_WORDS = 3;
const BURST = 2;

/** Asks for a draft where the words are new, and rate and money allow it. */
export function draft(step: StepBuilder, atMs: number): void {
  const { utterance, options, drafts, draftDueMs } = step.state;
  const { enabled, everyMs, perUtterance, tokensPerMinute } = options.drafting;
  if (!enabled || !utterance || utterance.yieldedAtMs !== undefined || step.state.answer) return;
  if (utterance.drafts >= perUtterance || draftDueMs - atMs > (BURST - 1) * everyMs) return;
  if (step.spentAt(atMs) >= tokensPerMinute) return;
  const plain = plainWords(utterance.words);
  const newest = drafts.at(-1);
  if (plain.length < (SPEAKS.has(utterance.floor) ? FEW_WORDS : 1)) return;
  if (newest && fits(newest.on, plain)) return;
  while (step.state.drafts.length >= KEPT_DRAFTS) step.drop(step.state.drafts[0]!, 'superseded');
  // One that is being written to fewer words is the best there is until this one is.
  for (const one of step.state.drafts.slice(0, -1)) if (!one.done) step.drop(one, 'superseded');
  const asked = step.ask(utterance.words, atMs, true);
  step.set({
    drafts: [...step.state.drafts, asked],
    utterance: { ...step.state.utterance!, drafts: utterance.drafts + 1 },
    draftDueMs: Math.max(draftDueMs, atMs) + everyMs,
  });
}
