import { plainWords, readDraft, stands } from './draft.js';
import { speakableTo } from './speakable.js';
import type { StepBuilder } from './step-builder.js';

const KEPT_DRAFTS = 3;
/** Fewer words are not worth a draft while they are still being said. */
const FEW_WORDS = 3;
/** An LLM that takes less to its first token is not drafted for by itself: what a draft hides then is little for four times the tokens. */
const SLOW_MS = 200;

/** Whether a draft would be asked for, given the words for it. */
export function mayDraft(step: StepBuilder, atMs: number): boolean {
  const { utterance, options, firstTokenMs = 0 } = step.state;
  const { enabled, perUtterance, tokensPerMinute, costPerMinute = Infinity } = options.drafting;
  if (!(enabled === 'auto' ? firstTokenMs >= SLOW_MS : enabled)) return false;
  if (!utterance || utterance.yieldedAtMs !== undefined || step.state.answer) return false;
  const { tokens, cost } = step.spentAt(atMs);
  return utterance.drafts < perUtterance && tokens < tokensPerMinute && cost < costPerMinute;
}

/**
 * Asks for a draft where the words are new and money allows it: at once where the user may have come to an end, now and then
 * while they speak on, for what cannot wait.
 */
export function draft(step: StepBuilder, atMs: number): void {
  const { utterance, options, drafts, draftDueMs } = step.state;
  if (!utterance || !mayDraft(step, atMs)) return;
  const plain = plainWords(utterance.words);
  if (plain.length === 0) return;
  // The words that they hesitate after are on their way: a draft to fewer would be dropped for them.
  if (utterance.hesitates && utterance.coveredMs < utterance.hesitatedMs) return;
  if (!utterance.hesitates && (atMs < draftDueMs || plain.length < FEW_WORDS)) return;
  const newest = drafts.at(-1);
  // While they say what it foresaw there is no need of another.
  if (newest && stands(newest, plain)) return;
  while (step.state.drafts.length >= KEPT_DRAFTS) step.drop(step.state.drafts[0]!, 'superseded');
  // One that is being written to fewer words is the best there is until this one is.
  for (const one of step.state.drafts.slice(0, -1)) if (!one.done) step.drop(one, 'superseded');
  const asked = step.ask(utterance.words, atMs, true);
  step.set({
    drafts: [...step.state.drafts, asked],
    utterance: { ...step.state.utterance!, drafts: utterance.drafts + 1 },
    draftDueMs: Math.max(draftDueMs, atMs + options.drafting.everyMs),
  });
}

/** Longer is no beginning: it would be paid for, and hardly ever be said. */
const LONGEST_REHEARSED_CHARS = 160;

/** The first clause of the newest draft is made before anybody is sure that it will be said: once for each draft. */
export function rehearse(step: StepBuilder): void {
  const { utterance, drafts, answer } = step.state;
  const one = drafts.at(-1);
  if (!utterance || !one || one.rehearsed || answer || !stands(one, plainWords(utterance.words))) return;
  const read = readDraft(one);
  if (!read || read.kind === 'silence') return;
  const clauseTo = speakableTo(read.text, 0, false);
  const text = read.text.slice(0, clauseTo > 0 ? clauseTo : one.done ? undefined : 0).trim();
  if (text === '' || text.length > LONGEST_REHEARSED_CHARS) return;
  step.changeDraft(one.id, (draft) => ({ ...draft, rehearsed: true }));
  step.run({ do: 'rehearse', text });
}
