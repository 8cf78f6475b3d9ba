import type { Act } from '../../packages/edge/src/engine/types.js';
import { share, Tally, type Share } from './share.js';
import { hasTyped, SAMPLES_PER_TURN, TURN_SECONDS, type Session, type SessionEvent } from './test-sets.js';
import type { Track } from './track.js';

/** One session, and what a listener made of it. */
export interface Heard {
  readonly session: Session;
  readonly track: Track;
  /** The listener knows what was typed. */
  readonly reads: boolean;
}

/** One measured number. */
export interface Figure extends Share {
  readonly suite: string;
  readonly measure: string;
  readonly unit: 'share' | 's' | 'ms' | 'kB' | '/s';
  readonly better: 'higher' | 'lower';
}

/** Events closer than this to the end of a session are not judged. */
export const EDGE_SECONDS = 1;
/** How long the end of a turn, or an interruption, may go unnoticed before it counts as missed. */
const PATIENCE_SECONDS = 1.6;
/** Other speech that follows sooner leaves no time to find a turn's end and be told so. */
const SHORTEST_GAP_SECONDS = 0.8;
const LONG_PAUSE_SECONDS = 3;
/** So much of a word has to be heard before a decision can know of it. */
const WORD_BEGUN_SECONDS = 0.1;
export const REMIND_SECONDS = 0.4;
export const ELAPSED_SECONDS = 1.5;
/** A whole number of seconds is told: half a second is all that rounding may cost. */
const ELAPSED_EXACT_SECONDS = 0.5;
/** Beyond what the shipped model's attention looks back on. */
const LONG_ELAPSED_SECONDS = 25;
/** What is answered with a number, and how long that may take. */
const ANSWERED: ReadonlySet<string> = new Set(['elapsed', 'next', 'sum']);
const ANSWER_SECONDS = 1.4;
/** A number that is said. */
const LONGEST_OWN_WORD_TURNS = 4;
const NUMBERS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'.split(
    ' ',
  );
const TENS = ['thirty', 'forty', 'fifty', 'sixty'];

export const secondsOf = ({ play }: Session) => play.length * TURN_SECONDS;

/** What happened well before the session's end. */
function of(session: Session, kind: string, edge = EDGE_SECONDS): SessionEvent[] {
  return session.events.filter((event) => event.kind === kind && event.end < secondsOf(session) - edge);
}

const first = (moments: readonly number[], from: number, to: number) => moments.find((at) => at > from && at <= to);
/** Nobody can follow an instruction that they cannot read. */
const instructed = (heard: readonly Heard[]) => heard.filter(({ session, reads }) => reads || !hasTyped(session));
const any = (moments: readonly number[], from: number, to: number) => first(moments, from, to) !== undefined;
/** Where a run of moments begins. */
const onsets = (moments: readonly number[]) => moments.filter((at, i) => i === 0 || at - moments[i - 1]! > 0.25);
/** Whether the agent is: without it there is nothing to break into. */
const audible = ({ play }: Session, { start, end }: SessionEvent) =>
  play.subarray(Math.floor(start / TURN_SECONDS), Math.floor(end / TURN_SECONDS) + 1).includes(1);

/** Whether a word of the user is not said to somebody else. */
const isToAgent = ({ events }: Session, { start, end }: Session['words'][number]) =>
  !events.some((event) => event.kind === 'elsewhere' && start < event.end && end > event.start);

/** The share'th of `delays`, `missed` more of which have no end, with the 95 % interval of its rank. */
export function percentile(delays: readonly number[], missed: number, part: number): Share {
  const n = delays.length + missed;
  const sorted = [...delays].sort((a, b) => a - b);
  const rank = (at: number) => Math.min(n - 1, Math.max(0, Math.ceil(at * n) - 1));
  const half = 1.96 * Math.sqrt((part * (1 - part)) / n);
  const at = (where: number) => sorted[rank(where)] ?? Infinity;
  if (n === 0) return { value: undefined, n, low: 0, high: Infinity };
  return { value: sorted[rank(part)], n, low: at(part - half), high: at(part + half) };
}

