import type { Figure, Heard } from './heard.js';
import { Tally } from './share.js';
import { TURN_SECONDS, type Session } from './test-sets.js';

/** From the first moment of a silence to the draft for what was said before it: the words, and an LLM of usual speed. */
const WRITTEN_SECONDS = 0.6;
/** As the runtime tells it again. */
const AGAIN_SECONDS = 2;
/** How long a commit may take. */
const PATIENCE_SECONDS = 1;
const DRAFT = '<draft>';
const DROPPED = '<dropped>';
const AFTER_END = 'draft after the end';
const IN_PAUSE = 'draft in a pause';

/**
 * A recording as it goes before a language model: in every silence of the user that is long enough comes a draft for what they have said
 * so far, which their next word makes void. What the recording has of drafts itself, mostly before the end of the words, is left out.
 */
export function withLateDrafts(session: Session): Session {
  const typed = session.typed.map((text) => wordsOf(text).filter((word) => word !== DRAFT && word !== DROPPED));
  const tell = (seconds: number, mark: string) => typed[Math.ceil(seconds / TURN_SECONDS - 1e-6)]?.push(mark);
  const events = session.events.flatMap(({ kind, start, end }) => {
    const told = start + WRITTEN_SECONDS;
    const until = Math.min(end, told + PATIENCE_SECONDS);
    if (kind === 'hold' && end - told >= AGAIN_SECONDS / 4) {
      for (let at = told; at < end; at += AGAIN_SECONDS) tell(at, DRAFT);
      tell(end + TURN_SECONDS, DROPPED);
      return [{ kind: IN_PAUSE, start: told, end, value: 0 }];
    }
    if (kind === 'yield' && until - told >= PATIENCE_SECONDS && isQuiet(session, start, until)) {
      tell(told, DRAFT);
      tell(end + TURN_SECONDS, DROPPED);
      return [{ kind: AFTER_END, start: told, end: until, value: 0 }];
    }
    return [];
  });
  return { ...session, events, typed: typed.map((words) => words.join(' ')) };
}

const wordsOf = (text: string) => text.split(' ').filter((word) => word !== '');

/** Whether neither the agent is heard nor anything typed. */
function isQuiet({ play, typed }: Session, from: number, to: number): boolean {
  for (let turn = Math.floor(from / TURN_SECONDS); turn < to / TURN_SECONDS; turn++) {
    if (play[turn] === 1 || wordsOf(typed[turn] ?? '').some((word) => word !== DRAFT && word !== DROPPED)) return false;
  }
  return true;
}

/** Drafts that are there after the end of what they answer are to be committed, those that come into a pause are not. */
export function lateDrafts(heard: readonly Heard[]): Figure[] {
  const [committed, early] = [new Tally(), new Tally()];
  for (const { session, track } of heard.filter(({ reads }) => reads)) {
    const commits = track.says.filter(({ what }) => what === 'commit').map(({ at }) => at);
    for (const { kind, start, end } of session.events) {
      if (kind === AFTER_END)
        committed.add(
          commits.some((at) => at > start && at <= end + TURN_SECONDS),
          session,
        );
      if (kind === IN_PAUSE)
        early.add(
          commits.some((at) => at > start && at <= end),
          session,
        );
    }
  }
  const suite = 'commands, drafts that come in silence';
  return [
    { suite, measure: 'draft committed within 1 s', unit: 'share', better: 'higher', ...committed.share },
    { suite, measure: 'draft committed in a pause', unit: 'share', better: 'lower', ...early.share },
  ];
}
