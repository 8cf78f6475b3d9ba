import type { Decision } from '../engine/types.js';
import { tellOffer } from '../offer.js';
import { newAnswer } from './answering.js';
import { fits, plainWords, readDraft, type Draft } from './draft.js';
import { userSaid } from './heard-history.js';
import { speakableTo } from './speakable.js';
import type { StepBuilder } from './step-builder.js';
import type { Utterance } from './turn-state.js';
import { tell, tellWhole } from './utterances.js';

/** Words that are later than this are done without: a silent agent is worse than one that missed a word. */
const WORDS_LATE_MS = 2500;

/** The user has yielded and their words are there: the draft that fits is the answer, or a new one is asked for. */
export function settle(step: StepBuilder, atMs: number): void {
  const { utterance, answer } = step.state;
  const yieldedAtMs = utterance?.yieldedAtMs;
  if (!utterance || yieldedAtMs === undefined) return;
  // What was thrown in while they spoke is no answer to what they go on to say: that has its turn when it is over.
  // A tool waits for it, though.
  if (answer && !answer.calling && readDraft(answer.draft)?.kind === 'interjection') return;
  if (utterance.coveredMs < utterance.wordsDueMs) {
    if (atMs - yieldedAtMs <= WORDS_LATE_MS || utterance.own) return;
    if (plainWords(utterance.words).length === 0) {
      // Nothing is no cough here: whoever asked is not left without an answer.
      step.set({ utterance: { ...utterance, own: true } });
      step.run({ do: 'hear-own', utterance: utterance.id, detail: `no word within ${WORDS_LATE_MS} ms` });
      return;
    }
  }
  tell(step, utterance, utterance.words.length, atMs);
  tellWhole(step, utterance);
  const { words, spokenToMs, coveredAtMs } = step.state.utterance!;
  const plain = plainWords(words);
  const fitting = step.state.drafts.findLast((one) => fits(one, plain));
  for (const one of step.state.drafts) if (one !== fitting) step.drop(one, fitting ? 'superseded' : 'revised');
  step.close(utterance);
  step.set({ drafts: [] });
  // A cough, or the end of a word that was answered already.
  if (plain.length === 0) return;
  const answering = answer !== undefined;
  if (answer?.calling) step.run({ do: 'add', draftId: answer.draft.id, words: words.join(' ') });
  const chosen = fitting ?? (answering ? undefined : step.ask(words, atMs, false));
  step.set({ history: userSaid(step.state.history, words.join(' ')) });
  if (!chosen) return;
  if (answering) {
    // They spoke under an answer that the bundle did not stop: it goes on, and what they said is remembered.
    step.drop(chosen, 'superseded');
    return;
  }
  const drafted = fitting !== undefined;
  step.answer(newAnswer(chosen, { drafted, spokenToMs, yieldedAtMs, wordsAtMs: coveredAtMs }));
  if (fitting) step.committed(chosen, atMs);
}

/** While the user holds the floor: "mm-hm" into a pause, what cannot wait, or the answer where the bundle commits it. */
export function interject(step: StepBuilder, decision: Decision, atMs: number): void {
  const { utterance, answer } = step.state;
  if (!utterance || answer || utterance.yieldedAtMs !== undefined) return;
  const one = step.state.drafts.at(-1);
  const read = one && readDraft(one);
  if (one && read?.kind === 'reply' && decision.acts.includes('commit') && canBeSaid(step)) {
    tellWhole(step, utterance);
    takeFloor(step, utterance, one, atMs);
    return;
  }
  if (utterance.murmured) return;
  const pause = decision.floor === 'holding' || decision.acts.includes('commit');
  if (one && read?.kind === 'backchannel' && pause && one.done) {
    step.committed(one, atMs);
    step.set({ drafts: step.state.drafts.filter((other) => other !== one) });
    murmur(step, utterance, read.text);
  } else if (one && read?.kind === 'interjection') {
    const letsIn = pause || (decision.floor === 'speaking' && mayTalkOver(step, utterance));
    if (letsIn) takeFloor(step, utterance, one, atMs);
  }
  if (!step.speech && !step.state.answer && decision.acts.includes('backchannel'))
    murmur(step, utterance, decision.say);
}

/** The floor bundle is told of a draft that answers all that was said so far: it may `commit` it before it yields. */
export function offer(step: StepBuilder, atMs: number): void {
  const { answer, offeredAtMs } = step.state;
  const state = answer ? 'taken' : canBeSaid(step) ? 'waits' : 'void';
  const { toldAtMs, tell } = tellOffer(offeredAtMs, state, atMs);
  step.set({ offeredAtMs: toldAtMs });
  if (tell) step.run({ do: 'mark', mark: tell === 'offered' ? 'draft' : tell });
}

/** Whether the newest draft is an answer to all that was said so far, and enough of it is written to begin with. */
function canBeSaid({ state: { utterance, drafts } }: StepBuilder): boolean {
  const one = drafts.at(-1);
  const read = one && readDraft(one);
  if (!utterance || !read || read.kind === 'silence' || read.kind === 'backchannel') return false;
  return fits(one, plainWords(utterance.words)) && speakableTo(read.text, 0, one.done) > 0;
}

/** While they talk, where the floor is not sure that they go on: a pause may be long in coming. */
function mayTalkOver({ state: { options } }: StepBuilder, { hesitates }: Utterance): boolean {
  return options.eagerness === 'eager' || (options.eagerness === 'normal' && hesitates);
}

function murmur(step: StepBuilder, utterance: Utterance, say: string): void {
  if (say === '') return;
  step.set({ utterance: { ...utterance, murmured: true } });
  step.acts = [...step.acts, 'backchannel'];
  step.speech = { say, kind: 'backchannel', more: false };
}

/** What was said so far is answered; what they say now, under the answer or after it, is another utterance. */
function takeFloor(step: StepBuilder, utterance: Utterance, one: Draft, atMs: number): void {
  const { spokenToMs, coveredAtMs } = utterance;
  step.set({ history: userSaid(step.state.history, utterance.words.join(' ')) });
  for (const other of step.state.drafts) if (other !== one) step.drop(other, 'superseded');
  tell(step, utterance, utterance.words.length, atMs);
  step.close(utterance);
  step.set({ drafts: [], brokenIntoMs: spokenToMs });
  step.answer(newAnswer(one, { drafted: true, spokenToMs, yieldedAtMs: atMs, wordsAtMs: coveredAtMs }));
  step.committed(one, atMs);
}
