import type { AskResult } from '@microturn/protocol';
import { isOver, type Task, type TaskInput } from './task-reducer.js';
import type { AskedAloud } from './weaver.js';

/** What an utterance does to the tasks that are under way. */
export type FollowUp = 'cancel' | 'cancel-all' | 'subject' | 'amend' | 'ask';

/** Decides it by the words. The app may replace it. */
export type FollowUpRule = (text: string) => FollowUp;

const lead = String.raw`^(?:(?:oh|no|okay|ok|well|um|uh|please|thanks|thank you)[,.\s]+)*`;
const rules: readonly (readonly [FollowUp, RegExp])[] = [
  ['cancel-all', new RegExp(String.raw`${lead}(?:cancel|stop|forget) (?:everything|all of (?:it|that|them))\b`, 'i')],
  [
    'cancel',
    new RegExp(
      String.raw`${lead}(?:never ?mind|forget (?:it|about it|that|about that)|cancel(?: that| it| this)?|drop (?:it|that)|stop (?:it|that|looking|searching)|do(?: no|n')t bother|(?:be )?quiet|that(?:'s| is) enough)[.!,\s]*$|${lead}never ?mind(?:[,.!;]|\s[^,.;]*[.!\s]*$)`,
      'i',
    ),
  ],
  [
    'subject',
    new RegExp(
      String.raw`${lead}(?:let(?:'s| us)|can we) (?:talk about something else|change the (?:subject|topic)|move on)\b|\b(?:different|another) (?:subject|topic)\b`,
      'i',
    ),
  ],
  [
    'amend',
    new RegExp(
      String.raw`${lead}(?:actually[, ]+)?(?:make (?:it|that|them)|also[, ]|and also|instead\b|but (?:only|not|with|without)\b)`,
      'i',
    ),
  ],
];

/** English phrases. What is none of them is a question of its own. */
export const followUpOf: FollowUpRule = (text) => rules.find(([, pattern]) => pattern.test(text.trim()))?.[0] ?? 'ask';

/** An app's rule, which is asked in the midst of a micro-turn: where it throws, what was said is a question of its own. */
export function guarded(rule: FollowUpRule, onError: (error: unknown) => void): FollowUpRule {
  return (text) => {
    try {
      return rule(text);
    } catch (error) {
      onError(error);
      return 'ask';
    }
  };
}

