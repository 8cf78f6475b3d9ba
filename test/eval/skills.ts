import { floors } from '@microturn/protocol';
import { cueSpeak, FINAL_COUNT } from './cue-speak.js';
import { EDGE_SECONDS, secondsOf, type Figure, type Heard } from './heard.js';
import { REMIND_SECONDS } from './time-speak.js';
import { Tally } from './share.js';
import { TURN_SECONDS, type Session, type SessionEvent } from './test-sets.js';

const suite = 'skills, one by one';
/** What is further from a reminder that is due is none of its request. */
const NEAR_SECONDS = 1;
/** After a run was stopped, how many of its periods are watched. */
const WATCHED_PERIODS = 3;

interface Span {
  readonly from: number;
  readonly to: number;
}

/** What goes wrong in skills whose figures have it among others. */
export function skills(heard: readonly Heard[]): Figure[] {
  return [calledOff(heard), afterStop(heard), ...finalCounts(heard)];
}

/** Results that were called off before they were said: whether they are said nevertheless, by a listener that is told of results. */
function calledOff(heard: readonly Heard[]): Figure {
  const said = new Tally();
  for (const { session, track, reads } of heard) {
    if (!reads) continue;
    const relays = track.says.filter(({ what }) => what === 'relay').map(({ at }) => at);
    for (const { from, to } of withoutResult(session))
      said.add(
        relays.some((at) => at > from && at <= to),
        session,
      );
  }
  return { suite, measure: 'result said after it was called off', unit: 'share', better: 'lower', ...said.share };
}

/** From where the words that call a result off can be known, until there is another one. */
function withoutResult(session: Session): Span[] {
  const marks = session.typed.flatMap((text, turn) =>
    text
      .split(' ')
      .filter((word) => ['<result>', '<draft>', '<dropped>'].includes(word))
      .map((mark) => ({ mark, at: turn * TURN_SECONDS })),
  );
  return marks.flatMap(({ mark, at }, i): Span[] => {
    if (mark !== '<dropped>' || marks[i - 1]?.mark !== '<result>') return [];
    const cancel = session.events.findLast(({ kind, end }) => kind === 'cancel' && end <= at);
    const edge = secondsOf(session) - EDGE_SECONDS;
    if (!cancel || cancel.end > edge) return [];
    const next = marks.slice(i).find((one) => one.mark === '<result>')?.at ?? edge;
    return [{ from: cancel.end + TURN_SECONDS, to: next }];
  });
}

/** Of the reminders every few seconds that came, those that went on after they had been stopped. */
function afterStop(heard: readonly Heard[]): Figure {
  const wentOn = new Tally();
  for (const { session, track } of heard) {
    const said = track.says.filter(({ what }) => what === 'remind').map(({ at }) => at - TURN_SECONDS / 2);
    const asked = session.events.filter(({ kind }) => kind === 'remind');
    for (const run of runsOf(asked)) {
      const watched = afterRun(session, run);
      const came = run.some(({ end }) => said.some((at) => Math.abs(at - end) <= REMIND_SECONDS));
      if (!watched || !came) continue;
      const others = asked.filter((event) => !run.includes(event));
      const stray = said.filter((at) => others.every(({ end }) => Math.abs(at - end) > NEAR_SECONDS));
      wentOn.add(
        stray.some((at) => at > watched.from && at <= watched.to),
        session,
      );
    }
  }
  return { suite, measure: 'reminders that go on after a stop', unit: 'share', better: 'lower', ...wentOn.share };
}

/** Reminders of one request: each counts from the one before it. */
function runsOf(asked: readonly SessionEvent[]): SessionEvent[][] {
  const follows = (one: SessionEvent, other: SessionEvent) => Math.abs(one.start - other.end) < 0.01;
  const begins = asked.filter((event) => !asked.some((other) => follows(event, other)));
  const onFrom = (event: SessionEvent): SessionEvent[] => {
    const next = asked.find((other) => follows(other, event));
    return next ? [event, ...onFrom(next)] : [event];
  };
  return begins.map(onFrom).filter(({ length }) => length > 1);
}

/** When a run that was stopped would have gone on; nothing where it was not, or the session has no room for another. */
function afterRun(session: Session, run: readonly SessionEvent[]): Span | undefined {
  const { end, value } = run.at(-1)!;
  const stop = session.events.find(({ kind, start }) => kind === 'stop' && start > end && start < end + value);
  if (!stop) return undefined;
  const from = stop.end + REMIND_SECONDS;
  const to = Math.min(end + WATCHED_PERIODS * value + REMIND_SECONDS, secondsOf(session) - EDGE_SECONDS);
  const goesOn = Array.from({ length: WATCHED_PERIODS }, (_, round) => end + (round + 1) * value);
  return goesOn.some((due) => due > from && due < to) ? { from, to } : undefined;
}

/** The last count, where an animal or something else was put right after counting began, and where nothing was. */
function finalCounts(heard: readonly Heard[]): Figure[] {
  const counting = heard.filter(({ session }) => session.events.some(({ kind }) => kind === 'count'));
  const halves = [
    { name: 'with a correction', some: counting.filter(({ session }) => hasCorrection(session)) },
    { name: 'without one', some: counting.filter(({ session }) => !hasCorrection(session)) },
  ];
  return halves.map(({ name, some }) => {
    const figure = cueSpeak(some).find(({ measure }) => measure === FINAL_COUNT)!;
    return { ...figure, suite, measure: `${FINAL_COUNT}, ${name}` };
  });
}

function hasCorrection({ events, floor }: Session): boolean {
  const begin = Math.min(...events.filter(({ kind }) => kind === 'count').map(({ start }) => start));
  return floor.includes(floors.indexOf('correcting'), Math.floor(begin / TURN_SECONDS));
}