export const FALSE_YIELDS = 'pause taken for the end';
export const TURN_TAKEN = 'turn taken';
export const MEDIAN_GAP = 'gap after a turn, median';

/** Full-Duplex-Bench v1: pauses, turns and interruptions. */
export function turnTaking(heard: readonly Heard[]): Figure[] {
  const suite = 'full-duplex-bench v1';
  const [pauses, longPauses, prompt, within] = [new Tally(), new Tally(), new Tally(), new Tally()];
  const spoken = new Tally();
  const [gaps, stops]: [number[], number[]] = [[], []];
  let missed = 0;
  let unstopped = 0;
  for (const { session, track } of heard) {
    for (const { start, end } of of(session, 'hold', 0.2)) {
      const taken = any(track.yields, start, end);
      pauses.add(taken);
      if (end - start >= LONG_PAUSE_SECONDS) longPauses.add(taken);
    }
    const turns = onsets(track.yields);
    for (const word of session.words)
      if (isToAgent(session, word)) spoken.add(any(turns, word.start + WORD_BEGUN_SECONDS, word.end));
    for (const { start, end } of of(session, 'yield', PATIENCE_SECONDS)) {
      if (end - start < SHORTEST_GAP_SECONDS) continue;
      const at = first(track.yields, start, Math.min(end, start + PATIENCE_SECONDS) + TURN_SECONDS);
      if (at === undefined) missed++;
      else gaps.push(at - start);
    }
    for (const event of of(session, 'barge-in').filter((one) => audible(session, one))) {
      const { start } = event;
      const at = first(track.stops, start, start + PATIENCE_SECONDS);
      if (at === undefined) unstopped++;
      else stops.push(at - start);
      within.add(at !== undefined);
      // The micro-turn in which it begins, and two more.
      prompt.add(at !== undefined && Math.floor(at / TURN_SECONDS - 1e-6) <= Math.floor(start / TURN_SECONDS) + 2);
    }
  }
  return [
    { suite, measure: FALSE_YIELDS, unit: 'share', better: 'lower', ...pauses.share },
    { suite, measure: 'pause of 3 s or more taken for the end', unit: 'share', better: 'lower', ...longPauses.share },
    { suite, measure: 'word in which the turn was taken for over', unit: 'share', better: 'lower', ...spoken.share },
    { suite, measure: TURN_TAKEN, unit: 'share', better: 'higher', ...share(gaps.length, gaps.length + missed) },
    { suite, measure: MEDIAN_GAP, unit: 's', better: 'lower', ...percentile(gaps, missed, 0.5) },
    { suite, measure: 'gap after a turn, 90 %', unit: 's', better: 'lower', ...percentile(gaps, missed, 0.9) },
    { suite, measure: 'barge-in: stopped', unit: 'share', better: 'higher', ...within.share },
    { suite, measure: 'barge-in: stopped within two micro-turns', unit: 'share', better: 'higher', ...prompt.share },
    {
      suite,
      measure: 'barge-in: until the stop, median',
      unit: 's',
      better: 'lower',
      ...percentile(stops, unstopped, 0.5),
    },
  ];
}

/** Full-Duplex-Bench v1.5: overlaps that are no reason to stop, and speech that is no reason to answer. */
export function overlaps(heard: readonly Heard[]): Figure[] {
  const [backchannel, background, answered] = [new Tally(), new Tally(), new Tally()];
  for (const { session, track } of heard) {
    for (const event of of(session, 'backchannel').filter((one) => audible(session, one)))
      backchannel.add(any(track.stops, event.start, event.end + 0.4));
    const turns = onsets(track.yields);
    for (const event of of(session, 'elsewhere')) {
      const { start, end } = event;
      if (audible(session, event)) background.add(any(track.stops, start, end + TURN_SECONDS));
      else answered.add(any(turns, start + TURN_SECONDS, end + EDGE_SECONDS));
    }
  }
  const suite = 'full-duplex-bench v1.5';
  return [
    { suite, measure: 'backchannel: stopped', unit: 'share', better: 'lower', ...backchannel.share },
    { suite, measure: 'background speech: stopped', unit: 'share', better: 'lower', ...background.share },
    {
      suite,
      measure: 'talk to others, background speech: answered',
      unit: 'share',
      better: 'lower',
      ...answered.share,
    },
  ];
}

