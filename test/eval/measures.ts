import type { Act } from '../../packages/edge/src/engine/types.js';
import {
  any,
  EDGE_SECONDS,
  first,
  instructed,
  of,
  onsets,
  percentile,
  secondsOf,
  type Figure,
  type Heard,
} from './heard.js';
import { Tally, type Share } from './share.js';
import { TURN_SECONDS, type Session, type SessionEvent } from './test-sets.js';

/** How long the end of a turn, or an interruption, may go unnoticed before it counts as missed. */
const PATIENCE_SECONDS = 1.6;
/** Other speech that follows sooner leaves no time to find a turn's end and be told so. */
const SHORTEST_GAP_SECONDS = 0.8;
const LONG_PAUSE_SECONDS = 3;
/** So much of a word has to be heard before a decision can know of it. */
const WORD_BEGUN_SECONDS = 0.1;

/** Whether the agent is: without it there is nothing to break into. */
const audible = ({ play }: Session, { start, end }: SessionEvent) =>
  play.subarray(Math.floor(start / TURN_SECONDS), Math.floor(end / TURN_SECONDS) + 1).includes(1);

/** Whether a word of the user is not said to somebody else. */
const isToAgent = ({ events }: Session, { start, end }: Session['words'][number]) =>
  !events.some((event) => event.kind === 'elsewhere' && start < event.end && end > event.start);

export const FALSE_YIELDS = 'pause taken for the end';
export const TURN_TAKEN = 'turn taken';
export const MEDIAN_GAP = 'gap after a turn, median';

/** Seconds; undefined where it had no end. */
type Delay = number | undefined;

function delayed(delays: readonly Delay[], part: number): Share {
  const ended = delays.filter((delay) => delay !== undefined);
  return percentile(ended, delays.length - ended.length, part);
}

/** Whether the turn that ends then began over the agent. */
function brokeIn(session: Session, end: number): boolean {
  const before = session.events.filter(({ kind, start }) => (kind === 'yield' || kind === 'barge-in') && start < end);
  const last = before.reduce<SessionEvent | undefined>(
    (late, one) => (late && late.start >= one.start ? late : one),
    undefined,
  );
  return last?.kind === 'barge-in' && audible(session, last);
}

/** Full-Duplex-Bench v1: pauses, turns and interruptions. */
export function turnTaking(heard: readonly Heard[]): Figure[] {
  const suite = 'full-duplex-bench v1';
  const [pauses, longPauses, prompt, within] = [new Tally(), new Tally(), new Tally(), new Tally()];
  const [spoken, taken] = [new Tally(), new Tally()];
  const [gaps, gapsAfterBargeIn, stops]: [Delay[], Delay[], Delay[]] = [[], [], []];
  for (const { session, track } of heard) {
    for (const { start, end } of of(session, 'hold', 0.2)) {
      const cut = any(track.yields, start, end);
      pauses.add(cut, session);
      if (end - start >= LONG_PAUSE_SECONDS) longPauses.add(cut, session);
    }
    const turns = onsets(track.yields);
    for (const word of session.words)
      if (isToAgent(session, word)) spoken.add(any(turns, word.start + WORD_BEGUN_SECONDS, word.end), session);
    for (const { start, end } of of(session, 'yield', PATIENCE_SECONDS)) {
      if (end - start < SHORTEST_GAP_SECONDS) continue;
      const at = first(track.yields, start, Math.min(end, start + PATIENCE_SECONDS) + TURN_SECONDS);
      taken.add(at !== undefined, session);
      const gap = at === undefined ? undefined : at - start;
      gaps.push(gap);
      if (brokeIn(session, start)) gapsAfterBargeIn.push(gap);
    }
    for (const event of of(session, 'barge-in').filter((one) => audible(session, one))) {
      const { start } = event;
      const at = first(track.stops, start, start + PATIENCE_SECONDS);
      stops.push(at === undefined ? undefined : at - start);
      within.add(at !== undefined, session);
      // The micro-turn in which it begins, and two more.
      prompt.add(
        at !== undefined && Math.floor(at / TURN_SECONDS - 1e-6) <= Math.floor(start / TURN_SECONDS) + 2,
        session,
      );
    }
  }
  return [
    { suite, measure: FALSE_YIELDS, unit: 'share', better: 'lower', ...pauses.share },
    { suite, measure: 'pause of 3 s or more taken for the end', unit: 'share', better: 'lower', ...longPauses.share },
    { suite, measure: 'word in which the turn was taken for over', unit: 'share', better: 'lower', ...spoken.share },
    { suite, measure: TURN_TAKEN, unit: 'share', better: 'higher', ...taken.share },
    { suite, measure: MEDIAN_GAP, unit: 's', better: 'lower', ...delayed(gaps, 0.5) },
    { suite, measure: 'gap after a turn, 90 %', unit: 's', better: 'lower', ...delayed(gaps, 0.9) },
    {
      suite,
      measure: 'gap after an interruption, median',
      unit: 's',
      better: 'lower',
      ...delayed(gapsAfterBargeIn, 0.5),
    },
    { suite, measure: 'barge-in: stopped', unit: 'share', better: 'higher', ...within.share },
    { suite, measure: 'barge-in: stopped within two micro-turns', unit: 'share', better: 'higher', ...prompt.share },
    {
      suite,
      measure: 'barge-in: until the stop, median',
      unit: 's',
      better: 'lower',
      ...delayed(stops, 0.5),
    },
  ];
}

