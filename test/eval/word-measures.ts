import { secondsOf, type Figure, type Heard } from './measures.js';
import { share } from './share.js';
import type { HeardWord } from './track.js';

/** A word counts from a little before its end to this long after it. */
const WORD_EARLY_SECONDS = 0.18;
const WORD_LATE_SECONDS = 0.5;

/** Words of `vocabulary`, each in time. The interval is that of recall and precision pooled. */
export function words(heard: readonly Heard[], vocabulary: ReadonlySet<string>, name: string): Figure[] {
  let [hits, misses, inTime] = [0, 0, 0];
  let extra = 0;
  for (const { session, track } of heard) {
    const limit = secondsOf(session) - WORD_LATE_SECONDS - 0.12;
    const left: HeardWord[] = track.words.filter(({ text }) => vocabulary.has(text));
    for (const { written, end } of session.words) {
      if (!vocabulary.has(written) || end > limit) continue;
      const at = left.findIndex(
        (word) => word.text === written && word.end - end >= -WORD_EARLY_SECONDS && word.end - end <= WORD_LATE_SECONDS,
      );
      if (at < 0) misses++;
      else {
        hits++;
        if (left[at]!.known - end <= 0.4) inTime++;
        left.splice(at, 1);
      }
    }
    extra += left.filter(({ end }) => end < limit).length;
  }
  const suite = 'words';
  return [
    { suite, measure: `${name}, F1`, unit: 'share', better: 'higher', ...share(2 * hits, 2 * hits + extra + misses) },
    { suite, measure: `${name}, known within 0.4 s`, unit: 'share', better: 'higher', ...share(inTime, hits) },
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
