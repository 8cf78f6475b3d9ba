/** Where nothing better ends: an answer is begun with this many characters, and goes on with more. */
const FIRST_CHARS = 28;
const LATER_CHARS = 90;
const FIRST_CLAUSE_CHARS = 6;
/** "Yes," is a clause, and "Dr." may be none. */
const SURE_CLAUSE_CHARS = 3;
/** At once: voices refuse more than some four thousand. */
const LONGEST_CHARS = 2000;

/**
 * How much of an answer that is still being written can be said now: up to the last end of a sentence or clause, or, where
 * that is far away, of a word. Of one that is done all, but no more at once than a voice takes.
 * @param from where the part that was not said yet begins
 * @returns the index to say up to; `from` where it is better to wait
 */
export function speakableTo(text: string, from: number, done: boolean): number {
  const to = done ? text.length : clauseEnd(text, from);
  return to - from > LONGEST_CHARS ? from + partEnd(text.slice(from, from + LONGEST_CHARS)) : to;
}

/** Whether there is anything in it for a voice, which refuses a smile, or dots. */
export function isSpeakable(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

/** Where a part ends that had to be cut: behind its last sentence, or word; in the middle of what is neither. */
function partEnd(part: string): number {
  const sentence = [...part.matchAll(/[.!?…\n]["'”’)]*(?=\s)|[。！？][」』]*/g)].at(-1);
  if (sentence) return sentence.index + sentence[0].length;
  const space = part.lastIndexOf(' ');
  if (space > 0) return space;
  // Not between the halves of a character.
  return /[\uD800-\uDBFF]$/.test(part) ? part.length - 1 : part.length;
}

function clauseEnd(text: string, from: number): number {
  const rest = text.slice(from);
  // A mark at the very end may be the point of "3.5": what follows tells. Of scripts that put no spaces, the mark does.
  const ends = [...rest.matchAll(/[.!?…:;,\n](?=["'”’)]*\s)|[。！？，、；：]/g)].map(({ index }) => index + 1);
  const last = ends.at(-1);
  const least = last !== undefined && /[,!?。！？，、]/.test(rest[last - 1]!) ? SURE_CLAUSE_CHARS : FIRST_CLAUSE_CHARS;
  if (last !== undefined && rest.slice(0, last).trim().length >= least) {
    const closing = /^["'”’)」』]*/.exec(rest.slice(last))![0].length;
    return from + last + closing;
  }
  if (rest.length < (from === 0 ? FIRST_CHARS : LATER_CHARS)) return from;
  const space = rest.lastIndexOf(' ');
  return space > 0 ? from + space : from;
}
