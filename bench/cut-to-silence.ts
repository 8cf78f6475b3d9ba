import { compose, speak } from '../test/fixtures/speech.js';
import { SeededRandom } from '../test/support/random.js';
import type { Benchmark, Context, Figure } from './lib/benchmark.js';
import { MeasuredEdge } from './lib/measured-edge.js';
import { quantile, round, spread } from './lib/stats.js';
import { TracedCall } from './lib/traced-call.js';

const P50_BUDGET_MS = 40;
const P95_BUDGET_MS = 120;
/** Hardly a pause in it: a cut in a pause is silent already. */
const LONG =
  'We were all away in a narrow alley where a lonely owl was whirling around the yellow moon and now and then we are humming along in unison. '.repeat(
    2,
  );
const STOP_EVERY_MS = 6_000;
/** Longer than this before the cut without sound: it fell into a pause, and measures nothing. */
const PAUSE_MS = 30;

/**
 * What: from the decision to stop the agent to its last sound in the browser: stopped by the app (`interrupt()`), and by the
 * model, when the user says "wait, stop".
 * How: Chromium on loopback; the last sample above -70 dBFS in the page's recording of the agent's track. The app's decision
 * is the call of `interrupt()` in the page; the model's is when the edge's main thread cut the response, by a probe.
 * Calls are short: where the machine is too busy for the page's audio, Chromium queues up to 100 ms between the track and the
 * recording and keeps them so, which shows as trials that grow from one to the next (`trials`, in order).
 * Against: what would be heard without muting in the page: the 40 ms that the edge may have sent ahead (its bound).
 */
export const cutToSilence: Benchmark = {
  name: 'cut-to-silence',
  about: 'from the decision to stop the agent to silence in the browser, p50 and p95',
  async run(context) {
    await using edge = await MeasuredEdge.start({ path: true });
    const client = await byClient(edge, context);
    const model = await byModel(edge, context);
    return [...figures('cut-to-silence, interrupt()', client), ...figures('cut-to-silence, "wait, stop"', model)];
  },
};

interface Cuts {
  readonly ms: readonly number[];
  readonly tried: number;
  /** Fell into a pause of the agent's. */
  readonly inPause: number;
}

async function byClient(edge: MeasuredEdge, { quick, note }: Context): Promise<Cuts> {
  const random = new SeededRandom(5);
  const calls = quick ? 1 : 6;
  const perCall = quick ? 4 : 5;
  const all: Cuts[] = [];
  for (let i = 0; i < calls; i++) {
    note(`the app interrupts: call ${i + 1} of ${calls}`);
    const asked = new Map<string, number>();
    const call = await TracedCall.place(edge, {}, async (caller) => {
      await caller.untilRecorded(1_500);
      for (let k = 0; k < perCall; k++) {
        const { responseId } = await caller.say(LONG);
        const started = await caller.until(
          'response',
          (event) => event.type === 'response.started' && event.responseId === responseId,
        );
        await caller.untilRecorded(started.receivedMs + random.integer(900, 1_700));
        const { askedMs } = await caller.interrupt();
        asked.set(responseId, askedMs);
        await caller.untilRecorded(askedMs + 700);
      }
    });
    all.push(cutsOf(call, perCall, (responseId) => asked.get(responseId)));
  }
  return join(all);
}

async function byModel(edge: MeasuredEdge, { quick, note }: Context): Promise<Cuts> {
  const random = new SeededRandom(6);
  const calls = quick ? 1 : 5;
  const perCall = quick ? 2 : 3;
  const all: Cuts[] = [];
  for (let i = 0; i < calls; i++) {
    note(`the user interrupts: call ${i + 1} of ${calls}`);
    const voice = {
      accent: random.pick(['en-us', 'en-gb-x-rp', 'en-gb-scotland'] as const),
      variant: random.pick(['m3', 'f2', 'm7', 'f4'] as const),
      rate: 150,
      pitch: random.integer(35, 65),
    };
    const stop = await speak('Wait, stop.', voice);
    const stopMs = (stop.samples.length * 1000) / stop.rateHz;
    const parts: Parameters<typeof compose>[0][number][] = [];
    for (let k = 0; k < perCall; k++) parts.push(STOP_EVERY_MS - stopMs + random.integer(-150, 150), stop);
    const microphone = compose([...parts, 1_000]);
    const call = await TracedCall.place(edge, { microphone }, async (caller) => {
      for (let k = 0; k < perCall; k++) {
        // The agent is in the middle of a sentence when the user stops it, and silent before the next one.
        await caller.untilRecorded(caller.microphoneMs + (k + 1) * STOP_EVERY_MS - stopMs - 2_500);
        const { responseId } = await caller.say(LONG);
        await caller.untilRecorded(caller.microphoneMs + (k + 1) * STOP_EVERY_MS + 1_200);
        // Not understood, or not yet: out of the way of the next trial.
        const over = caller.events.some(
          (event) => 'responseId' in event && event.responseId === responseId && event.type === 'response.cut',
        );
        if (!over) await caller.interrupt();
      }
    });
    const byUser = new Set(call.played.flatMap(({ record }) => (record.end?.by === 'user' ? [record.responseId] : [])));
    all.push(
      cutsOf(call, perCall, (responseId) => {
        const cut = byUser.has(responseId) ? call.passed('cut', responseId) : undefined;
        return cut === undefined ? undefined : call.recordedMs(cut);
      }),
    );
  }
  return join(all);
}

function join(all: readonly Cuts[]): Cuts {
  const sum = (part: 'tried' | 'inPause') => all.reduce((count, cuts) => count + cuts[part], 0);
  return { ms: all.flatMap(({ ms }) => ms), tried: sum('tried'), inPause: sum('inPause') };
}

function cutsOf(call: TracedCall, tried: number, decidedMs: (responseId: string) => number | undefined): Cuts {
  const ms = call.played.flatMap(({ record: { responseId }, sound }) => {
    const decided = decidedMs(responseId);
    return decided === undefined || !sound ? [] : [sound.endMs - decided];
  });
  const sounding = ms.filter((each) => each > -PAUSE_MS);
  return { ms: sounding, tried, inPause: ms.length - sounding.length };
}

function figures(name: string, { ms, tried, inPause }: Cuts): Figure[] {
  if (ms.length === 0) throw new Error(`${name}: none of ${tried} trials could be measured`);
  const conditions = { n: ms.length, tried, inPause, ms: spread(ms), trials: ms.map((each) => round(each, 0)) };
  const baseline = { name: 'what the edge may have sent ahead', value: 40 };
  return [
    {
      name: `${name} p50`,
      value: round(quantile(ms, 0.5), 1),
      unit: 'ms',
      baseline,
      budget: P50_BUDGET_MS,
      conditions,
    },
    {
      name: `${name} p95`,
      value: round(quantile(ms, 0.95), 1),
      unit: 'ms',
      baseline,
      budget: P95_BUDGET_MS,
      conditions,
    },
  ];
}
