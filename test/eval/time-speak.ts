import { instructed, of, type Figure, type Heard } from './heard.js';
import { ANSWER_SECONDS, numberTold } from './numbers.js';
import { Tally } from './share.js';
import { TURN_SECONDS, type SessionEvent } from './test-sets.js';

export const REMIND_SECONDS = 0.4;
export const ELAPSED_SECONDS = 1.5;
/** A whole number of seconds is told: half a second is all that rounding may cost. */
const ELAPSED_EXACT_SECONDS = 0.5;
/** Beyond what the shipped model's attention looks back on. */
const LONG_ELAPSED_SECONDS = 25;

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
      (isPeriodic(event, asked) ? periodic : once).add(inTime, session);
      if (session.typed[Math.floor(event.start / TURN_SECONDS + 1e-6)]) typed.add(inTime, session);
    }
    for (const at of said)
      unasked.add(
        asked.every(({ end }) => Math.abs(at - end) > 1),
        session,
      );
    for (const { end, value } of of(session, 'elapsed', 2).filter(({ value }) => value >= shortest)) {
      const seconds = numberTold(track, end, end + ANSWER_SECONDS);
      const told = seconds > 0 && Math.abs(seconds - value) <= ELAPSED_SECONDS;
      elapsed.add(told, session);
      exact.add(seconds > 0 && Math.abs(seconds - value) <= ELAPSED_EXACT_SECONDS, session);
      if (value > LONG_ELAPSED_SECONDS) long.add(told, session);
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
      for (const { end, value } of of(session, kind, 2))
        right.add(numberTold(track, end - 0.2, end + late) === value, session);
    }
    return { suite, measure, unit: 'share', better: 'higher', ...right.share };
  });
}
