/** Where nothing better ends: an answer is begun with this many characters, and goes on with more. */
const FIRST_CHARS = 28;
const LATER_CHARS = 90;
const FIRST_CLAUSE_CHARS = 6;
/** "Yes," is a clause, and "Dr." may be none. */
const SURE_CLAUSE_CHARS = 3;

/**
 * How much of an answer that is still being written can be said now: up to the last end of a sentence or clause, or, where
 * that is far away, of a word.
 * @param from where the part that was not said yet begins
 * @returns the index to say up to; `from` where it is better to wait
 */
export function speakableTo(text: string, from: number, done: boolean): number {
  if (done) return text.length;
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
