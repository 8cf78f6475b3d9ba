import { memo } from 'react';
import { suggestions } from '../content/suggestions.js';
import { VOCABULARY_SIZE, vocabulary } from '../content/words.js';
import { formatClock } from '../shell/format.js';
import { useTrials } from './use-trials.js';

/** Sentences to try, what each should bring about, and which of them have. */
export const SuggestionList = memo(function SuggestionList() {
  const trials = useTrials();
  return (
    <section className="suggestions" aria-labelledby="suggestions-title">
      <h2 id="suggestions-title">Sentences to try</h2>
      <ol>
        {suggestions.map(({ id, before, say, outcome, limit, seen = 'It happened, at' }) => {
          const seenMs = trials[id];
          return (
            <li key={id} data-seen={seenMs !== undefined || undefined}>
              <p className="say">
                {before && <span className="before">{before} </span>}
                <q>{say}</q>
              </p>
              <p className="outcome">
                {outcome}
                {limit && <span className="limit"> {limit}</span>}
              </p>
              <p className="seen" aria-live="polite">
                {seenMs !== undefined && `${seen} ${formatClock(seenMs)}.`}
              </p>
            </li>
          );
        })}
      </ol>
      <div className="limits">
        <h3>What to expect</h3>
        <p>
          Nano, the model that ships with Microturn, is small. It knows {VOCABULARY_SIZE} English words and has only
          ever heard synthetic voices, so it may recognise a human voice poorly. Speak clearly and close to the
          microphone, and use headphones, so that it does not hear itself.
        </p>
        <details>
          <summary>The {VOCABULARY_SIZE} words</summary>
          <p>{vocabulary.join(', ')}</p>
        </details>
      </div>
    </section>
  );
});
