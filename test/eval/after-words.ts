import type { Figure, Heard } from './heard.js';
import { FALSE_YIELDS, MEDIAN_GAP, TURN_TAKEN, turnTaking } from './measures.js';
import type { Session, SessionEvent, SpokenWord } from './test-sets.js';

const MEASURES: ReadonlySet<string> = new Set([FALSE_YIELDS, TURN_TAKEN, MEDIAN_GAP]);

/**
 * Pauses and ends by the last word before them: what follows a word outside of `vocabulary` has to be told by its sound alone. A
 * listener without a vocabulary is held against the same halves.
 */
export function afterWords(heard: readonly Heard[], vocabulary: ReadonlySet<string>): Figure[] {
  const isKnown = ({ written }: SpokenWord) => vocabulary.has(written);
  const halves = [
    { name: 'after a word that it knows', fits: isKnown },
    { name: 'after one that it does not know', fits: (word: SpokenWord) => !isKnown(word) },
  ];
  return halves.flatMap(({ name, fits }) =>
    turnTaking(heard.map((one) => ({ ...one, session: onlyAfter(one.session, fits) })))
      .filter(({ measure }) => MEASURES.has(measure))
      .map((figure) => ({
        ...figure,
        suite: 'speech that it has no words for',
        measure: `${figure.measure}, ${name}`,
      })),
  );
}

/** Of a session the pauses and the ends whose last word fits. */
function onlyAfter(session: Session, fits: (word: SpokenWord) => boolean): Session {
  const events = session.events.filter(({ kind, start }) => {
    const last = kind === 'hold' || kind === 'yield' ? lastWord(session, start) : undefined;
    return last !== undefined && fits(last);
  });
  return { ...session, events };
}

function lastWord({ words }: Session, before: SessionEvent['start']): SpokenWord | undefined {
  const said = words.filter(({ end }) => end <= before + 0.01);
  return said.reduce<SpokenWord | undefined>((last, word) => (last && last.end > word.end ? last : word), undefined);
}
