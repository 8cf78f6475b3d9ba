import type { Bundle } from '../../packages/edge/src/engine/bundle.js';
import { OnnxModel } from '../../packages/edge/src/engine/onnx-model.js';
import type { Act } from '../../packages/edge/src/engine/types.js';
import { marksOf, Streams, toTrack, type Sound } from './bundle-listener.js';
import type { Figure } from './heard.js';
import { numberTold } from './numbers.js';
import { ELAPSED_SECONDS, REMIND_SECONDS } from './time-speak.js';
import { askedIn, hearOwn, isHeard, quietRoom } from './quiet-room.js';
import { Tally } from './share.js';
import { SAMPLES_PER_TURN, TURN_SECONDS, type Session } from './test-sets.js';
import type { Track } from './track.js';
import { CANCEL, DONE, DURATIONS, EVERY, FOLLOWED, NEXT, ONCE, OTHERS, STOP, SUMS } from './typed-messages.js';
import type { Numbered, Timed, Wordings } from './wordings.js';

/** Rooms that are heard in one go. */
const BATCH = 64;
const LANE = 16;
const FIRST_TURN = 5;
/** From a message to what is done or said about it; it may be read in two micro-turns. */
const ACT_SECONDS = 1.4;
const EVERY_ROUNDS = 3;
/** What is asked for first where something is to be stopped or taken back, when that is typed and for how long it is watched, seconds. */
const STOPPED = { period: 4, after: 9.4, watched: 12 };
const CANCELLED = { delay: 12, after: 4 };
/** Shorter stretches of a recording are no background. */
const LEAST_NOISE_TURNS = 10;

/** What a model made of one room. */
export interface Outcome {
  readonly track: Track;
  /** The messages that somebody else is asked to answer. */
  readonly asked: readonly string[];
}

/** One thing that a room shows: right or wrong, or nothing, where it says nothing of it. */
export interface Judgement {
  readonly skill: string;
  readonly judge: (outcome: Outcome) => boolean | undefined;
}

/** What is typed into one room, by micro-turn, and what is right then. */
export interface Room {
  readonly turns: number;
  readonly typed: Readonly<Record<number, string>>;
  readonly wording: keyof Wordings<unknown>;
  readonly judgements: readonly Judgement[];
}

const turnsIn = (seconds: number) => Math.round(seconds / TURN_SECONDS);
const ASKED_SECONDS = FIRST_TURN * TURN_SECONDS;
/** Seconds after the first message. */
const remindersOf = ({ says }: Track) =>
  says.filter(({ what }) => what === 'remind').map(({ at }) => at - TURN_SECONDS / 2 - ASKED_SECONDS);
const isNear = (moments: readonly number[], due: number) => moments.some((at) => Math.abs(at - due) <= REMIND_SECONDS);

/** Whether an act is decided after what is typed so many seconds after the first message. */
function acts({ says, stops }: Track, act: Act, after = 0): boolean {
  const from = ASKED_SECONDS + after;
  const decided = act === 'stop' ? stops : says.filter(({ what }) => what === act).map(({ at }) => at);
  return decided.some((at) => at > from && at <= from + ACT_SECONDS);
}

/** Whether a number is told after that which is off by `within` at most. */
function tells(track: Track, value: number, after = 0, within = 0): boolean {
  const from = ASKED_SECONDS + after;
  const told = numberTold(track, from, from + ACT_SECONDS);
  return told > 0 && Math.abs(told - value) <= within;
}

/** Of a room all but whose words are typed in it. */
type Scene = Omit<Room, 'wording'>;

