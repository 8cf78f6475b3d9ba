import { VOCABULARY_SIZE } from '../content/words.js';

/** A word that the model heard and has no name for. */
export function UnknownWord() {
  return (
    <span className="unknown" title={`A word outside the ${VOCABULARY_SIZE} that Nano knows`}>
      <span aria-hidden="true">▢ unknown</span>
      <span className="sr-only">unknown word</span>
    </span>
  );
}
