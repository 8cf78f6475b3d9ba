/** About ten seconds of speech, without a long pause and without an animal or a number in it. */
export const LONG_TEXT =
  'The harbour was quiet that morning and the boats moved slowly on the grey water while the old sailor told us about the long winter and the broken ice and the lights that he had seen far out at sea when everybody else was asleep.';