export const FINAL_COUNT = 'final count exact';

/**
 * In the manner of CueSpeak: the right word while the user goes on speaking, inside its window. What an agent that counts
 * right says is in the recordings, so a model that hears itself is told of what it missed.
 */
export function cueSpeak(heard: readonly Heard[], suite = 'cuespeak-style'): Figure[] {
  const [mentions, typed, finals, right] = [new Tally(), new Tally(), new Tally(), new Tally()];
  const stray = new Tally();
  for (const { session, track } of instructed(heard)) {
    const due = of(session, 'count');
    const answers = session.events.filter(({ kind }) => ANSWERED.has(kind));
    if (due.length === 0) {
      if (answers.length > 0 || session.events.some(({ kind }) => kind === 'count')) continue;
      stray.add(track.says.some(({ what }) => numberOf(what) > 0));
      continue;
    }
    const matches = (event: SessionEvent, { at, value }: { at: number; value: number }) =>
      value === event.value && at > event.end - 0.2 && at <= event.end + 0.6;
    const said = track.says
      .map(({ at, what }) => ({ at, value: NUMBERS.indexOf(what) }))
      .filter((word) => word.value >= 0)
      // Nothing is judged so close to the end, but for the answers to what is.
      .filter((word) => word.at < secondsOf(session) - EDGE_SECONDS || due.some((event) => matches(event, word)))
      // A number that was asked for otherwise is no count.
      .filter(({ at }) => answers.every(({ end }) => at <= end - 0.2 || at > end + ANSWER_SECONDS));
    finals.add((said.at(-1)?.value ?? 0) === due.at(-1)!.value);
    for (const event of due) {
      const counted = said.some((word) => matches(event, word));
      mentions.add(counted);
      if (hasTyped(session)) typed.add(counted);
    }
    // An animal is counted once: a number that is said again for it is one too many.
    const counted = new Set<SessionEvent>();
    for (const word of said) {
      const event = due.find((one) => matches(one, word) && !counted.has(one));
      if (event) counted.add(event);
      right.add(event !== undefined);
    }
  }
  return [
    { suite, measure: 'animal counted in time, recall', unit: 'share', better: 'higher', ...mentions.share },
    { suite, measure: 'after a typed instruction, recall', unit: 'share', better: 'higher', ...typed.share },
    { suite, measure: 'animal counted in time, precision', unit: 'share', better: 'higher', ...right.share },
    { suite, measure: FINAL_COUNT, unit: 'share', better: 'higher', ...finals.share },
    { suite, measure: 'session that asks for no number and gets one', unit: 'share', better: 'lower', ...stray.share },
  ];
}

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

/** A long turn: what shows in its pauses that the agent listens. */
export function listening(heard: readonly Heard[]): Figure[] {
  const [recall, unasked] = [new Tally(), new Tally()];
  for (const { session, track } of heard) {
    const said = track.says.filter(({ what }) => what === 'backchannel').map(({ at }) => at);
    const isIn = (at: number, { start, end }: SessionEvent) => at > start && at <= end + TURN_SECONDS;
    for (const event of of(session, 'uh-huh')) recall.add(said.some((at) => isIn(at, event)));
    // A pause that is too close to the end to be judged asks for one nevertheless.
    const asked = session.events.filter(({ kind }) => kind === 'uh-huh');
    for (const at of said.filter((moment) => moment < secondsOf(session) - EDGE_SECONDS))
      unasked.add(!asked.some((event) => isIn(at, event)));
  }
  const suite = 'full-duplex-bench v1';
  return [
    {
      suite,
      measure: 'backchannel in a pause of a long turn, recall',
      unit: 'share',
      better: 'higher',
      ...recall.share,
    },
    { suite, measure: 'backchannel elsewhere, of those it gives', unit: 'share', better: 'lower', ...unasked.share },
  ];
}

/**
 * In the manner of TimeSpeak: the right thing at the right time.
 * @param shortest what took less, seconds, is not judged
 */
