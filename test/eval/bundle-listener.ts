import type { Bundle } from '../../packages/edge/src/engine/bundle.js';
import { OnnxModel } from '../../packages/edge/src/engine/onnx-model.js';
import type { Decision, InteractionStream } from '../../packages/edge/src/engine/types.js';
import { TURN_SECONDS, turnOf, type Session } from './test-sets.js';
import type { HeardWord, Listener, Said, Track } from './track.js';

export type Sound = Pick<Session, 'mic' | 'ref' | 'play'>;

/** Sessions that step together. */
const LANE = 16;

/** A bundle on the CPU, through the code that the edge runs: its thresholds are those of its manifest. */
export function bundleListener(name: string, bundle: Bundle): Listener<Sound> {
  return {
    name,
    async hear(sessions) {
      const model = await OnnxModel.load(bundle, { rows: sessions.length, laneSize: Math.min(LANE, sessions.length) });
      try {
        return (await new Streams(model, sessions.length).hear(sessions)).map(toTrack);
      } finally {
        await model.close();
      }
    },
  };
}

/** Streams of one model that hear side by side, as fast as it steps. */
export class Streams {
  readonly #streams: readonly InteractionStream[];
  readonly #decisions: Decision[][];
  #next = 0;
  #left = 0;
  #done = () => {};

  /** @param count streams; each goes on where it was at every `hear` */
  constructor(model: OnnxModel, count: number) {
    this.#decisions = Array.from({ length: count }, () => []);
    const failed = (error: Error) => {
      throw error;
    };
    this.#streams = this.#decisions.map((_, lease) => model.open(lease, (decision) => this.#decided(decision), failed));
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
      for (const [lease, { mic, ref, play }] of active) {
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

  #decided(decision: Decision): void {
    this.#decisions[decision.lease]!.push(decision);
    if (--this.#left === 0) this.#done();
  }
}

/** The times of a decision, counted from micro-turn `first`. */
function relative({ index, words }: Decision, first: number): Pick<Decision, 'index' | 'words'> {
  const sinceMs = first * TURN_SECONDS * 1000;
  return { index: index - first, words: words.map((word) => ({ ...word, endMs: word.endMs - sinceMs })) };
}

export function toTrack(decisions: readonly Decision[]): Track {
  const [yields, stops]: [number[], number[]] = [[], []];
  const [words, says]: [HeardWord[], Said[]] = [[], []];
  for (const decision of decisions) {
    const at = (decision.index + 1) * TURN_SECONDS;
    if (decision.floor === 'yielded') yields.push(at);
    if (decision.acts.includes('stop')) stops.push(at);
    for (const { text, endMs } of decision.words) words.push({ text, end: endMs / 1000, known: at });
    if (decision.acts.includes('remind')) says.push({ at, what: 'remind' });
    else for (const what of decision.say.split(' ').filter(Boolean)) says.push({ at, what });
    for (const what of decision.acts) if (what !== 'remind') says.push({ at, what });
  }
  return { yields, stops, words, says };
}
