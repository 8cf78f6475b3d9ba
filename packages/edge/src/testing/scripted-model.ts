import { MicroturnError } from '@microturn/protocol';
import { monotonicClock, type Clock } from '../clock.js';
import type {
  Decision,
  InteractionModel,
  InteractionStream,
  LeaseId,
  MicroTurn,
  ModelInfo,
  Perceived,
  StreamOptions,
} from '../engine/types.js';

/** What a script decides in one micro-turn. What it leaves out is silence. */
export type ScriptedDecision = Partial<Pick<Decision, 'words' | 'floor' | 'confidence' | 'say' | 'acts'>>;
/** Decisions by index of the micro-turn, or a function of the micro-turn itself. */
export type Script = Readonly<Record<number, ScriptedDecision>> | ((turn: MicroTurn) => ScriptedDecision | undefined);

export interface ScriptedModelOptions {
  readonly script?: Script;
  readonly info?: Partial<ModelInfo>;
  /** Rows that can be open at once, 8 by default. */
  readonly rows?: number;
  readonly clock?: Clock;
}

interface Stream {
  readonly lease: LeaseId;
  readonly onDecision: (decision: Decision) => void;
  readonly onFailed: ((error: MicroturnError) => void) | undefined;
}

/**
 * An interaction model that decides what it was told to: the fake to test sessions and apps against.
 *
 *     new ScriptedModel({ script: { 4: { floor: 'yielded', say: 'hello' } } })
 */
export class ScriptedModel implements InteractionModel {
  readonly info: ModelInfo;
  readonly rows: number;
  /** Every micro-turn that was pushed, in order. */
  readonly turns: MicroTurn[] = [];
  /** What it was told besides, and to which lease. */
  readonly perceived: { readonly lease: LeaseId; readonly perceived: Perceived }[] = [];
  readonly #script: Script;
  readonly #clock: Clock;
  readonly #open = new Map<LeaseId, Stream>();
  #closed = false;

  constructor({ script = {}, info, rows = 8, clock = monotonicClock }: ScriptedModelOptions = {}) {
    this.info = { name: 'scripted', version: '0', microTurnMs: 200, inputHz: 16_000, capabilities: [], ...info };
    this.rows = rows;
    this.#script = script;
    this.#clock = clock;
  }

  open(lease: LeaseId, onDecision: (decision: Decision) => void, { onFailed }: StreamOptions = {}): InteractionStream {
    if (this.#closed) throw new MicroturnError('engine/failed', 'the model is closed');
    if (this.#open.has(lease)) throw new RangeError(`lease ${lease} is open already`);
    if (this.#open.size === this.rows) throw new MicroturnError('edge/full', `${this.rows} of ${this.rows}`);
    const stream: Stream = { lease, onDecision, onFailed };
    this.#open.set(lease, stream);
    return {
      push: (turn) => this.#push(stream, turn),
      perceive: (perceived) => {
        if (this.#isOpen(stream)) this.perceived.push({ lease, perceived });
      },
      close: () => {
        if (this.#isOpen(stream)) this.#open.delete(lease);
      },
    };
  }

  /** Gives a stream up, as a model does that has no usable outputs for it. */
  fail(lease: LeaseId, error = new MicroturnError('engine/failed', 'as scripted')): void {
    const stream = this.#open.get(lease);
    this.#open.delete(lease);
    stream?.onFailed?.(error);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#open.clear();
  }

  #push(stream: Stream, turn: MicroTurn): void {
    if (!this.#isOpen(stream)) throw new MicroturnError('engine/failed', 'the stream is closed');
    const samples = (this.info.microTurnMs * this.info.inputHz) / 1000;
    if (turn.pcm.length !== samples) {
      throw new RangeError(`pcm must hold one micro-turn of ${samples} samples, got ${turn.pcm.length}`);
    }
    this.turns.push(turn);
    // As with a real model, the decision is not there yet when `push` returns.
    queueMicrotask(() => {
      if (!this.#isOpen(stream)) return;
      const { words = [], floor = 'silent', confidence = 1, say = '', acts = [] } = this.#scripted(turn) ?? {};
      const lagMs = this.#clock.now() - turn.dueMs;
      stream.onDecision({
        lease: turn.lease,
        index: turn.index,
        words,
        floor,
        confidence,
        say,
        acts,
        stepMs: 0,
        lagMs,
      });
    });
  }

  #isOpen(stream: Stream): boolean {
    return this.#open.get(stream.lease) === stream;
  }

  #scripted(turn: MicroTurn): ScriptedDecision | undefined {
    return typeof this.#script === 'function' ? this.#script(turn) : this.#script[turn.index];
  }
}
