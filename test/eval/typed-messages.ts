import { BLIND } from './typed-blind.js';

/**
 * Wordings of one thing: as models/nano/recipe/texts.py words it, with values that have nothing special; as others may; and as somebody did
 * who had seen neither.
 */
export interface Wordings<T> {
  readonly recipe: readonly T[];
  readonly other: readonly T[];
  readonly blind: readonly T[];
}

/** What is followed from then on, without an answer. */
export const FOLLOWED: Readonly<Record<string, Wordings<string>>> = {
  count: {
    recipe: [
      'count the animals',
      'please count the animals',
      'can you count the animals',
      'count animals for me',
      'count all the animals',
      'count every animal',
      'i want you to count the animals',
      'count my animals please',
    ],
    other: [
      'Keep a count of the animals I mention.',
      'tell me how many animals I name as I go',
      'number the animals as I say them',
      'Start counting animals now.',
      'Each time I name an animal, say its number.',
      'please keep track of the animals',
      "I'd like you to count animals.",
      'count up whenever an animal comes up',
    ],
    blind: BLIND.count,
  },
  translate: {
    recipe: [
      'translate to spanish',
      'translate into spanish',
      'translate what i say',
      'please translate what i say to spanish',
      'translate my words into spanish',
      'can you translate into spanish',
      'show me this in spanish',
      'translate for me please',
    ],
    other: [
      'Put everything I say into Spanish.',
      'I want to see my words in Spanish.',
      'from now on translate me into Spanish',
      'give me the Spanish for what I say',
      'Show what I say in Spanish as I talk.',
      'start translating into Spanish',
      'could you translate me live to Spanish',
      'turn my words into Spanish please',
    ],
    blind: BLIND.translate,
  },
};

/** What is done at once, by the act that does it. */
export const DONE = {
  continue: {
    recipe: ['continue', 'please continue', 'go on', 'go on please', 'okay go on', 'carry on', 'keep going', 'resume'],
    other: [
      'You were saying?',
      'please proceed',
      'Finish what you were saying.',
      'tell me the rest',
      'go ahead',
      'Carry on from there.',
      'pick up where you left off',
      'And then?',
    ],
    blind: BLIND.continue,
  },
  repeat: {
    recipe: [
      'repeat that',
      'please repeat that',
      'can you repeat that',
      'say that again',
      'once again',
      'could you say that again',
      'what did you say',
      'pardon',
    ],
    other: [
      'One more time, please.',
      'I missed that.',
      'repeat your last sentence',
      'Come again?',
      'what was that',
      'Say it once more.',
      'could I have that again',
      'tell me that again',
    ],
    blind: BLIND.repeat,
  },
  louder: {
    recipe: [
      'louder',
      'louder please',
      'speak louder',
      'a little louder',
      'can you speak up',
      "i can't hear you",
      'a bit louder please',
      'you are too quiet',
    ],
    other: [
      'Turn up the volume.',
      'raise your voice',
      'more volume',
      'I can hardly hear you.',
      'make it louder',
      'Speak with more volume, please.',
      'be louder',
      'volume up',
    ],
    blind: BLIND.louder,
  },
  quieter: {
    recipe: [
      'quieter',
      'quieter please',
      'not so loud',
      'speak quieter please',
      'a little quieter',
      'you are too loud',
      'a bit quieter please',
      'can you be a little quieter',
    ],
    other: [
      'Turn down the volume.',
      'lower your voice',
      'less volume',
      "You're shouting.",
      'make it quieter',
      'softer please',
      'be quieter',
      'volume down',
    ],
    blind: BLIND.quieter,
  },
  slower: {
    recipe: [
      'slower',
      'slower please',
      'speak slower',
      'not so fast',
      'slow down',
      'you are too fast',
      'can you speak slower',
      'a bit slower please',
    ],
    other: [
      'Take it slow.',
      'you talk too quickly',
      'less speed please',
      'Reduce your pace.',
      'go slower',
      'make it slower',
      'speak at a slower pace',
      "Don't rush.",
    ],
    blind: BLIND.slower,
  },
  faster: {
    recipe: [
      'faster',
      'faster please',
      'speak faster',
      'a little faster',
      'speed up',
      'you are too slow',
      'can you speak faster',
      'not so slow',
    ],
    other: [
      'Pick up the pace.',
      'you talk too slowly',
      'hurry up',
      'More speed, please.',
      'go faster',
      'make it faster',
      'speak at a faster pace',
      'Talk quicker.',
    ],
    blind: BLIND.faster,
  },
} as const satisfies Readonly<Record<string, Wordings<string>>>;

