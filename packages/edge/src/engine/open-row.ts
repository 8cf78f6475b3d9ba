import type { MicroturnError } from '@microturn/protocol';
import { freshDecoder, type DecoderState } from './decode.js';
import type { HeardTurn } from './heard-turns.js';
import type { Lane } from './lane.js';
import type { Reader } from './reader.js';
import type { RowLease } from './row-pool.js';
import type { Decision, LeaseId, MicroTurn, StreamOptions } from './types.js';

/** One open stream: a row of a lane, for as long as it is leased. */
export interface OpenRow extends Pick<StreamOptions, 'onFailed' | 'onReset'> {
  readonly lease: LeaseId;
  readonly place: RowLease;
  readonly lane: LaneRows;
  /** Its row of the lane. */
  readonly index: number;
  readonly onDecision: (decision: Decision) => void;
  readonly waiting: MicroTurn[];
  readonly reader: Reader;
  /** Those passed over, which no decision was made for yet: decisions come in order. */
  readonly missed: Pick<MicroTurn, 'index' | 'dueMs'>[];
  /** Whether the lane waits for it: not for one that sent nothing last time, such as a call that lost its network. */
  expected: boolean;
  decoder: DecoderState;
  floor: Decision['floor'];
  faults: number;
  /** How far back it went for the faults it has now: to what is kept of it, and then to nothing. */
  wentBack: 'nowhere' | 'kept' | 'nothing';
  /** Its last copy was of this micro-turn. */
  savedIndex: number;
  /** Steps that it still takes alone. */
  probation: number;
  /** It hears again what it has heard; what comes meanwhile waits. */
  replay: Replay | undefined;
}

export interface Replay {
  readonly turns: readonly HeardTurn[];
  readonly sinceMs: number;
  /** Why it was set back. */
  readonly cause: MicroturnError;
  /** Of `turns`. */
  next: number;
  heard: number;
  /** It takes too long, and leaves some out. */
  hurried: boolean;
}

export interface LaneRows {
  /** Of the model's rows. */
  readonly first: number;
  lane: Lane;
  /** By row of the lane. */
  readonly rows: Map<number, OpenRow>;
  /** Calls off the wait for the other rows. */
  stopWaiting: (() => void) | undefined;
  ready: boolean;
}

export function openRow(
  given: Pick<
    OpenRow,
    'lease' | 'place' | 'lane' | 'index' | 'onDecision' | 'onFailed' | 'onReset' | 'reader' | 'probation'
  >,
): OpenRow {
  return {
    ...given,
    waiting: [],
    missed: [],
    expected: true,
    decoder: freshDecoder,
    floor: 'silent',
    faults: 0,
    wentBack: 'nowhere',
    savedIndex: -Infinity,
    replay: undefined,
  };
}