/** Full-Duplex-Bench v1.5: overlaps that are no reason to stop, and speech that is no reason to answer. */
export function overlaps(heard: readonly Heard[]): Figure[] {
  const [backchannel, background, answered] = [new Tally(), new Tally(), new Tally()];
  for (const { session, track } of heard) {
    for (const event of of(session, 'backchannel').filter((one) => audible(session, one)))
      backchannel.add(any(track.stops, event.start, event.end + 0.4), session);
    const turns = onsets(track.yields);
    for (const event of of(session, 'elsewhere')) {
      const { start, end } = event;
      if (audible(session, event)) background.add(any(track.stops, start, end + TURN_SECONDS), session);
      else answered.add(any(turns, start + TURN_SECONDS, end + EDGE_SECONDS), session);
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

/** A long turn: what shows in its pauses that the agent listens. */
export function listening(heard: readonly Heard[]): Figure[] {
  const [recall, unasked] = [new Tally(), new Tally()];
  for (const { session, track } of heard) {
    const said = track.says.filter(({ what }) => what === 'backchannel').map(({ at }) => at);
    const isIn = (at: number, { start, end }: SessionEvent) => at > start && at <= end + TURN_SECONDS;
    for (const event of of(session, 'uh-huh'))
      recall.add(
        said.some((at) => isIn(at, event)),
        session,
      );
    // A pause that is too close to the end to be judged asks for one nevertheless.
    const asked = session.events.filter(({ kind }) => kind === 'uh-huh');
    for (const at of said.filter((moment) => moment < secondsOf(session) - EDGE_SECONDS))
      unasked.add(!asked.some((event) => isIn(at, event)), session);
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
      for (const { end } of of(session, act)) told.add(any(decided, end - 0.3, end + 0.9), session);
      for (const [from, to] of windows) recall.add(any(decided, from, to), session);
      const edge = secondsOf(session) - EDGE_SECONDS;
      const late = session.events.filter(({ kind }) => kind === act || (act === 'stop' && kind === 'barge-in'));
      for (const at of onsets(decided).filter((moment) => moment < edge)) {
        unasked.add(
          ![
            ...windows,
            ...late.map(({ kind, start, end }) => [kind === 'relay' ? end - 0.3 : start, end + 1] as const),
          ].some(([a, b]) => at > a && at <= b),
          session,
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
      right.add(one, session);
      if (one) shown.add(true, session);
    }
    for (const _ of due) shown.add(false, session);
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
        if (to - from >= 1) stopped.add(any(track.stops, from, to), session);
        start = undefined;
      }
    }
  }
  return [{ suite: 'echo', measure: 'own echo at -20 dB: stopped', unit: 'share', better: 'lower', ...stopped.share }];
}