/** Every wording of everything, each in a room of its own. */
export function rooms(): Room[] {
  const done = Object.entries(DONE) as [keyof typeof DONE, Wordings<string>][];
  return [
    ...Object.entries(FOLLOWED).flatMap(([skill, wordings]) => each(wordings, (text) => acting(skill, text, 'handle'))),
    ...each(ONCE, reminding),
    ...each(EVERY, remindingOften),
    ...each(NEXT, goingOn),
    ...each(STOP, stopping),
    ...each(CANCEL, cancelling),
    ...done.flatMap(([act, wordings]) => each(wordings, (text) => acting(act, text, act))),
    ...each(DURATIONS, timing),
    ...each(SUMS, (text) => leaving('sum', text)),
    ...Object.entries(OTHERS).flatMap(([kind, wordings]) => each(wordings, (text) => leaving(kind, text))),
  ];
}

function each<T>(wordings: Wordings<T>, scene: (wording: T) => Scene): Room[] {
  return (['recipe', 'other', 'blind'] as const).flatMap((wording) =>
    wordings[wording].map((one) => ({ ...scene(one), wording })),
  );
}

/** @param later what else is typed, by seconds after the first message */
function typing(
  text: string,
  seconds: number,
  later: Readonly<Record<number, string>> = {},
): Pick<Room, 'turns' | 'typed'> {
  const then = Object.entries(later).map(([after, other]) => [FIRST_TURN + turnsIn(Number(after)), other] as const);
  return { turns: FIRST_TURN + turnsIn(seconds), typed: { ...Object.fromEntries(then), [FIRST_TURN]: text } };
}

function acting(skill: string, text: string, act: Act): Scene {
  return { ...typing(text, 3), judgements: [{ skill, judge: ({ track }) => acts(track, act) }] };
}

function reminding([text, delay]: Numbered): Scene {
  return {
    ...typing(text, delay + 3),
    judgements: [
      {
        skill: 'remind once, within 0.4 s',
        judge: ({ track }) => remindersOf(track).length === 1 && isNear(remindersOf(track), delay),
      },
    ],
  };
}

function remindingOften([text, period]: Numbered): Scene {
  const due = Array.from({ length: EVERY_ROUNDS }, (_, round) => (round + 1) * period);
  return {
    ...typing(text, EVERY_ROUNDS * period + 2),
    judgements: [
      {
        skill: 'remind every N seconds, the first three within 0.4 s',
        judge: ({ track }) => due.every((at) => isNear(remindersOf(track), at)),
      },
    ],
  };
}

function goingOn([text, value]: Numbered): Scene {
  return {
    ...typing(text, 4),
    judgements: [{ skill: 'next number, said', judge: ({ track }) => tells(track, value) }],
  };
}

/** A run of reminders that is stopped after two of them: by the act, and by none that come after it where some came before. */
function stopping(text: string): Scene {
  const { period, after, watched } = STOPPED;
  return {
    ...typing(`remind me every ${period} seconds`, after + watched, { [after]: text }),
    judgements: [
      { skill: 'stop', judge: ({ track }) => acts(track, 'stop', after) },
      {
        skill: 'stop, no further reminder',
        judge: ({ track }) => {
          const came = remindersOf(track);
          return came.some((at) => at < after) ? came.every((at) => at <= after + ACT_SECONDS) : undefined;
        },
      },
    ],
  };
}

/** A reminder that is taken back: by the act, and by its not coming where it was noted. */
function cancelling(text: string): Scene {
  const { delay, after } = CANCELLED;
  return {
    ...typing(`remind me in ${delay} seconds`, delay + 3, { [after]: text }),
    judgements: [
      { skill: 'cancel', judge: ({ track }) => acts(track, 'cancel', after) },
      {
        skill: 'cancel, no reminder',
        judge: ({ track }) => (acts(track, 'note') ? !isNear(remindersOf(track), delay) : undefined),
      },
    ],
  };
}

function timing([begin, end, question, seconds]: Timed): Scene {
  const asked = seconds + 2;
  const judge: Judgement['judge'] = ({ track }) => tells(track, seconds, asked, ELAPSED_SECONDS);
  return {
    ...typing(begin, asked + 4, { [seconds]: end, [asked]: question }),
    judgements: [{ skill: 'how long that took, within 1.5 s', judge }],
  };
}

