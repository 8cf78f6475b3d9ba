import type { Act, ModelInfo } from '../engine/types.js';
import type { SessionEngine, SessionRow } from '../session/index.js';
import { CompositeRow, type CompositeParts } from './composite-row.js';

/** Any LLM behind a floor bundle, as a session sees it: an engine like any other. */
export class CompositeEngine implements SessionEngine {
  /** What an LLM answers is asked for and paid for, and as good a while later. */
  readonly repliesKeep = true;
  readonly #floor: SessionEngine;
  readonly #parts: CompositeParts;

  constructor(floor: SessionEngine, parts: CompositeParts) {
    this.#floor = floor;
    this.#parts = parts;
  }
  /** It answers what is said: no utterance becomes a task by a rule. */
  get info(): ModelInfo {
    const { info } = this.#floor;
    return {
      ...info,
      acts: [...new Set<Act>([...(info.acts ?? []), 'delegate'])],
      delegate: undefined,
      tellsUtterances: this.#parts.transcriber !== undefined,
    };
  }
  /** @throws {MicroturnError} as the floor's engine does */
  assertRoom(): void {
    this.#floor.assertRoom();
  }
  /** @throws {MicroturnError} as the floor's engine does */
  lease(...[onDecision, onFailed, onReset, outlet]: Parameters<SessionEngine['lease']>): SessionRow {
    return new CompositeRow(this.#parts, this.#floor, { onDecision, onFailed, onReset, outlet });
  }
}
