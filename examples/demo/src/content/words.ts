/** The words that the shipped bundle has classes for; plurals are heard as their singular. */
export const vocabulary = [
  {
    title: 'Animals',
    words: split(`
    cat dog horse cow pig sheep goat duck chicken lion tiger bear wolf fox rabbit mouse monkey elephant
    giraffe zebra snake frog eagle owl penguin dolphin whale shark camel donkey kangaroo panda squirrel
    turtle parrot swan bee spider deer otter
  `),
  },
  {
    title: 'Numbers',
    words: split(`
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty thirty forty fifty sixty hundred
  `),
  },
  {
    title: 'Colours',
    words: split(`
    red blue green yellow orange purple black white brown pink grey golden
  `),
  },
  {
    title: 'Commands and small words',
    words: split(`
    stop wait remind me in seconds minutes count how many translate search for look up hello what time is it
    the animals start timer set please yes no okay yeah uh huh um right sorry actually thanks cancel continue
    quiet open play music weather today tell story about and a i saw to you can my with then
  `),
  },
] as const;

export const VOCABULARY_SIZE = vocabulary.reduce((count, { words }) => count + words.length, 0);

function split(words: string): readonly string[] {
  return words.trim().split(/\s+/);
}
