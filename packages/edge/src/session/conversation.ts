import type { Floor } from '@microturn/protocol';
import type { Decision } from '../engine/index.js';
import { inManner } from '../voice/index.js';
import type { LiveResponse, Conversation, Said, ConversationInput, ConversationStep } from './conversation-state.js';
import { isHeardToTheEnd, StepBuilder } from './conversation-step.js';

/** After the last packet left, a listener who reports nothing is given this long. */
const SILENT_LISTENER_MS = 1500;
/** After a cut the client answers with what it had played; this is how long it may take. */
const CUT_ANSWER_MS = 600;
/**
 * A response that nothing of its session's is in front of has begun to sound long before this: where it has not, another row's is
 * being said to the room, which that row decided in the same moment, or the voice is broken. A voice that makes no sound for 1.5 s is
 * stood in for, which takes a busy machine a second more.
 */
const UNSTARTED_MS = 4000;
/** After this long nobody who says "go on" means what was stopped. */
const CONTINUED_MS = 60_000;

/** The one reducer of a session: pure, so that every rule of the floor can be tested without a clock or a socket. */
export function stepConversation(state: Conversation, input: ConversationInput): ConversationStep {
  const step = new StepBuilder(state);
  switch (input.type) {
    case 'decision':
      decide(step, input);
      break;
    case 'more':
      speakWords(step, { say: input.text, floor: state.floor, acts: [] }, input.responseId, input.atMs);
      break;
    case 'say':
      step.begin(input.responseId, {
        kind: 'proactive',
        by: 'app',
        audience: input.audience ?? state.audience,
        atMs: input.atMs,
      });
      if (state.listening) step.speak(input.responseId, input.text, true);
      else step.unheard(input.responseId, input.text);
      break;
    case 'relay':
      if (!step.find(input.responseId)) {
        const { atMs, taskId } = input;
        step.begin(input.responseId, { kind: 'relay', by: 'task', audience: state.audience, atMs, taskId });
      }
      if (state.listening) step.speak(input.responseId, input.text, false);
      else step.unheard(input.responseId, input.text);
      break;
    case 'relay-end': {
      const relay = step.find(input.responseId);
      if (relay?.phase !== 'speaking') break;
      step.update(input.responseId, (r) => ({ ...r, phase: 'ending' }));
      step.end(relay);
      break;
    }
    case 'drop':
      step.cut(input.responseId, 'agent', input.atMs);
      break;
    case 'clause':
      step.update(input.responseId, (r) => ({
        ...r,
        words: [...r.words, ...input.words],
        lengthMs: r.lengthMs + input.lengthMs,
      }));
      // Sound that is streamed may come before the words that it ends.
      if (step.find(input.responseId) && input.text !== '') {
        step.emit({ type: 'response.text', responseId: input.responseId, text: input.text, words: [...input.words] });
      }
      break;
    case 'spoken':
      step.update(input.responseId, (r) => ({
        ...r,
        speaking: r.speaking - 1,
        phase: r.by === 'app' && r.phase === 'speaking' ? 'ending' : r.phase,
      }));
      break;
    case 'voice-failed':
      step.emit({
        type: 'error',
        code: input.code,
        message: input.message,
        retryable: input.retryable,
        hint: input.hint,
      });
      if (step.find(input.responseId)) {
        step.cut(input.responseId, 'agent', input.atMs);
        step.finishCut(input.responseId);
      }
      break;
    case 'speech-started':
      step.update(input.responseId, (r) => ({ ...r, startedAtMs: r.startedAtMs ?? input.atMs }));
      break;
    case 'speech-sent':
      step.update(input.responseId, (r) => ({ ...r, sentAtMs: input.atMs }));
      break;
    case 'heard':
      hear(step, input);
      break;
    case 'interrupt':
      for (const response of state.responses) {
        step.cut(response.id, 'client', input.atMs);
        step.finishCut(response.id);
      }
      break;
    case 'overruled':
      for (const response of state.responses.toReversed()) {
        if (response.audience === 'room') step.cut(response.id, input.by, input.atMs);
      }
      break;
    case 'listener':
      for (const response of state.responses) {
        step.cut(response.id, 'agent', input.atMs);
        step.finishCut(response.id);
      }
      step.set({ listening: input.present });
      break;
    default:
      return input satisfies never;
  }
  return step.result();
}

