import { MicroturnError, type Floor, type SessionEvent } from '@microturn/protocol';
import type { Act } from '../engine/types.js';
import { plainWords, readDraft, type Draft } from './draft.js';
import { followHistory } from './heard-history.js';
import { isSpeakable, speakableTo } from './speakable.js';
import type { StepBuilder } from './step-builder.js';
import type { Answer, Taken, TurnTakingInput } from './turn-state.js';

export function newAnswer(
  draft: Draft,
  times: Pick<Answer, 'drafted' | 'spokenToMs' | 'yieldedAtMs' | 'wordsAtMs'>,
): Answer {
  return {
    draft,
    ...times,
    heardTo: 0,
    said: 0,
    saidAll: false,
    opens: false,
    opensFrom: 0,
    responseId: undefined,
    saidAtMs: undefined,
    calling: false,
    called: false,
    calledAt: 0,
    soundedAtMs: undefined,
    measured: false,
    cancelled: false,
  };
}

/** Words that began no response by now are part of the one before them. */
export function noteJoined(step: StepBuilder): void {
  const { answer } = step.state;
  if (answer?.opens && answer.responseId !== undefined) step.set({ answer: { ...answer, opens: false } });
}

/** What can be said of the answer now. */
export function sayMore(step: StepBuilder, atMs: number): void {
  const { answer, takeBackDue, waiting } = step.state;
  if (!answer || answer.saidAll || takeBackDue || step.speech) return;
  const read = readDraft(answer.draft);
  if (read?.kind === 'silence') {
    // Who was told that it is coming hears no more of it: that the LLM wants it so, and did not fail, is for the page to know.
    if (waiting?.told && waiting.draftId === answer.draft.id) step.committed(answer.draft, atMs);
    step.withdraw();
    return;
  }
  if (read && answer.draft.done && !isSpeakable(read.text)) {
    // That is no silence of its own accord: who asked hears nothing of an answer that there is, and the page is to know why.
    step.emit({ type: 'error', ...new MicroturnError('llm/malformed', 'nothing in it can be spoken').toWire() });
    step.withdraw();
    return;
  }
  const complete = answer.draft.done || answer.calling;
  const said = read ? speakableTo(read.text, answer.said, complete) : 0;
  // What a voice does not take at once follows with the next decision.
  const rest = complete && read !== undefined && said < read.text.length;
  const part = read ? read.text.slice(answer.said, said).trim() : '';
  // A smile at the end is no speech: a voice refuses it, and what is being said would end there.
  const say = isSpeakable(part) ? part : '';
  if (say === '' && answer.draft.done && !rest && answer.responseId === undefined && !answer.opens) {
    // Nothing of it is being said, or is going to be.
    step.withdraw();
    return;
  }
  // While tools work nothing is being said: somebody else may speak, and ask for leave.
  step.speech = { say, kind: read?.kind ?? 'reply', more: !complete || rest };
  step.set({
    answer: {
      ...answer,
      said,
      saidAll: answer.draft.done && !rest,
      // Behind a tool they begin a response even while the one before it is still being heard.
      ...(say !== '' &&
        !answer.opens && { opens: answer.called || answer.responseId === undefined, opensFrom: answer.said }),
      saidAtMs: answer.saidAtMs ?? (say === '' ? undefined : atMs),
    },
  });
}

/** The answer calls tools, or goes on with their results. */
export function noteCalls(step: StepBuilder, draftId: string, calling: boolean, atMs: number): void {
  const { answer } = step.state;
  if (answer?.draft.id !== draftId) return;
  const calledAt = calling ? (readDraft(answer.draft)?.text.length ?? 0) : answer.calledAt;
  step.set({ answer: { ...answer, calling, called: true, calledAt } });
  sayMore(step, atMs);
}

/** A draft, or the answer itself, breaks off. */
export function fail(step: StepBuilder, draftId: string, atMs: number): void {
  const one = step.state.drafts.find(({ id }) => id === draftId);
  if (one) {
    step.dropped(one, 'failed');
    step.set({ drafts: step.state.drafts.filter((other) => other !== one) });
    return;
  }
  const { answer, held, options } = step.state;
  const sorry = options.patience?.sorry ?? '';
  const { heardTo = 0, calledAt = 0 } = answer ?? held ?? {};
  step.changeDraft(draftId, (draft) => {
    const read = readDraft(draft);
    // What there is of it is said, and no more; whoever asked and gets nothing, or nothing behind a tool, is told so.
    const rest = read?.text.slice(Math.max(heardTo, calledAt)).trim() ?? '';
    return { ...draft, text: rest === '' ? `${read ? draft.text : ''}${sorry}` : draft.text, done: true };
  });
  sayMore(step, atMs);
}