function leaving(kind: string, text: string): Scene {
  return {
    ...typing(text, 4),
    judgements: [
      {
        skill: `${kind}, left alone`,
        judge: ({ track, asked }) => asked.includes(text) && !track.says.some(({ what }) => isHeard(what)),
      },
    ],
  };
}

/**
 * What a bundle that reads does about what is typed, in many wordings, where nobody speaks. The agent is taken to be audible for as
 * long as its words take, without a sound. Nothing of a bundle that does not read.
 * @param noise what is heard in the rooms, one after the other; silence where there is none
 */
export async function typedInstructions(
  bundle: Bundle,
  suite: string,
  all: readonly Room[],
  noise: readonly Int16Array[] = [],
): Promise<Figure[]> {
  if (bundle.manifest.inputs.text?.classes === undefined) return [];
  const byLength = all.toSorted((a, b) => a.turns - b.turns); // rows that step together end together
  const outcomes: Outcome[] = [];
  for (let first = 0; first < byLength.length; first += BATCH) {
    const sounds = byLength
      .slice(first, first + BATCH)
      .map(({ turns, typed }, i) => quietRoom(turns, typed, noise[i % noise.length]));
    outcomes.push(...(await live(bundle, sounds)));
  }
  return judged(suite, byLength, outcomes);
}

async function live(bundle: Bundle, sounds: readonly Sound[]): Promise<Outcome[]> {
  const model = await OnnxModel.load(bundle, { rows: sounds.length, laneSize: Math.min(LANE, sounds.length) });
  try {
    const streams = new Streams(model, sounds.length, marksOf(bundle), (place, decision) =>
      hearOwn(sounds[place]!, decision),
    );
    const { perTurn } = model.info.reads!;
    return (await streams.hear(sounds)).map((decisions, i) => ({
      track: toTrack(decisions),
      asked: askedIn(sounds[i]!, decisions, perTurn),
    }));
  } finally {
    await model.close();
  }
}

/** By skill, those in blind wordings for themselves, and by wording of all of them. */
export function judged(suite: string, all: readonly Room[], outcomes: readonly Outcome[]): Figure[] {
  const skills = new Map<string, Tally>();
  const wordings = { recipe: new Tally(), other: new Tally(), blind: new Tally() };
  for (const [i, { judgements, wording }] of all.entries()) {
    for (const { skill, judge } of judgements) {
      const isRight = judge(outcomes[i]!);
      if (isRight === undefined) continue;
      const measure = wording === 'blind' ? `${skill} (blind)` : skill;
      if (!skills.has(measure)) skills.set(measure, new Tally());
      skills.get(measure)!.add(isRight);
      wordings[wording].add(isRight, i);
    }
  }
  const row = { suite, unit: 'share', better: 'higher' } as const;
  return [
    ...[...skills]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([measure, { share }]) => ({ ...row, measure, ...share })),
    { ...row, measure: 'all, in words of the recipe', ...wordings.recipe.share },
    { ...row, measure: 'all, in other words', ...wordings.other.share },
    { ...row, measure: 'all, in words of somebody who has seen none', ...wordings.blind.share },
  ];
}

/** Of each recording the longest stretch in which nobody is heard, neither somebody else nor the agent. */
export function backgrounds(sessions: readonly Session[]): Int16Array[] {
  return sessions.map(background).filter((noise) => noise !== undefined);
}

function background({ mic, floor, play }: Session): Int16Array | undefined {
  let longest = { from: 0, to: 0 };
  for (let from = 0, to = 0; to <= floor.length; to++) {
    if (to < floor.length && floor[to] === 0 && play[to] === 0) continue;
    if (to - from > longest.to - longest.from) longest = { from, to };
    from = to + 1;
  }
  // The ends of it still have the end of what was before, and the beginning of what comes.
  const [from, to] = [longest.from + 1, longest.to - 1];
  if (to - from < LEAST_NOISE_TURNS) return undefined;
  return mic.slice(from * SAMPLES_PER_TURN, to * SAMPLES_PER_TURN);
}