function decide(step: StepBuilder, input: ConversationInput & { type: 'decision' }): void {
  const { atMs, decision, responseId, overhears = false, behind } = input;
  const { participant } = step.state;
  for (const word of decision.words) {
    step.emit({ type: 'transcript.word', participant, ...word, final: true });
  }
  const { floor: before } = step.state;
  noteFloor(step, decision, overhears);
  // Alone: what others are told, and what else is said here, goes on.
  if (decision.takesBack !== undefined) step.cut(decision.takesBack, 'user', atMs);
  const taken = decision.floor !== before && takesFloor(decision.floor);
  if (taken || decision.say !== '') dropPassed(step, decision, atMs);
  if (decision.acts.includes('stop')) stop(step, atMs, overhears);
  if (decision.acts.includes('cancel')) cancelReminders(step, atMs);
  if (decision.acts.includes('remind')) {
    const reminderId = `reminder-${step.state.reminders + 1}`;
    step.set({ reminders: step.state.reminders + 1 });
    step.emit({ type: 'reminder.fired', reminderId, dueMs: atMs, text: decision.say });
  }
  if (decision.shown) step.show(decision.shown, atMs);
  step.set({ manner: decision.acts.reduce(inManner, step.state.manner) });
  if (decision.say !== '') speakWords(step, decision, responseId, atMs);
  else if (decision.acts.includes('continue')) goOn(step, responseId, atMs);
  else if (decision.acts.includes('repeat') && step.state.said) sayAgain(step, responseId, step.state.said, atMs);
  const silent = decision.say === '' && !decision.more;
  for (const response of step.state.responses) {
    const keeps = step.state.repliesKeep && response.kind === 'reply' && behind?.has(response.id) === true;
    endIfDue(step, response, { atMs, silent, keeps });
  }
}

function noteFloor(step: StepBuilder, decision: Decision, overhears: boolean): void {
  const { participant, floor: before, responses } = step.state;
  if (decision.floor !== before) {
    step.emit({ type: 'floor.changed', participant, floor: decision.floor, confidence: decision.confidence });
    step.set({ floor: decision.floor });
  }
  const audible = overhears || responses.some((r) => r.phase !== 'cut');
  if (decision.floor === 'backchannel' && before !== 'backchannel' && audible) {
    step.emit({ type: 'interruption', kind: 'backchannel', participant, taken: false });
  }
  if (decision.floor === 'barge-in' && audible) {
    step.set({ bargeIn: true });
  } else if (step.state.bargeIn && decision.floor !== 'barge-in') {
    // It ended and the agent goes on: the app may undo what it did at the onset.
    step.set({ bargeIn: false });
    if (!decision.acts.includes('stop'))
      step.emit({ type: 'interruption', kind: 'barge-in', participant, taken: false });
  }
}

/**
 * Words of the model that wait for what is said in front of them belong to their moment. The model says when that has passed:
 * by other words, or when it sees the user take the floor. A reminder is due whenever it can be said.
 */
function dropPassed(step: StepBuilder, decision: Decision, atMs: number): void {
  for (const response of step.state.responses) {
    // Words that follow those that wait are said with them.
    const goesOn = joins(response, decision);
    if (isUnstarted(response) && isWaiting(step, response) && !goesOn) step.cut(response.id, 'agent', atMs);
  }
}

/** Nothing of it was sent, and something else of this session's is being said to its audience. */
function isWaiting({ state }: StepBuilder, response: LiveResponse): boolean {
  if (response.startedAtMs !== undefined || response.phase === 'cut') return false;
  const toRoom = response.audience === 'room';
  return (
    response !== state.responses.find(({ phase, audience }) => phase !== 'cut' && (audience === 'room') === toRoom)
  );
}

function takesFloor(floor: Floor): boolean {
  return floor === 'speaking' || floor === 'correcting' || floor === 'barge-in';
}

function stop(step: StepBuilder, atMs: number, overhears: boolean): void {
  const live = step.state.responses.filter((r) => r.phase !== 'cut');
  if (live.length === 0 && !overhears) return;
  step.emit({ type: 'interruption', kind: 'barge-in', participant: step.state.participant, taken: true });
  step.set({ bargeIn: false });
  // What sounds last: a client plays on what waits behind one that was cut alone.
  for (const response of live.toReversed()) step.cut(response.id, 'user', atMs);
  if (overhears) step.overrule();
}

/** Says what the user stopped and now wants to hear after all; a result of a task is taken up by whoever has it. */
function goOn(step: StepBuilder, responseId: string, atMs: number): void {
  const { stopped } = step.state;
  if (!stopped) return;
  if (atMs - stopped.atMs > CONTINUED_MS || sayAgain(step, responseId, stopped, atMs)) step.set({ stopped: undefined });
}

