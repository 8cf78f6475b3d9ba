import type { AgentState, ConnectionStatus, Floor } from '@microturn/sdk';

/** Who a word of the headline is about: it is set in their ink. */
export type Ink = 'you' | 'agent' | 'plain';

export interface Statement {
  readonly parts: readonly (readonly [text: string, ink: Ink])[];
  /** What it means, or what to do. */
  readonly aside: string;
}

export interface Situation {
  readonly status: ConnectionStatus;
  readonly floor: Floor;
  readonly agent: Pick<AgentState, 'speaking'>;
  readonly muted: boolean;
  /** False where the page joined to listen only. */
  readonly microphone: boolean;
}

const line = (aside: string, ...parts: readonly (readonly [string, Ink])[]): Statement => ({ parts, aside });

/** What is going on in the call, as one line of plain words. */
export function stateOf({ status, floor, agent, muted, microphone }: Situation): Statement {
  switch (status) {
    case 'idle':
      return line(
        'Five times a second the model decides whether to listen, speak, wait or stop. No voice detector and no timer decides for it.',
        ['It', 'agent'],
        [' listens while it speaks.', 'plain'],
      );
    case 'requesting-media':
      return line('The browser asks for it, near the address bar.', ['Allow the microphone.', 'plain']);
    case 'connecting':
      return line('Joining the call.', ['Connecting…', 'plain']);
    case 'reconnecting':
      return line('The line dropped. The page is trying to get it back.', ['Reconnecting…', 'plain']);
    case 'closing':
      return line('', ['Hanging up…', 'plain']);
    case 'closed':
      return line('What was said stays on the page until you start again.', ['The call has ended.', 'plain']);
    case 'failed':
      return line('', ['The call did not work.', 'plain']);
    case 'connected':
      return agent.speaking ? overlap(floor, muted || !microphone) : quiet(floor, muted, microphone);
    default:
      return status satisfies never;
  }
}

function overlap(floor: Floor, deaf: boolean): Statement {
  switch (floor) {
    case 'speaking':
    case 'correcting':
    case 'holding':
      return line('Both at once: it goes on hearing you.', ['You', 'you'], [' are both ', 'plain'], ['speaking.', 'agent']);
    case 'barge-in':
      return line('You are taking the floor: it should stop.', ['You', 'you'], [' are interrupting ', 'plain'], ['it.', 'agent']);
    case 'backchannel':
      return line('It hears that you only agree, and goes on.', ['You', 'you'], [' agree; ', 'plain'], ['it', 'agent'], [' goes on.', 'plain']);
    case 'silent':
    case 'yielded':
    case 'elsewhere':
      return line(
        deaf ? 'It would hear you, if it could.' : 'It still hears you: say “wait, stop”, or “uh-huh”.',
        ['It', 'agent'],
        [' is speaking.', 'plain'],
      );
    default:
      return floor satisfies never;
  }
}

function quiet(floor: Floor, muted: boolean, microphone: boolean): Statement {
  if (!microphone) return line('You joined without a microphone. Make it say something.', ['It', 'agent'], [' is here.', 'plain']);
  if (muted) return line('It hears silence. Press M to be heard again.', ['You', 'you'], [' are muted.', 'plain']);
  switch (floor) {
    case 'speaking':
      return line('It may speak while you do, where it has something to add.', ['You', 'you'], [' are speaking.', 'plain']);
    case 'correcting':
      return line('It takes the second version.', ['You', 'you'], [' are correcting yourself.', 'plain']);
    case 'holding':
      return line('It believes that you have not finished.', ['You', 'you'], [' paused; ', 'plain'], ['it', 'agent'], [' waits.', 'plain']);
    case 'yielded':
      return line('It may speak now, if it has something to say.', ['You', 'you'], [' finished.', 'plain']);
    case 'barge-in':
      return line('The floor is yours.', ['You', 'you'], [' have the floor.', 'plain']);
    case 'backchannel':
      return line('It heard “uh-huh”.', ['You', 'you'], [' agreed.', 'plain']);
    case 'elsewhere':
      return line('It believes that this is not for it.', ['You', 'you'], [' are talking to somebody else.', 'plain']);
    case 'silent':
      return line('Say something: five sentences to try are on this page.', ['It', 'agent'], [' is listening.', 'plain']);
    default:
      return floor satisfies never;
  }
}
