import type { TurnDescription } from './describe-turn.js';
import { UnknownWord } from '../transcript/unknown-word.js';

/** One micro-turn in words; without one, how to ask for it. */
export function TurnDetail({ turn, pinned }: { readonly turn: TurnDescription | undefined; readonly pinned: boolean }) {
  if (!turn) {
    return (
      <p className="detail detail-hint">
        <span className="by-pointer">Point at a column to read it, click to hold it.</span>
        <span className="by-pointer if-wide">
          With the keyboard: tab to the grid, then <kbd>←</kbd> <kbd>→</kbd>
        </span>
        <span className="by-touch">Touch a column to read it.</span>
      </p>
    );
  }
  return (
    <p className="detail">
      <span className="detail-time">{turn.time}</span>
      <span className="detail-part">
        micro-turn <b>{turn.turn}</b>
      </span>
      <span className="detail-part">
        floor <b>{turn.floor}</b>
        {turn.confidence && <span className="detail-quiet"> {turn.confidence}</span>}
      </span>
      {turn.you.length > 0 && (
        <span className="detail-part" data-ink="you">
          you{' '}
          {turn.you.map((word, index) => (
            <b key={index}>{word.unknown ? <UnknownWord /> : word.text} </b>
          ))}
        </span>
      )}
      {turn.agent.length > 0 && (
        <span className="detail-part" data-ink="agent">
          agent{' '}
          {turn.agent.map((word, index) => (
            <b key={index} data-fate={word.fate}>
              {word.text}{' '}
            </b>
          ))}
          <span className="detail-quiet">
            {turn.agent.every(({ fate }) => fate === 'heard')
              ? 'heard'
              : turn.agent.some(({ fate }) => fate === 'unheard')
                ? 'not heard'
                : 'on its way'}
          </span>
        </span>
      )}
      {turn.marks.map((mark) => (
        <span className="detail-part" key={mark}>
          {mark}
        </span>
      ))}
      {pinned && (
        <span className="detail-part detail-quiet">
          held; <kbd>Esc</kbd> lets go
        </span>
      )}
    </p>
  );
}