/** Says what was said, or meant to be, where nothing else is being said and somebody listens. */
function sayAgain(step: StepBuilder, responseId: string, { text, audience }: Said, atMs: number): boolean {
  const { responses, listening } = step.state;
  if (!listening || responses.some(({ phase }) => phase !== 'cut')) return false;
  step.begin(responseId, { kind: 'reply', by: 'app', audience, atMs });
  step.speak(responseId, text, true);
  return true;
}

/** "Never mind" to a reminder that is due: those to come are the model's own business. */
function cancelReminders(step: StepBuilder, atMs: number): void {
  for (const { id, by, kind } of step.state.responses) {
    if (by === 'model' && kind === 'proactive') step.cut(id, 'user', atMs);
  }
}

/**
 * Words that follow each other make one response; after the run has ended, the next word begins another. So does an answer
 * behind "mm-hm", which is no part of it.
 */
function speakWords(
  step: StepBuilder,
  decision: Pick<Decision, 'say' | 'floor' | 'acts'>,
  responseId: string,
  atMs: number,
): void {
  const open = step.state.responses.find((r) => r.by === 'model' && r.phase === 'speaking');
  if (open && joins(open, decision)) {
    step.speak(open.id, decision.say, false);
    return;
  }
  if (open) endRun(step, open);
  const backchannel = decision.acts.includes('backchannel');
  const holds = decision.floor === 'speaking' || decision.floor === 'holding' || decision.floor === 'correcting';
  const interjects = holds && !backchannel;
  const proactive = decision.acts.includes('remind');
  step.begin(responseId, {
    kind: proactive ? 'proactive' : backchannel ? 'backchannel' : interjects ? 'interjection' : 'reply',
    by: 'model',
    audience: step.state.audience,
    atMs,
  });
  if (interjects) {
    step.emit({ type: 'interruption', kind: 'interjection', participant: step.state.participant, taken: true });
  }
  if (step.state.listening) step.speak(responseId, decision.say, false);
  else step.unheard(responseId, decision.say);
}

/** Whether words go on with a response that is being said. */
function joins({ kind, phase }: LiveResponse, { say, acts }: Pick<Decision, 'say' | 'acts'>): boolean {
  return say !== '' && phase === 'speaking' && (kind === 'backchannel') === acts.includes('backchannel');
}

function endRun(step: StepBuilder, response: LiveResponse): void {
  step.update(response.id, (r) => ({ ...r, phase: 'ending' }));
  step.end(response);
}

/** Every micro-turn looks once at each live response, so a session needs no timers of its own. */
function endIfDue(
  step: StepBuilder,
  response: LiveResponse,
  { atMs, silent, keeps }: { readonly atMs: number; readonly silent: boolean; readonly keeps: boolean },
): void {
  if (response.phase === 'cut') {
    if (response.cutAtMs !== undefined && atMs - response.cutAtMs > CUT_ANSWER_MS) step.finishCut(response.id);
    return;
  }
  if (response.by === 'model' && response.phase === 'speaking' && silent && response.speaking === 0) {
    // The model has nothing more to say and its words are made: the run ends when they have been played.
    endRun(step, response);
  }
  if (keeps || isWaiting(step, response)) step.update(response.id, (r) => ({ ...r, dueAtMs: atMs }));
  else if (isUnstarted(response) && atMs - response.dueAtMs > UNSTARTED_MS) {
    step.cut(response.id, 'agent', atMs);
    return;
  }
  if (response.sentAtMs !== undefined && atMs - response.sentAtMs > SILENT_LISTENER_MS) step.complete(response.id);
}

function isUnstarted({ by, kind, startedAtMs }: LiveResponse): boolean {
  return by === 'model' && kind !== 'proactive' && startedAtMs === undefined;
}

function hear(step: StepBuilder, { responseId, heardMs, state }: ConversationInput & { type: 'heard' }): void {
  const response = step.find(responseId);
  if (!response) return;
  const heard = Math.max(response.heardMs, Math.min(heardMs, response.lengthMs));
  if (response.phase === 'cut') {
    step.update(responseId, (r) => ({ ...r, heardMs: heard }));
    if (state === 'muted') step.finishCut(responseId);
    return;
  }
  // What was being heard when the sound went off is heard no further; one that waited is, once it plays.
  const stays = response.muted && response.heardMs > 0 && heard <= response.heardMs;
  step.update(responseId, (r) => ({ ...r, muted: state === 'muted' || stays }));
  step.hear(responseId, heard);
  const isSent = response.speaking === 0 && response.sentAtMs !== undefined;
  if (isSent && isHeardToTheEnd(response, heard)) step.complete(responseId);
}
