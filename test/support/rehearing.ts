import type { Decision, InteractionModel, InteractionStream, Mark } from '../../packages/edge/src/engine/types.js';
import { turnOf } from '../eval/test-sets.js';

/** What a recording is heard by: the decisions of a bundle that was told nothing, and the bundle to hear it again. */
interface Recorded {
  /** 16 kHz. */
  readonly mic: Int16Array;
  readonly decisions: readonly Decision[];
  readonly model: InteractionModel;
  /** Of no other stream of `model` that is open. */
  readonly lease: number;
}

/** A recording's decisions one by one, of a bundle that may be told meanwhile that a draft waits: then it hears the recording again, to there and on. */
export class Rehearing {
  readonly #recorded: Recorded;
  #stream: InteractionStream | undefined;
  #told: Mark[] = [];
  #next = 0;
  #decided: (decision: Decision) => void = () => {};

  constructor(recorded: Recorded) {
    this.#recorded = recorded;
  }
  /** Is known to the micro-turns that are decided from now on. */
  tell(mark: Mark): void {
    this.#told.push(mark);
  }
  /** @param index each once, and in order */
  async decide(index: number): Promise<Decision> {
    const { decisions, model, lease } = this.#recorded;
    if (!this.#stream && this.#told.length === 0) return decisions[index]!;
    this.#stream ??= model.open(lease, (decision) => this.#decided(decision));
    while (this.#next < index) await this.#step(this.#stream);
    for (const mark of this.#told.splice(0)) this.#stream.perceive({ type: 'mark', mark });
    // How long this machine took is not what the recording was decided in.
    const { stepMs, lagMs } = decisions[index]!;
    return { ...(await this.#step(this.#stream)), stepMs, lagMs };
  }
  close(): void {
    this.#stream?.close();
  }

  async #step(stream: InteractionStream): Promise<Decision> {
    const index = this.#next++;
    const decided = new Promise<Decision>((resolve) => (this.#decided = resolve));
    const { mic, lease } = this.#recorded;
    stream.push({ lease, index, pcm: turnOf(mic, index), play: 0, lost: 0, dueMs: 0 });
    return decided;
  }
}
