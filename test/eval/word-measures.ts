import { secondsOf, type Figure, type Heard } from './heard.js';
import { Tally } from './share.js';
import type { HeardWord } from './track.js';

/** A word counts from a little before its end to this long after it. */
const WORD_EARLY_SECONDS = 0.18;
const WORD_LATE_SECONDS = 0.5;

/** Words of `vocabulary`, each in time. The interval is that of recall and precision pooled. */
export function words(heard: readonly Heard[], vocabulary: ReadonlySet<string>, name: string): Figure[] {
  const [found, prompt] = [new Tally(), new Tally()];
  for (const { session, track } of heard) {
    const limit = secondsOf(session) - WORD_LATE_SECONDS - 0.12;
    let [hits, misses] = [0, 0];
    const left: HeardWord[] = track.words.filter(({ text }) => vocabulary.has(text));
    for (const { written, end } of session.words) {
      if (!vocabulary.has(written) || end > limit) continue;
      const at = left.findIndex(
        (word) => word.text === written && word.end - end >= -WORD_EARLY_SECONDS && word.end - end <= WORD_LATE_SECONDS,
      );
      if (at < 0) misses++;
      else {
        hits++;
        prompt.add(left[at]!.known - end <= 0.4, session);
        left.splice(at, 1);
      }
    }
    const extra = left.filter(({ end }) => end < limit).length;
    if (hits + misses + extra > 0) found.addAll(2 * hits, 2 * hits + extra + misses, session);
  }
  const suite = 'words';
  return [
    { suite, measure: `${name}, F1`, unit: 'share', better: 'higher', ...found.share },
    { suite, measure: `${name}, known within 0.4 s`, unit: 'share', better: 'higher', ...prompt.share },
  ];
}

/** Words outside of `vocabulary`, each told in time as one that is not known: as `unknown`. */
export function unknownWords(heard: readonly Heard[], vocabulary: ReadonlySet<string>, unknown: string): Figure[] {
  const blurred = heard.map(({ session, ...rest }) => {
    const spoken = session.words.map((word) => (vocabulary.has(word.written) ? word : { ...word, written: unknown }));
    return { ...rest, session: { ...session, words: spoken } };
  });
  return words(blurred, new Set([unknown]), 'those that it does not know, as such');
}
