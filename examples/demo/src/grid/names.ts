import type { Floor } from '@microturn/sdk';
import type { Mark } from './grid.js';

/** What the floor classes mean to somebody who has not read the design. */
export const floorNames: Readonly<Record<Floor, { readonly short: string; readonly meaning: string }>> = {
  silent: { short: 'silent', meaning: 'nobody is talking to it' },
  speaking: { short: 'speaking', meaning: 'you are in the middle of saying something' },
  holding: { short: 'holding', meaning: 'you paused, and have not finished' },
  correcting: { short: 'correcting', meaning: 'you are correcting yourself' },
  yielded: { short: 'yielded', meaning: 'you finished: it may speak' },
  'barge-in': { short: 'barge-in', meaning: 'you are talking over it to stop it' },
  backchannel: { short: 'backchannel', meaning: '“uh-huh”: you agree, and it goes on' },
  elsewhere: { short: 'elsewhere', meaning: 'you are talking to somebody else' },
};

/** Where the link was lost, and nothing is known. */
export const noLine = { short: 'no line', meaning: 'the line was lost: what was decided never came' };

/** Those that every model knows; the others are explained once they were seen. */
export const commonFloors: readonly Floor[] = ['silent', 'speaking', 'holding', 'yielded', 'barge-in', 'backchannel'];

export const markNames: Readonly<
  Record<Mark['kind'], { readonly label: string; readonly taken: string; readonly kept: string }>
> = {
  'barge-in': {
    label: 'barge-in',
    taken: 'you interrupted, and it stopped',
    kept: 'you talked over it, and it went on',
  },
  backchannel: { label: 'backchannel', taken: 'you agreed', kept: 'you agreed, and it went on' },
  interjection: {
    label: 'interjection',
    taken: 'it spoke while you were speaking',
    kept: 'it would have spoken while you were speaking',
  },
  stop: { label: 'stopped', taken: 'you stopped it from this page', kept: 'you stopped it from this page' },
};
