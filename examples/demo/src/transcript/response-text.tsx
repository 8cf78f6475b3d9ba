import type { AgentResponse, AgentWord, ResponseKind } from '@microturn/sdk';
import { memo } from 'react';
import { formatSeconds } from '../shell/format.js';

const endings: Readonly<Record<NonNullable<AgentResponse['interruptedBy']>, string>> = {
  user: 'you stopped it',
  client: 'stopped from this page',
  agent: 'it stopped itself',
};

/** What it does in saying so. */
const kindNames: Readonly<Record<ResponseKind, string>> = {
  reply: 'answers',
  interjection: 'joins in',
  backchannel: 'agrees',
  proactive: 'speaks up',
  relay: 'looked up',
};

export interface ResponseTextProps {
  readonly response: AgentResponse;
  /** What was asked, where it says what was looked up. */
  readonly question?: string | undefined;
  /** What it says was called off. */
  readonly isCalledOff?: boolean;
}

/** What the agent said: what was heard, what is on its way, and what never was. */
export const ResponseText = memo(function ResponseText({ response, question, isCalledOff }: ResponseTextProps) {
  const { kind, status, words, heardMs, interruptedBy } = response;
  const over = status !== 'speaking';
  return (
    <p className="entry" data-speaker="agent" data-status={status} data-kind={kind}>
      <span className="kind">
        {kindNames[kind]}
        {question && <> “{question}”:</>}
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
          {endingOf(interruptedBy, isCalledOff)}; {formatSeconds(heardMs)} heard
        </span>
      )}
    </p>
  );
});

/** The edge stops what is called off: to the listener, that was not the agent’s own doing. */
function endingOf(by: AgentResponse['interruptedBy'], isCalledOff = false): string {
  if (by === 'agent' && isCalledOff) return 'called off';
  return by ? endings[by] : 'cut off';
}

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
