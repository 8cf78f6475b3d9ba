import type { UserUtterance } from '@microturn/sdk';
import { memo } from 'react';
import { UnknownWord } from './unknown-word.js';

/** What you said, as the model heard it, or what you typed. */
export const UtteranceText = memo(function UtteranceText({ utterance }: { readonly utterance: UserUtterance }) {
  return (
    <p className="entry" data-speaker="you" data-status={utterance.status}>
      {utterance.typed && (
        <>
          <span className="kind">typed</span> {utterance.text}
        </>
      )}
      {utterance.words.map((word, index) => (
        <span key={index} data-final={word.final}>
          {word.unknown ? <UnknownWord /> : word.text}{' '}
        </span>
      ))}
      {utterance.status === 'partial' && <span className="caret" aria-hidden="true" />}
    </p>
  );
});
