import type { TrialId } from '../trials/trials.js';

export interface Suggestion {
  readonly id: TrialId;
  /** What to say, or to do and then say. */
  readonly before?: string;
  readonly say: string;
  /** What should happen. */
  readonly outcome: string;
  /** Where it is known to fail. */
  readonly limit?: string;
  /** That it happened, before the time at which it did. */
  readonly seen?: string;
}

/** What the shipped model can do, in the order of how surprising they are. */
export const suggestions: readonly Suggestion[] = [
  {
    id: 'count',
    say: 'Count the animals. Today I saw a horse and a goat, then a sheep ran to the river with a rabbit.',
    outcome: 'It counts each animal aloud while you go on speaking.',
    limit: 'One animal that it misses makes every later number wrong.',
    seen: 'It began to count at',
  },
  {
    id: 'pause',
    say: 'Count the animals. Today I saw a horse and a goat … then a sheep ran to the river.',
    outcome: 'Leave three seconds where the dots are. It says nothing in the pause, and goes on counting after it.',
  },
  {
    id: 'stop',
    before: 'Press “Say something long”, then say',
    say: 'Wait, stop.',
    outcome: 'It stops, and the words that you never heard are struck out.',
  },
  {
    id: 'agree',
    before: 'Press “Say something long”, then say',
    say: 'Uh-huh.',
    outcome: 'It goes on: you agreed, and did not ask for the floor.',
    limit: 'With some voices it stops by mistake.',
  },
  {
    id: 'remind',
    say: 'Remind me in five seconds.',
    outcome: 'About five seconds later it speaks up on its own.',
    limit:
      'In its tests, with synthetic voices that it had never heard, 36 of 37 came within 0.4 seconds of the mark. Now and then it says “Here is your reminder.” unasked, as while you try another sentence.',
  },
  {
    id: 'translate',
    say: 'Translate to Spanish. I saw a red fox, three black cats and a small dog.',
    outcome: 'The words that it can translate appear in Spanish while you go on speaking, in silence.',
    limit: 'Word by word, of some 170 that it knows.',
  },
];

/**
 * About ten seconds of speech. It has no word in it that the model would act on,
 * since a loudspeaker may carry it back into the microphone.
 */
export const LONG_TEXT =
  'Let me describe a slow walk along the coast. The path leaves the village, climbs past old stone walls, ' +
  'crosses a small wooden bridge, and follows the cliff until the lighthouse comes into view.';
