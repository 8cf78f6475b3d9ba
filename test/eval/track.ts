import type { Floor } from '@microturn/protocol';

/** What a listener made of one session. Moments are seconds at which it is known: a decision has no earlier effect. */
export interface Track {
  /** At each of these the turn was taken to be over, and the agent's to take. */
  readonly yields: readonly number[];
  /** At each of these the agent was to fall silent. */
  readonly stops: readonly number[];
  readonly words: readonly HeardWord[];
  /** The agent's own words, in the micro-turn that they were decided in. */
  readonly says: readonly Said[];
  /** The user's words whose translation was shown, in the micro-turn that it was decided in. */
  readonly shows: readonly Said[];
  /** Who holds the floor, by micro-turn, as decided: the likeliest whose threshold is met. Of a listener that tells no more than ends, none. */
  readonly floors?: readonly Floor[];
}

export interface HeardWord {
  readonly text: string;
  /** When it ended, by the listener. */
  readonly end: number;
  readonly known: number;
}

export interface Said {
  readonly at: number;
  /** A word, or an act such as `delegate`. */
  readonly what: string;
}

/** Hears sessions side by side. */
export interface Listener<T> {
  readonly name: string;
  /** It knows what was typed. */
  readonly reads: boolean;
  hear(sessions: readonly T[]): Promise<readonly Track[]>;
}