export function timeSpeak(heard: readonly Heard[], suite = 'timespeak-style', shortest = 0): Figure[] {
  const [once, typed, periodic, unasked] = [new Tally(), new Tally(), new Tally(), new Tally()];
  const [elapsed, exact, long] = [new Tally(), new Tally(), new Tally()];
  for (const { session, track } of instructed(heard)) {
    const said = track.says.filter(({ what }) => what === 'remind').map(({ at }) => at - TURN_SECONDS / 2);
    const asked = session.events.filter(({ kind }) => kind === 'remind');
    for (const event of of(session, 'remind').filter(({ value }) => value >= shortest)) {
      const inTime = said.some((at) => Math.abs(at - event.end) <= REMIND_SECONDS);
      (isPeriodic(event, asked) ? periodic : once).add(inTime);
      if (session.typed[Math.floor(event.start / TURN_SECONDS + 1e-6)]) typed.add(inTime);
    }
    for (const at of said) unasked.add(asked.every(({ end }) => Math.abs(at - end) > 1));
    for (const { end, value } of of(session, 'elapsed', 2).filter(({ value }) => value >= shortest)) {
      const seconds = numberTold(track, end, end + ANSWER_SECONDS);
      const told = seconds > 0 && Math.abs(seconds - value) <= ELAPSED_SECONDS;
      elapsed.add(told);
      exact.add(seconds > 0 && Math.abs(seconds - value) <= ELAPSED_EXACT_SECONDS);
      if (value > LONG_ELAPSED_SECONDS) long.add(told);
    }
  }
  return [
    { suite, measure: 'reminder within 0.4 s', unit: 'share', better: 'higher', ...once.share },
    { suite, measure: 'reminder that was typed within 0.4 s', unit: 'share', better: 'higher', ...typed.share },
    { suite, measure: 'reminder every N seconds within 0.4 s', unit: 'share', better: 'higher', ...periodic.share },
    { suite, measure: 'reminder that nobody asked for', unit: 'share', better: 'lower', ...unasked.share },
    { suite, measure: 'duration told within 1.5 s', unit: 'share', better: 'higher', ...elapsed.share },
    { suite, measure: 'duration told within 0.5 s', unit: 'share', better: 'higher', ...exact.share },
    { suite, measure: 'duration of more than 25 s told within 1.5 s', unit: 'share', better: 'higher', ...long.share },
  ];
}

/** One of those that follow each other: the next is counted from where this one is due. */
function isPeriodic({ start, end }: SessionEvent, all: readonly SessionEvent[]): boolean {
  return all.some((other) => Math.abs(other.start - end) < 0.01 || Math.abs(other.end - start) < 0.01);
}

/** Numbers of the second tier: the next one, and what a sum that was said wrong really makes. */
export function answers(heard: readonly Heard[]): Figure[] {
  const suite = 'numbers';
  const rows = [
    { kind: 'next', measure: 'next number, right', late: ANSWER_SECONDS },
    { kind: 'sum', measure: 'wrong sum corrected in time', late: 0.8 },
  ];
  return rows.map(({ kind, measure, late }) => {
    const right = new Tally();
    for (const { session, track } of heard) {
      for (const { end, value } of of(session, kind, 2)) right.add(numberTold(track, end - 0.2, end + late) === value);
    }
    return { suite, measure, unit: 'share', better: 'higher', ...right.share };
  });
}

/** The number that the agent tells in this time, of one word or two; 0 where it tells none. */
export function numberTold({ says }: Track, from: number, to: number): number {
  const told = says.filter(({ at }) => at > from && at <= to).map(({ what }) => numberOf(what));
  return told.filter((part) => part > 0).slice(0, 2).reduce((sum, part) => sum + part, 0); // prettier-ignore
}

function numberOf(word: string): number {
  const tens = TENS.indexOf(word);
  return tens >= 0 ? 10 * (tens + 3) : Math.max(0, NUMBERS.indexOf(word));
}

/**
 * Acts: decided from a micro-turn before they are due to three after it. Those that answer a mark are of who reads; a result
 * that is said before the moment fits is said unasked.
 */