/** Only these, alone or one after the other, are a yes: whoever says more may mean less. */
const yes = [
  'yes|yeah|yep|yup|sure|okay|ok|of course|certainly|absolutely|definitely|by all means|go ahead|go for it|please do',
  "do (?:it|that|so)|you (?:may|can)|(?:that is|that's) (?:fine|okay|ok|all right|alright)",
].join('|');
const polite = 'please|thanks|thank you|for me|then';
const approval = new RegExp(`^(?:(?:oh|um|uh|well|please) )*(?:${yes})(?: (?:${yes}|${polite}))*$`);
/** A no may be followed by anything: to refuse what was meant is safe. */
const refusal =
  /^(?:(?:oh|um|uh|well|okay|ok|please|wait|hold on) )*(?:no|nope|nah|don't|do not|not (?:now|yet)|stop|cancel|never ?mind)\b/;

/** A yes or a no to a question that wants one; undefined for everything else. */
export function approvalOf(text: string): boolean | undefined {
  const said = text
    .toLowerCase()
    .replaceAll('’', "'")
    .replaceAll(/[^\p{L}\p{N}']+/gu, ' ')
    .trim();
  if (refusal.test(said)) return false;
  return approval.test(said) ? true : undefined;
}

/** Nobody has read a question, and typed their answer, in less. */
const READ_MS = 1000;

/** The tasks that something may have been said or typed about. */
export interface TaskTalk {
  readonly tasks: readonly Task[];
  readonly rule: FollowUpRule;
  /** The task whose result is being said, or was talked over just now. */
  readonly overId: string | undefined;
  /** The words of its question are known. */
  readonly worded: (task: Task) => boolean;
  /** The question of a task that was said last. */
  readonly asked: AskedAloud | undefined;
}

/** What is to be done to the tasks, and what the participant is told that it was taken for. */
export interface FollowUpStep {
  readonly inputs: readonly TaskInput[];
  readonly result: AskResult;
}

/**
 * What was said or typed is about a task: calls it off, adds to it or answers it. Undefined for a question of its own.
 * @param spokenFromMs when it was begun; undefined where it was typed, which is now
 */
export function stepFollowUp(
  text: string,
  talk: TaskTalk,
  atMs: number,
  spokenFromMs: number | undefined,
): FollowUpStep | undefined {
  if (text === '') return undefined;
  const { tasks, rule, worded } = talk;
  const open = tasks.filter((task) => !isOver(task));
  const asking = askingTask(open, talk, spokenFromMs ?? atMs);
  const answered = ({ id, question }: Task, answer: string | boolean): FollowUpStep => ({
    inputs: [{ type: 'answer', atMs, id, answer, questionId: question?.id }],
    result: { taken: 'answer', taskId: id },
  });
  const approved = asking?.question?.approval && approvalOf(text);
  if (asking && (approved === false || (approved && mayApprove(asking, talk, atMs, spokenFromMs)))) {
    return answered(asking, approved);
  }
  const meant = rule(text);
  switch (meant) {
    case 'cancel': {
      // Said of nothing, it is no question either.
      const id = meantTask(talk)?.id;
      if (id === undefined) return { inputs: [], result: { taken: 'cancel' } };
      return { inputs: [{ type: 'cancel', atMs, id, by: 'user' }], result: { taken: 'cancel', taskId: id } };
    }
    case 'cancel-all':
      return {
        inputs: open.map(({ id }) => ({ type: 'cancel', atMs, id, by: 'user' })),
        result: { taken: 'cancel' },
      };
    case 'subject':
      return { inputs: [{ type: 'subject', atMs }], result: { taken: 'subject' } };
    case 'amend': {
      // Not to what is being made out just now: that may be these very words.
      const id = open.findLast((task) => task.prompt !== '' && worded(task))?.id;
      if (id === undefined) return undefined;
      return { inputs: [{ type: 'amend', atMs, id, text }], result: { taken: 'amend', taskId: id } };
    }
    case 'ask':
      return asking && !asking.question?.approval ? answered(asking, text) : undefined;
    default:
      return meant satisfies never;
  }
}

/**
 * The task that words which were begun then may answer: whose question was said last or, where that is none of them, the only
 * one that asks. What was begun before it asked is no answer.
 */
function askingTask(open: readonly Task[], { asked }: TaskTalk, begunMs: number): Task | undefined {
  const asking = open.filter(({ question }) => question !== undefined);
  const said = asking.find(({ question }) => question?.id === asked?.questionId);
  const meant = said ?? (asking.length === 1 ? asking[0] : undefined);
  return meant && begunMs >= meant.sinceMs ? meant : undefined;
}

/** Whether a yes can be meant for what it would allow: begun once that was being said, or typed once it can have been read. */
function mayApprove(
  { question, sinceMs }: Task,
  { asked }: TaskTalk,
  atMs: number,
  spokenFromMs: number | undefined,
): boolean {
  if (spokenFromMs === undefined) return atMs - sinceMs >= READ_MS;
  return asked !== undefined && asked.questionId === question?.id && spokenFromMs >= asked.fromMs;
}

/** What was said goes on to somebody, word for word. */
export function passesOnWords({ inputs }: FollowUpStep): boolean {
  return inputs.some(
    (input) => input.type === 'amend' || (input.type === 'answer' && typeof input.answer === 'string'),
  );
}

/** “Never mind” means what was talked over just now, else what was asked last. */
export function meantTask({ tasks, overId, worded }: TaskTalk): Task | undefined {
  const open = tasks.filter((task) => !isOver(task) && worded(task));
  return open.find(({ id }) => id === overId) ?? open.at(-1);
}