export const STOP: Wordings<string> = {
  recipe: ['stop', 'wait', 'okay stop', 'quiet please', 'stop please', 'hold on', 'stop talking', 'please stop'],
  other: [
    'Stop it now.',
    'shut up',
    'enough',
    "That's enough, thanks.",
    'be silent please',
    'you can stop now',
    'no more',
    'no more reminders',
  ],
  blind: BLIND.stop,
};
export const CANCEL: Wordings<string> = {
  recipe: [
    'never mind',
    'cancel',
    'cancel that',
    'never mind that',
    'forget it',
    'cancel it please',
    'oh never mind',
    'no never mind',
  ],
  other: [
    'Cancel the reminder.',
    "I don't need it any more.",
    'drop that',
    'scrap that',
    "Don't remind me.",
    'no need to remind me',
    'leave it',
    'undo that',
  ],
  blind: BLIND.cancel,
};

/** And a number that goes with it. */
export type Numbered = readonly [text: string, value: number];

/** In so many seconds. */
export const ONCE: Wordings<Numbered> = {
  recipe: [
    ['remind me in seven seconds', 7],
    ['please remind me in 11 seconds', 11],
    ['can you remind me in thirteen seconds', 13],
    ['okay remind me in 17 seconds', 17],
    ['remind me in nineteen seconds please', 19],
    ['remind me in 23 seconds', 23],
    ['remind me in 9 seconds', 9],
    ['please remind me in 26 seconds', 26],
  ],
  other: [
    ['Give me a reminder in 8 seconds.', 8],
    ['set a reminder for 12 seconds', 12],
    ['In 14 seconds, remind me.', 14],
    ['let me know in 16 seconds', 16],
    ['set a timer for 18 seconds', 18],
    ['I need a reminder 21 seconds from now.', 21],
    ['nudge me after 9 seconds', 9],
    ['wake me in 24 seconds', 24],
  ],
  blind: BLIND.once,
};
/** Every so many seconds. */
export const EVERY: Wordings<Numbered> = {
  recipe: [
    ['remind me every 3 seconds', 3],
    ['tell me every four seconds', 4],
    ['please remind me every 5 seconds', 5],
    ['remind me every six seconds until i say stop', 6],
    ['tell me every 3 seconds until i say stop', 3],
    ['please remind me every four seconds', 4],
    ['remind me every 5 seconds', 5],
    ['tell me every six seconds', 6],
  ],
  other: [
    ['Give me a reminder every 3 seconds.', 3],
    ['Every 4 seconds, remind me.', 4],
    ['keep reminding me every 5 seconds', 5],
    ['ping me every 6 seconds', 6],
    ['Remind me again and again, every 4 seconds.', 4],
    ['I want a reminder every 5 seconds.', 5],
    ['every 3 seconds tell me', 3],
    ['beep every 6 seconds', 6],
  ],
  blind: BLIND.every,
};
/** The number that is asked for. */
export const NEXT: Wordings<Numbered> = {
  recipe: [
    ['what comes after six', 7],
    ['what number comes after 11', 12],
    ['next number after fourteen', 15],
    ['what is the next number after 17', 18],
    ['what comes after three', 4],
    ['what number comes after 8', 9],
    ['next number after 12', 13],
    ['what is the next number after nine', 10],
  ],
  other: [
    ['Which number follows 7?', 8],
    ["what's one more than 13", 14],
    ['After 15 comes what?', 16],
    ['tell me the number after 4', 5],
    ['name the number following ten', 11],
    ['5, and then?', 6],
    ['What is the number right after 16?', 17],
    ['which one is next after 18', 19],
  ],
  blind: BLIND.next,
};
/** Sums that are wrong: somebody else is to answer them. */
export const SUMS: Wordings<string> = {
  recipe: [
    'five plus six is twelve',
    'i think 3 plus 4 equals 8',
    'so seven plus eight makes fourteen',
    'well 9 plus 4 is 12',
    'i know that two plus six is nine',
    '8 plus 8 makes 18',
    'four plus nine equals fifteen',
    'so 6 plus 3 is 10',
  ],
  other: [
    '5 + 7 = 13',
    'If I add 7 and 6 I get 14.',
    '8 and 3 together are 12',
    'the sum of 9 and 9 is 17',
    "Two and five, that's eight.",
    '4 added to 6 gives 11',
    '3 with 9 more would be 13',
    'I paid 6 and 8, so 15 in all.',
  ],
  blind: BLIND.sums,
};
/** Typed at the beginning, at the end and after it, and the seconds between the first two. */
export type Timed = readonly [begin: string, end: string, question: string, seconds: number];