/** What became of the answer is what the session says of it. */
export function follow(step: StepBuilder, event: SessionEvent): void {
  step.set({ history: followHistory(step.state.history, event) });
  const { answer } = step.state;
  if (!answer) return;
  if (event.type === 'response.started') {
    // Others in the room are replied to as well: its own begins with the words that were given.
    if (answer.opens && (event.kind === 'reply' || event.kind === 'interjection')) {
      const { opensFrom: heardTo } = answer;
      step.set({ answer: { ...answer, opens: false, responseId: event.responseId, heardTo, soundedAtMs: undefined } });
    }
  } else if (
    ((event.type === 'response.completed' && !answer.saidAll) ||
      (event.type === 'response.interrupted' && answer.calling)) &&
    event.responseId === answer.responseId
  ) {
    // The next part of it, behind a tool, is a response of its own; who talks over this one does not call the tool off.
    step.set({ answer: { ...answer, heardTo: answer.said, responseId: undefined, soundedAtMs: undefined } });
  } else if (
    (event.type === 'response.completed' || event.type === 'response.interrupted') &&
    event.responseId === answer.responseId
  ) {
    step.withdraw();
  }
}

/**
 * They go on before they can have heard anything of the answer: it was one to half of what they want, or they coughed, which is
 * known when they have ended. What sounded earlier is the bundle's to stop, by a barge-in; what was thrown in is meant for while
 * they speak.
 */
export function takeBack(step: StepBuilder, fromMs: number): void {
  const { answer } = step.state;
  if (!answer) return;
  const { heardTo, draft, calling } = answer;
  const said = answer.said > heardTo;
  // A word that announced it may have sounded: that is nothing of it.
  const soundedAtMs = said ? (answer.soundedAtMs ?? Infinity) : Infinity;
  // They may be giving leave; whatever it is, it is told with the result.
  if (calling) return;
  const thrownIn = said && readDraft(draft)?.kind === 'interjection';
  if (thrownIn || soundedAtMs < fromMs) return;
  const taken = takenOf(answer);
  if (taken) takeFrom(step, taken);
  // It is said from there again, by a response of its own; how long that took says nothing of anybody's speed.
  const unsaid = { said: heardTo, saidAll: false, opens: false, responseId: undefined, saidAtMs: undefined };
  step.set({ answer: undefined, held: { ...answer, ...unsaid, soundedAtMs: undefined, measured: true } });
}

/** What is being said of an answer, or about to be. */
export function takenOf({ opens, responseId }: Answer): Taken | undefined {
  return opens || responseId !== undefined ? { responseId } : undefined;
}

/** It ends alone, as far as it can be told from what else is being said. */
export function takeFrom(step: StepBuilder, { responseId }: Taken): void {
  if (responseId !== undefined) step.takesBack = responseId;
  else step.acts = [...new Set<Act>(['stop', ...step.acts])];
}

/** No cough is this long. */
const SURELY_SPEECH_MS = 1200;

/**
 * They are surely saying something, which is nearly always for the agent: what is written on of the answer that is held back
 * would be paid for and not said. One that has called a tool is not asked for twice.
 */
export function stopHeld(step: StepBuilder): void {
  const { held, utterance } = step.state;
  if (!held || !utterance || held.draft.done || held.cancelled || held.called) return;
  if (utterance.spokenMs < SURELY_SPEECH_MS && plainWords(utterance.words).length === 0) return;
  step.run({ do: 'cancel', draftId: held.draft.id });
  step.set({ held: { ...held, cancelled: true } });
}

/** Nothing came of what they were saying: the answer that was held back meanwhile is the answer. */
export function giveHeld(step: StepBuilder, floor: Floor, atMs: number): void {
  const { held, utterance } = step.state;
  if (!held || utterance || floor === 'elsewhere') return;
  if (!held.cancelled) {
    step.set({ answer: held, held: undefined });
    return;
  }
  const { drafted, spokenToMs, yieldedAtMs, wordsAtMs } = held;
  // What it answers is what they have said last, and stands in the history.
  const again = newAnswer(step.ask([], atMs, false), { drafted, spokenToMs, yieldedAtMs, wordsAtMs });
  step.answer({ ...again, measured: true });
}

/** Where the time went between the end of the user's speech and the first packet of the answer: once, and not where a word announced it. */
export function measure(step: StepBuilder, { responseId, atMs }: TurnTakingInput & { type: 'speech-started' }): void {
  const { answer } = step.state;
  if (answer?.responseId !== responseId) return;
  step.set({ answer: { ...answer, soundedAtMs: atMs, measured: true } });
  const { spokenToMs, yieldedAtMs, wordsAtMs, saidAtMs, drafted, measured } = answer;
  if (measured || saidAtMs === undefined) return;
  const readyAtMs = Math.max(yieldedAtMs, wordsAtMs);
  step.emit({
    type: 'response.latency',
    responseId,
    drafted,
    floorMs: Math.max(0, yieldedAtMs - spokenToMs),
    wordsMs: readyAtMs - yieldedAtMs,
    llmMs: Math.max(0, saidAtMs - readyAtMs),
    voiceMs: Math.max(0, atMs - saidAtMs),
  });
}
