import type { ConnectionStatus, Floor } from '@microturn/sdk';

/** Who a word of the headline is about: it is set in their ink. */
export type Ink = 'you' | 'agent' | 'plain';

export interface Statement {
  readonly parts: readonly (readonly [text: string, ink: Ink])[];
  /** What it means, or what to do. */
  readonly aside: string;
}

/** Who speaks in the call: this page's user, or nobody, or somebody in a recording. */
export type Caller = 'live' | 'muted' | 'silenced' | 'absent' | 'recorded';

export interface Situation {
  readonly status: ConnectionStatus;
  /** A call was had, and is over. */
  readonly ended: boolean;
  readonly floor: Floor;
  readonly agentSpeaks: boolean;
  readonly caller: Caller;
}

type Part = Statement['parts'][number];
const you: Part = ['You', 'you'];
const it: Part = ['It', 'agent'];
const plain = (text: string): Part => [text, 'plain'];

function line(aside: string, ...parts: Part[]): Statement {
  return { parts, aside };
}

/** What is going on in the call, as one line of plain words. */
export function stateOf({ status, ended, floor, agentSpeaks, caller }: Situation): Statement {
  switch (status) {
    case 'idle':
      return ended ? over(caller) : welcome();
    case 'requesting-media':
      return line('The browser asks for it, near the address bar.', plain('Allow the microphone.'));
    case 'connecting':
      return line('Joining the call.', plain('Connecting…'));
    case 'reconnecting':
      // As long as an edge keeps a call, unless it is told another `resumeSeconds`.
      return line('The line dropped. The page tries again for up to two minutes.', plain('Reconnecting…'));
    case 'closing':
      return line('', plain('Hanging up…'));
    case 'closed':
      return over(caller);
    case 'failed':
      return line('', plain('The call did not work.'));
    case 'connected':
      return agentSpeaks ? overlap(floor, caller) : quiet(floor, caller);
    default:
      return status satisfies never;
  }
}

function welcome(): Statement {
  return line(
    'Five times a second the model decides whether to listen, speak, wait or stop. No voice detector decides for it.',
    it,
    plain(' listens while it speaks.'),
  );
}

function over(caller: Caller): Statement {
  return caller === 'recorded'
    ? line('Play it again, or talk to it yourself.', plain('The recording has ended.'))
    : line('What was said stays on the page until you start again.', plain('The call has ended.'));
}

function overlap(floor: Floor, caller: Caller): Statement {
  switch (floor) {
    case 'speaking':
    case 'correcting':
    case 'holding':
      return line('Both at once: it goes on hearing you.', you, plain(' are both '), ['speaking.', 'agent']);
    case 'barge-in':
      return line('You are taking the floor: it should stop.', you, plain(' are interrupting '), ['it.', 'agent']);
    case 'backchannel':
      return line('It hears that you only agree.', you, plain(' agree; '), ['it', 'agent'], plain(' goes on.'));
    case 'silent':
    case 'yielded':
    case 'elsewhere':
      return line(whileItSpeaks(caller), it, plain(' is speaking.'));
    default:
      return floor satisfies never;
  }
}

function whileItSpeaks(caller: Caller): string {
  switch (caller) {
    case 'live':
      return 'It still hears you: say “wait, stop”, or “uh-huh”.';
    case 'muted':
      return 'You are muted, so it cannot hear you interrupt.';
    case 'silenced':
      return 'Something has silenced your microphone, so it cannot hear you interrupt.';
    case 'absent':
      return 'With a microphone you could interrupt it.';
    case 'recorded':
      return 'It goes on hearing, while it speaks.';
    default:
      return caller satisfies never;
  }
}

function quiet(floor: Floor, caller: Caller): Statement {
  if (caller === 'absent')
    return line('You joined without a microphone. Make it say something.', it, plain(' is here.'));
  if (caller === 'muted') return line('It hears silence. Press M to be heard again.', you, plain(' are muted.'));
  if (caller === 'silenced')
    return line(
      'The system, the browser or a switch on it did that.',
      ['Your microphone', 'you'],
      plain(' is silenced.'),
    );
  switch (floor) {
    case 'speaking':
      return line('It may speak while you do, where it has something to add.', you, plain(' are speaking.'));
    case 'correcting':
      return line('It takes the second version.', you, plain(' are correcting yourself.'));
    case 'holding':
      return line(
        'It believes that you have not finished.',
        you,
        plain(' paused; '),
        ['it', 'agent'],
        plain(' waits.'),
      );
    case 'yielded':
      return line('It may speak now, if it has something to say.', you, plain(' finished.'));
    case 'barge-in':
      return line('It stopped for you.', you, plain(' have the floor.'));
    case 'backchannel':
      return line('It heard “uh-huh”.', you, plain(' agreed.'));
    case 'elsewhere':
      return line('It believes that this is not for it.', you, plain(' are talking to somebody else.'));
    case 'silent':
      return line(
        caller === 'live' ? 'Say something: sentences to try are on this page.' : 'It hears silence too.',
        it,
        plain(' is listening.'),
      );
    default:
      return floor satisfies never;
  }
}