export const DURATIONS: Wordings<Timed> = {
  recipe: [
    ['i start now', "i'm done", 'how long did that take', 6],
    ['start the timer', 'done', 'how long was that', 9],
    ['ready go', 'finished', 'how long did it take', 4],
    ['i begin now', 'i finished', 'how many seconds was that', 12],
    ["let's begin", "okay i'm done", 'how long did that take', 15],
    ['okay start', "that's it", 'how long was that', 7],
    ['i start now', 'done', 'how many seconds was that', 18],
    ['start the timer', "i'm done", 'how long did it take', 11],
  ],
  other: [
    ['Here I go.', 'That was it.', 'How much time did I need?', 5],
    ['time me from now', 'I got it', 'what was my time', 8],
    ['go', 'okay there', 'For how long was I at it?', 13],
    ["I'm starting.", "I'm through.", 'how many seconds did I need', 10],
    ['Begin timing.', 'End of it.', 'How long was I?', 16],
    ['Now!', 'ready', 'Tell me how long this took.', 6],
    ['watch the clock', 'all done now', 'how many seconds passed', 14],
    ['Off I go.', 'There we are.', 'What did the clock say?', 9],
  ],
  blind: BLIND.durations,
};

/** What somebody else is to answer, or nobody. */
export const OTHERS: Readonly<Record<string, Wordings<string>>> = {
  'question for somebody else': {
    recipe: [
      'what is the weather tomorrow',
      'tell me about the old bridge',
      'look up the train',
      'what is 34 times 12',
      'write a letter about the garden',
      'how do i open the window',
      'who is my teacher',
      'play a song',
    ],
    other: [
      'What is the capital of Peru?',
      'How far is the moon from the earth?',
      'who wrote Don Quixote',
      'Can you recommend a film for tonight?',
      'why is the sea salty',
      'summarise the plot of Hamlet',
      'Which bus goes to the airport?',
      'how many people live in Lagos',
    ],
    blind: BLIND.questions,
  },
  'nothing to be followed': {
    recipe: [
      'she said never mind',
      'how do i stop the timer',
      'what does continue mean',
      'how many animals live in the park',
      'why did you remind me',
      'it took twenty seconds',
      'count to ten',
      'thank you',
    ],
    other: [
      'I stopped smoking last year.',
      'My brother counts sheep to fall asleep.',
      'the louder band won',
      'We waited an hour for the bus.',
      'good morning everyone',
      'the translation was published in Spain',
      'He repeats himself a lot.',
      'my timer is broken',
    ],
    blind: BLIND.others,
  },
};
