import type { Bundle } from '../../packages/edge/src/engine/bundle.js';
import { Notes } from '../../packages/edge/src/engine/notes.js';
import { OnnxModel } from '../../packages/edge/src/engine/onnx-model.js';
import type { Decision, InteractionModel, InteractionStream, Mark } from '../../packages/edge/src/engine/types.js';
import { isMark, TURN_SECONDS, turnOf, type Session } from './test-sets.js';
import type { HeardWord, Listener, Said, Track } from './track.js';

export type Sound = Pick<Session, 'mic' | 'ref' | 'play'> & Partial<Pick<Session, 'typed'>>;

/** Sessions that step together. */
const LANE = 16;

/** A bundle on the CPU, through the code that the edge runs: its thresholds are those of its manifest. */
export function bundleListener(name: string, bundle: Bundle): Listener<Sound> {
  return {
    name,
    reads: bundle.manifest.inputs.text?.classes !== undefined,
    hear: async (sessions) => (await decide(bundle, sessions)).map(toTrack),
  };
}

/** A moment at which the turn was taken to be over, and how sure the bundle was. */
export interface Yield {
  readonly at: number;
  readonly confidence: number;
}

/** By session: where `yielded` is the likeliest floor, whatever threshold the bundle's manifest has for it. */
export async function likelyYields(bundle: Bundle, sessions: readonly Sound[]): Promise<Yield[][]> {
  const { manifest } = bundle;
  const thresholds = { ...manifest.decoding.floor.thresholds, yielded: 0 };
  const decoding = { ...manifest.decoding, floor: { thresholds } };
  const decided = await decide({ ...bundle, manifest: { ...manifest, decoding } }, sessions);
  return decided.map((decisions) =>
    decisions
      .filter(({ floor }) => floor === 'yielded')
      .map(({ index, confidence }) => ({ at: (index + 1) * TURN_SECONDS, confidence })),
  );
}

async function decide(bundle: Bundle, sessions: readonly Sound[]): Promise<Decision[][]> {
  const model = await OnnxModel.load(bundle, { rows: sessions.length, laneSize: Math.min(LANE, sessions.length) });
  try {
    return await new Streams(model, sessions.length, marksOf(bundle)).hear(sessions);
  } finally {
    await model.close();
  }
}

/** The marks of a recording that a bundle knows, by the class that stands for each. Ages follow from what it notes itself. */
export function marksOf({ manifest }: Bundle): ReadonlyMap<string, Mark> {
  const marks = Object.entries(manifest.inputs.text?.marks ?? {}) as [Mark, string][];
  return new Map(marks.filter(([mark]) => mark !== 'age').map(([mark, name]) => [name, mark]));
}

/** Streams of one model that hear side by side, as fast as it steps. Each is told how old its notes are, as in a session. */
export class Streams {
  readonly #streams: readonly InteractionStream[];
  readonly #decisions: Decision[][];
  readonly #notes: readonly Notes[];
  #next = 0;
  #left = 0;
  #done = () => {};

  readonly #marks: ReadonlyMap<string, Mark>;
  readonly #heed: (place: number, decision: Decision) => void;

  /**
   * @param count streams; each goes on where it was at every `hear`
   * @param heed is told each decision before the next micro-turn is heard: what it changes in a session is heard then
   */
  constructor(
    model: InteractionModel,
    count: number,
    marks: ReadonlyMap<string, Mark> = new Map(),
    heed: (place: number, decision: Decision) => void = () => {},
  ) {
    this.#marks = marks;
    this.#heed = heed;
    this.#decisions = Array.from({ length: count }, () => []);
    this.#notes = this.#decisions.map(() => new Notes(model.info.microTurnMs, model.info.reads?.same));
    const onFailed = (error: Error) => {
      throw error;
    };
    this.#streams = this.#decisions.map((_, lease) =>
      model.open(lease, (decision) => this.#decided(decision), { onFailed }),
    );
  }

  /**
   * What each stream decides of its session, in order; indexes count from 0.
   * @param sessions one for each stream; they may differ in length
   */
  async hear(sessions: readonly Sound[]): Promise<Decision[][]> {
    const first = this.#next;
    const turns = Math.max(...sessions.map(({ play }) => play.length));
    for (let turn = 0; turn < turns; turn++) {
      const active = [...sessions.entries()].filter(([, { play }]) => turn < play.length);
      this.#left = active.length;
      const stepped = new Promise<void>((resolve) => (this.#done = resolve));
      for (const [lease, { mic, ref, play, typed }] of active) {
        this.#read(this.#streams[lease]!, typed?.[turn] ?? '');
        const message = messageAt(typed ?? [], turn);
        if (message !== '') this.#notes[lease]!.typed(message, first + turn);
        const sound = { pcm: turnOf(mic, turn), ref: turnOf(ref, turn), play: play[turn]! };
        this.#streams[lease]!.push({ lease, index: first + turn, ...sound, lost: 0, dueMs: 0 });
      }
      await stepped;
    }
    this.#next += turns;
    return this.#decisions.map((decisions) =>
      decisions.splice(0).map((decision) => ({ ...decision, ...relative(decision, first) })),
    );
  }

  #read(stream: InteractionStream, text: string): void {
    for (const word of text.split(' ')) {
      const mark = this.#marks.get(word);
      if (mark) stream.perceive({ type: 'mark', mark });
      else if (!isMark(word)) stream.perceive({ type: 'typed', text: word });
    }
  }

  #decided(made: Decision): void {
    const { lease } = made;
    const decision = this.#notes[lease]!.heed(made);
    this.#decisions[lease]!.push(decision);
    this.#heed(lease, decision);
    for (const age of this.#notes[lease]!.take(decision)) this.#streams[lease]!.perceive(age);
    if (--this.#left === 0) this.#done();
  }
}

/** The message that begins to be read in a micro-turn: it may go on in those that follow. Empty where none begins. */
function messageAt(typed: readonly string[], turn: number): string {
  const wordsAt = (at: number) => (typed[at] ?? '').split(' ').filter((word) => word !== '' && !isMark(word));
  if (wordsAt(turn - 1).length > 0) return '';
  const words: string[] = [];
  for (let at = turn; wordsAt(at).length > 0; at++) words.push(...wordsAt(at));
  return words.join(' ');
}

/** The times of a decision, counted from micro-turn `first`. */
function relative({ index, words }: Decision, first: number): Pick<Decision, 'index' | 'words'> {
  const sinceMs = first * TURN_SECONDS * 1000;
  return { index: index - first, words: words.map((word) => ({ ...word, endMs: word.endMs - sinceMs })) };
}

export function toTrack(decisions: readonly Decision[]): Track {
  const [yields, stops]: [number[], number[]] = [[], []];
  const [words, says, shows]: [HeardWord[], Said[], Said[]] = [[], [], []];
  for (const decision of decisions) {
    const at = (decision.index + 1) * TURN_SECONDS;
    if (decision.floor === 'yielded') yields.push(at);
    if (decision.acts.includes('stop')) stops.push(at);
    for (const { text, endMs } of decision.words) words.push({ text, end: endMs / 1000, known: at });
    if (decision.acts.includes('remind')) says.push({ at, what: 'remind' });
    else for (const what of decision.say.split(' ').filter(Boolean)) says.push({ at, what });
    for (const what of decision.acts) if (what !== 'remind') says.push({ at, what });
    for (const { of, text } of decision.shown ?? []) shows.push({ at, what: of ?? text });
  }
  return { yields, stops, words, says, shows, floors: decisions.map(({ floor }) => floor) };
}