export function commands(
  heard: readonly Heard[],
  acts: readonly Act[] = ['stop', 'continue', 'cancel', 'delegate', 'relay', 'commit'],
  suite = 'commands',
): Figure[] {
  return acts.flatMap((act): Figure[] => {
    const [recall, unasked, told] = [new Tally(), new Tally(), new Tally()];
    for (const { session, track, reads } of heard) {
      if (!reads && (act === 'relay' || act === 'commit')) continue;
      const windows = of(session, act).map(({ end }) => [end - 0.3, end + 0.9] as const);
      if (act === 'stop')
        for (const { start } of of(session, 'barge-in')) windows.push([start, start + PATIENCE_SECONDS]);
      const decided = act === 'stop' ? track.stops : track.says.filter(({ what }) => what === act).map(({ at }) => at);
      for (const { end } of of(session, act)) told.add(any(decided, end - 0.3, end + 0.9));
      for (const [from, to] of windows) recall.add(any(decided, from, to));
      const edge = secondsOf(session) - EDGE_SECONDS;
      const late = session.events.filter(({ kind }) => kind === act || (act === 'stop' && kind === 'barge-in'));
      for (const at of onsets(decided).filter((moment) => moment < edge)) {
        unasked.add(
          ![
            ...windows,
            ...late.map(({ kind, start, end }) => [kind === 'relay' ? end - 0.3 : start, end + 1] as const),
          ].some(([a, b]) => at > a && at <= b),
        );
      }
    }
    return [
      { suite, measure: `${act}, recall`, unit: 'share', better: 'higher', ...recall.share },
      { suite, measure: `${act}, unasked`, unit: 'share', better: 'lower', ...unasked.share },
      // Most of what stops the agent only talks over it.
      ...(act === 'stop'
        ? [{ suite, measure: 'stop that is said, recall', unit: 'share', better: 'higher', ...told.share } as const]
        : []),
    ];
  });
}

/** How the agent is to speak. */
export const manners = ['repeat', 'louder', 'quieter', 'slower', 'faster'] as const satisfies readonly Act[];

/** Words of the user whose translation is shown while they go on speaking; each within a second of when it can be known. */
export function translation(heard: readonly Heard[]): Figure[] {
  const [shown, right] = [new Tally(), new Tally()];
  for (const { session, track } of instructed(heard)) {
    const edge = secondsOf(session) - EDGE_SECONDS;
    const left = track.shows.filter(({ at }) => at < edge);
    const due = of(session, 'translate').flatMap(({ start, end }) =>
      session.words.filter((word) => Math.abs(word.end - start) < 0.01).map(({ written }) => ({ written, end })),
    );
    const inTime = left.map(({ at, what }) => {
      const index = due.findIndex(({ written, end }) => written === what && at > end - 0.2 && at <= end + 1);
      if (index >= 0) due.splice(index, 1);
      return index >= 0;
    });
    for (const one of inTime) {
      right.add(one);
      if (one) shown.add(true);
    }
    for (const _ of due) shown.add(false);
  }
  const suite = 'translation';
  return [
    { suite, measure: 'word shown in Spanish within 1 s, recall', unit: 'share', better: 'higher', ...shown.share },
    { suite, measure: 'word shown in Spanish within 1 s, precision', unit: 'share', better: 'higher', ...right.share },
  ];
}

/** The agent alone, heard by its own microphone: stretches of at least a second in which that stopped it. */
export function echo(heard: readonly Heard[]): Figure[] {
  const stopped = new Tally();
  for (const { session, track } of heard) {
    let start: number | undefined;
    for (let turn = 0; turn <= session.play.length; turn++) {
      const alone = session.play[turn] === 1 && session.floor[turn] === 0;
      if (alone) start ??= turn;
      else if (start !== undefined) {
        const [from, to] = [start * TURN_SECONDS, turn * TURN_SECONDS];
        if (to - from >= 1) stopped.add(any(track.stops, from, to));
        start = undefined;
      }
    }
  }
  return [{ suite: 'echo', measure: 'own echo at -20 dB: stopped', unit: 'share', better: 'lower', ...stopped.share }];
}
