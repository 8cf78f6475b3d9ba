import type { AgentResponse, AgentWord } from '@microturn/sdk';
import { memo } from 'react';
import { formatSeconds } from '../shell/format.js';

const endings: Readonly<Record<NonNullable<AgentResponse['interruptedBy']>, string>> = {
  user: 'you stopped it',
  client: 'stopped from this page',
  agent: 'it stopped itself',
};

/** What the agent said: what was heard, what is on its way, and what never was. */
export const ResponseText = memo(function ResponseText({ response }: { readonly response: AgentResponse }) {
  const { kind, status, words, heardMs, interruptedBy } = response;
  const over = status !== 'speaking';
  return (
    <p className="entry" data-speaker="agent" data-status={status}>
      <span className="kind" data-kind={kind}>
        {kind}
      </span>{' '}
      {stretches(words, over).map(({ look, text }, index) =>
        look === 'unheard' ? (
          <del key={index}>{text} </del>
        ) : (
          <span key={index} data-look={look}>
            {text}{' '}
          </span>
        ),
      )}
      {status === 'interrupted' && (
        <span className="cut-note">
          {interruptedBy ? endings[interruptedBy] : 'cut off'}; {formatSeconds(heardMs)} heard
        </span>
      )}
    </p>
  );
});

type Look = 'heard' | 'pending' | 'unheard';

/** Neighbouring words of one look, as one text. */
function stretches(words: readonly AgentWord[], over: boolean): { look: Look; text: string }[] {
  const list: { look: Look; text: string }[] = [];
  for (const word of words) {
    const look: Look = word.heard ? 'heard' : over ? 'unheard' : 'pending';
    const last = list.at(-1);
    if (last?.look === look) last.text += ` ${word.text}`;
    else list.push({ look, text: word.text });
  }
  return list;
}
