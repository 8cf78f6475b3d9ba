import { EDGE_SECONDS, instructed, of, secondsOf, type Figure, type Heard } from './heard.js';
import { ANSWER_SECONDS, ANSWERED, numberOf, NUMBERS } from './numbers.js';
import { Tally } from './share.js';
import { hasTyped, SAMPLES_PER_TURN, type Session, type SessionEvent } from './test-sets.js';

/** The window of a count, after its event's end: when the word that is counted can be known. */
const LATE_SECONDS = 0.6;
/** A shorter silence is none in the labels (`HOLD_SECONDS` of the recipe). */
const NO_PAUSE_SECONDS = 0.25;
/** A number that is said. */
const LONGEST_OWN_WORD_TURNS = 4;

export const FINAL_COUNT = 'final count exact';

/**
 * In the manner of CueSpeak: the right word inside its window. Where no pause follows, nobody who
 * waits for a silence can say it. What an agent that counts
 * right says is in the recordings, so a model that hears itself is told of what it missed.
 */
export function cueSpeak(heard: readonly Heard[], suite = 'cuespeak-style'): Figure[] {
  const [mentions, typed, finals, right] = [new Tally(), new Tally(), new Tally(), new Tally()];
  const [stray, onward] = [new Tally(), new Tally()];
  for (const { session, track } of instructed(heard)) {
    const due = of(session, 'count');
    const answers = session.events.filter(({ kind }) => ANSWERED.has(kind));
    if (due.length === 0) {
      if (answers.length > 0 || session.events.some(({ kind }) => kind === 'count')) continue;
      stray.add(
        track.says.some(({ what }) => numberOf(what) > 0),
        session,
      );
      continue;
    }
    const matches = (event: SessionEvent, { at, value }: { at: number; value: number }) =>
      value === event.value && at > event.end - 0.2 && at <= event.end + LATE_SECONDS;
    const said = track.says
      .map(({ at, what }) => ({ at, value: NUMBERS.indexOf(what) }))
      .filter((word) => word.value >= 0)
      // Nothing is judged so close to the end, but for the answers to what is.
      .filter((word) => word.at < secondsOf(session) - EDGE_SECONDS || due.some((event) => matches(event, word)))
      // A number that was asked for otherwise is no count.
      .filter(({ at }) => answers.every(({ end }) => at <= end - 0.2 || at > end + ANSWER_SECONDS));
    finals.add((said.at(-1)?.value ?? 0) === due.at(-1)!.value, session);
    for (const event of due) {
      const counted = said.some((word) => matches(event, word));
      mentions.add(counted, session);
      if (hasTyped(session)) typed.add(counted, session);
      if (goesOn(session, event)) onward.add(counted, session);
    }
    // An animal is counted once: a number that is said again for it is one too many.
    const counted = new Set<SessionEvent>();
    for (const word of said) {
      const event = due.find((one) => matches(one, word) && !counted.has(one));
      if (event) counted.add(event);
      right.add(event !== undefined, session);
    }
  }
  return [
    { suite, measure: 'animal counted in time, recall', unit: 'share', better: 'higher', ...mentions.share },
    { suite, measure: 'after a typed instruction, recall', unit: 'share', better: 'higher', ...typed.share },
    {
      suite,
      measure: 'animal counted while the user goes on, recall',
      unit: 'share',
      better: 'higher',
      ...onward.share,
    },
    { suite, measure: 'animal counted in time, precision', unit: 'share', better: 'higher', ...right.share },
    { suite, measure: FINAL_COUNT, unit: 'share', better: 'higher', ...finals.share },
    { suite, measure: 'session that asks for no number and gets one', unit: 'share', better: 'lower', ...stray.share },
  ];
}

/** Whether no pause follows what is counted, at `start`: the next word does, as labels of the floor have it. */
const goesOn = ({ words }: Session, { start }: SessionEvent) =>
  words.some((word) => word.start >= start - 0.01 && word.start <= start + NO_PAUSE_SECONDS);

/** A recording without the single words that its agent says: a model that counts wrong is not put right by them. */
export function withoutOwnWords(session: Session): Session {
  const [ref, play] = [session.ref.slice(), session.play.slice()];
  for (let turn = 0; turn < play.length; turn++) {
    let past = turn;
    while (play[past] === 1) past++;
    if (past > turn && past - turn <= LONGEST_OWN_WORD_TURNS) {
      play.fill(0, turn, past);
      ref.fill(0, Math.max(0, turn - 1) * SAMPLES_PER_TURN, Math.min(past + 1, play.length) * SAMPLES_PER_TURN);
    }
    turn = Math.max(turn, past - 1);
  }
  return { ...session, ref, play };
}
