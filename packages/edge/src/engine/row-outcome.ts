import { MicroturnError } from '@microturn/protocol';
import { decode, undecided } from './decode.js';
import type { RowResult } from './lane-io.js';
import type { Manifest } from './manifest.js';
import type { OpenRow } from './open-row.js';
import type { Punctuality } from './punctuality.js';
import type { RowRecovery } from './row-recovery.js';
import type { Decision, MicroTurn } from './types.js';

/** Bad steps of one row, one after the other, after which it goes back to what is kept of it, then to nothing. */
const MAX_FAULTS = 3;
/** Sound steps that a row takes alone after its thread ended in one of its steps. */
export const PROBATION_STEPS = 5;

type StepTimes = Pick<Decision, 'stepMs' | 'stepRows' | 'lagMs'>;

export interface RowOutcomeParts {
  readonly manifest: Manifest;
  readonly recovery: RowRecovery;
  readonly punctuality: Punctuality;
  /** Nothing that a row could remember helped. */
  readonly giveUp: (row: OpenRow) => void;
}

/** What comes of a micro-turn: a decision in any case, and for a row whose steps are bad, what is done about it. */
export class RowOutcome {
  readonly #manifest: Manifest;
  readonly #recovery: RowRecovery;
  readonly #punctuality: Punctuality;
  readonly #giveUp: RowOutcomeParts['giveUp'];

  constructor({ manifest, recovery, punctuality, giveUp }: RowOutcomeParts) {
    this.#manifest = manifest;
    this.#recovery = recovery;
    this.#punctuality = punctuality;
    this.#giveUp = giveUp;
  }

  /** A micro-turn that was passed over keeps its index, and is decided as silence: the grid never shifts. */
  concealMissed(row: OpenRow, beforeIndex: number, nowMs: number): void {
    while (row.missed.length > 0 && row.missed[0]!.index < beforeIndex) {
      const { index, dueMs } = row.missed.shift()!;
      const lagMs = this.#punctuality.lag(nowMs - dueMs);
      row.onDecision({ lease: row.lease, index, ...undecided(row.floor), stepMs: 0, lagMs });
    }
  }

  deliver(row: OpenRow, turn: MicroTurn, { outputs, cause }: RowResult, times: StepTimes): void {
    const { lease } = row;
    const { index } = turn;
    if (outputs) {
      const { decoded, state } = decode(this.#manifest, row.decoder, outputs, turn);
      row.decoder = state;
      row.floor = decoded.floor;
      row.faults = 0;
      row.wentBack = 'nowhere';
      row.probation = Math.max(0, row.probation - 1);
      row.onDecision({ lease, index, ...decoded, ...times });
      this.#recovery.keep(row, turn);
      return;
    }
    this.#punctuality.muted++;
    row.faults++;
    row.onDecision({ lease, index, ...undecided(row.floor), ...times, muted: true });
    if (row.faults === MAX_FAULTS) this.#goBack(row, cause);
  }

  /** Its numbers are not usable: perhaps those that it remembers are not either, and then nothing it could remember. */
  #goBack(row: OpenRow, cause: unknown): void {
    const error = new MicroturnError('engine/failed', `${MAX_FAULTS} steps in a row gave no usable numbers`, { cause });
    row.faults = 0;
    if (row.wentBack === 'nowhere') {
      row.wentBack = this.#recovery.goBack(row, error);
    } else if (row.wentBack === 'kept') {
      row.wentBack = 'nothing';
      this.#recovery.forget(row, error);
    } else {
      this.#giveUp(row);
      row.onFailed?.(error);
    }
  }
}
