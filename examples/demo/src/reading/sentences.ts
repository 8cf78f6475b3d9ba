/** One thing to read aloud. */
export type ReadingTask =
  | { readonly kind: 'read'; readonly text: string }
  /** Said while the agent speaks: it is to go on. */
  | { readonly kind: 'agree'; readonly text: string };

const read = (text: string): ReadingTask => ({ kind: 'read', text });
const agree = (text: string): ReadingTask => ({ kind: 'agree', text });

/** Twenty: in five of them the reader stops to think, and in five they only agree. */
export const tasks: readonly ReadingTask[] = [
  read('Today I saw a horse and a small goat.'),
  read('We went to the market and bought bread and milk.'),
  read('There was a … black cat near the window.'),
  read('My brother will come home tomorrow morning.'),
  agree('Uh huh.'),
  read('I need seven eggs, two apples and some cheese.'),
  read('She told me a long story about … the old river.'),
  read('The doctor said that I should drink more water.'),
  agree('Yeah.'),
  read('Let me think … about the first question again.'),
  read('The train was late because of the snow.'),
  agree('Okay.'),
  read('A fox, a rabbit and three ducks live in the forest.'),
  read('Please call my father at nine, not at ten.'),
  agree('Right.'),
  read('I left my key on the kitchen table … next to the phone.'),
  read('They want to build a new school in our village.'),
  agree('I see.'),
  read('It is … very cold on the mountain at night.'),
  read('That is all, thank you and goodbye.'),
];
