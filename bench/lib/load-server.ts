import type { SessionEvent } from '@microturn/protocol';
import { SeededRandom } from '../../test/support/random.js';
import { answerRequests } from './helper-process.js';
import type { LoadReport, LoadRequest, TurnLag } from './load-messages.js';
import { NodeCaller } from './node-caller.js';

const MICRO_TURN_MS = 200;
const FRAME = 480;

/** Answers the benchmark's process. */
export function serve(): void {
  const callers: NodeCaller[] = [];
  const microphone = new Microphone();
  let lags: TurnLag[] = [];
  let sentence = 0;

  const onEvent = (event: SessionEvent) => {
    // `stats` is sent from the decision of a micro-turn, on main.
    if (event.type !== 'stats') return;
    const { at, turnLagMs: engineMs, stepMs } = event;
    // Main has the decision after the engine made it: how long after, the 200 ms grid tells.
    const toMainMs = (at - engineMs + MICRO_TURN_MS) % MICRO_TURN_MS;
    lags.push({ mainMs: engineMs + toMainMs, engineMs, stepMs });
  };

  async function handle(request: LoadRequest): Promise<LoadReport | undefined> {
    switch (request.do) {
      case 'join':
        for (const token of request.tokens) {
          const caller = await NodeCaller.join({ url: request.url, token, onEvent });
          callers.push(caller);
          microphone.add(caller);
        }
        return undefined;
      case 'say':
        await Promise.all(callers.map((caller) => caller.say(`This is sentence number ${++sentence} of the call.`)));
        return undefined;
      case 'ask':
        for (let i = 0; i < request.tasks; i++)
          await Promise.all(callers.map((caller) => caller.ask(`${request.words} ${i}?`)));
        return undefined;
      case 'cancel':
        await Promise.all(callers.map((caller) => caller.cancelTasks()));
        return undefined;
      case 'collect': {
        const report = { lags, heardPeak: Math.max(0, ...callers.map(({ heardPeak }) => heardPeak)) };
        lags = [];
        return report;
      }
      case 'leave':
        for (const caller of callers.splice(0)) caller.leave();
        return undefined;
      default:
        return request satisfies never;
    }
  }

  answerRequests(handle);
}

/** Every caller talks all the time: noise in syllables, each with a place of its own in it. */
class Microphone {
  readonly #sound = syllables();
  readonly #callers: { caller: NodeCaller; at: number }[] = [];
  readonly #startMs = performance.now();
  #frames = 0;

  constructor() {
    setInterval(() => this.#catchUp(), 10);
  }

  add(caller: NodeCaller): void {
    this.#callers.push({ caller, at: (this.#callers.length * 7_919 * FRAME) % this.#sound.length });
  }

  /** By the clock and not by the timer, which comes late on a busy machine. */
  #catchUp(): void {
    const due = Math.floor((performance.now() - this.#startMs) / 10);
    for (; this.#frames < due; this.#frames++) {
      for (const place of this.#callers) {
        // A copy: the library keeps what it is given.
        place.caller.feed(this.#sound.slice(place.at, place.at + FRAME));
        place.at = (place.at + FRAME) % this.#sound.length;
      }
    }
  }
}

/** 10 s at 48 kHz. */
function syllables(): Int16Array {
  const random = new SeededRandom(11);
  const pcm = new Int16Array(480_000);
  let smooth = 0;
  for (let i = 0; i < pcm.length; i++) {
    smooth += (random.next() * 2 - 1 - smooth) * 0.15;
    pcm[i] = smooth * 12_000 * Math.max(0, Math.sin((i / 48_000) * 2 * Math.PI * 4));
  }
  return pcm;
}
