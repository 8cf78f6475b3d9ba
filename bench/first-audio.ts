import type { Benchmark, Conditions, Context, Figure } from './lib/benchmark.js';
import { countingCalls } from './lib/counting-calls.js';
import { MeasuredEdge } from './lib/measured-edge.js';
import { median, quantile, round, spread } from './lib/stats.js';
import { TracedCall } from './lib/traced-call.js';

const P50_BUDGET_MS = 120;
const P95_BUDGET_MS = 200;
const PAUSE_MS = 250;
/** Before the first: the browser's audio starts up. */
const SETTLE_MS = 1_500;
/** Opus' own delay at the receiving end, which no path without sound from the future can be shorter than. */
const OPUS_LOOKAHEAD_MS = 6.5;

/**
 * What: from the decision to speak to the first sound in the browser: for what the app says (new sentences, so that each is
 * synthesised), and for words that the model decides (counting; the voice has them ready).
 * How: Chromium on loopback; the first sample of a response above -70 dBFS in the page's recording of the agent's track. The
 * loudspeaker's own delay is not in it. `steps` are medians of the same trials, by probes in the edge's threads.
 * Against: the part of it that is outside the edge, from the first packet sent to sound: network, jitter buffer, decoder.
 */
export const firstAudio: Benchmark = {
  name: 'first-audio',
  about: 'from the decision to speak to the first sound in the browser, p50 and p95',
  async run(context) {
    const said = (await sayCalls(context)).flatMap((call) => trialsOf(call, 'proactive'));
    const counted = (await countingCalls(context)).flatMap((call) => trialsOf(call, undefined));
    return [
      ...figures('decided-to-first-audio, say', said),
      ...figures('decided-to-first-audio, counted word', counted),
    ];
  },
};

async function sayCalls({ quick, note }: Context): Promise<TracedCall[]> {
  const calls: TracedCall[] = [];
  await using edge = await MeasuredEdge.start({ path: true });
  for (let i = 0; i < (quick ? 1 : 3); i++) {
    note(`call ${i + 1}: the app says sentences`);
    calls.push(
      await TracedCall.place(edge, {}, async (caller) => {
        await caller.untilRecorded(SETTLE_MS);
        for (let k = 0; k < (quick ? 4 : 12); k++) {
          const { responseId } = await caller.say(`This is trial ${i * 12 + k + 1}.`);
          await caller.until(
            'end of the response',
            (event) => event.type === 'response.completed' && event.responseId === responseId,
          );
          await caller.untilRecorded((await caller.recordedMs()) + PAUSE_MS + 17 * k);
        }
      }),
    );
  }
  return calls;
}

interface Trial {
  readonly totalMs: number;
  /** Engine to main; 0 where main decided. */
  readonly toMainMs: number;
  readonly voiceMs: number;
  readonly pacingMs: number;
  readonly downlinkMs: number;
}

/** @param kind of responses; all but what the app said where it is undefined */
function trialsOf(call: TracedCall, kind: string | undefined): Trial[] {
  return call.played.flatMap(({ record: { responseId, ...record }, sound }) => {
    if (kind === undefined ? record.kind === 'proactive' : record.kind !== kind) return [];
    const [asked, spoken, sent] = (['speak', 'speech', 'sent'] as const).map((is) => call.passed(is, responseId));
    if (!sound || asked === undefined || spoken === undefined || sent === undefined) return [];
    const decided = kind === undefined ? call.decisionOf(responseId)?.atMs : asked;
    if (decided === undefined) return [];
    const downlinkMs = sound.startMs - call.recordedMs(sent);
    return [
      {
        totalMs: sound.startMs - call.recordedMs(decided),
        toMainMs: asked - decided,
        voiceMs: spoken - asked,
        pacingMs: sent - spoken,
        downlinkMs,
      },
    ];
  });
}

function figures(name: string, trials: readonly Trial[]): Figure[] {
  const all = (part: keyof Trial) => trials.map((trial) => trial[part]);
  const totals = all('totalMs');
  const steps = {
    'engine to main': round(median(all('toMainMs')), 1),
    'main to speech made': round(median(all('voiceMs')), 1),
    'speech to first packet': round(median(all('pacingMs')), 1),
    'packet to sound': round(median(all('downlinkMs')), 1),
  };
  const conditions: Conditions = {
    n: trials.length,
    ms: spread(totals),
    steps,
    voiceMs: spread(all('voiceMs')),
    opusLookaheadMs: OPUS_LOOKAHEAD_MS,
  };
  const figure = (share: number, budget: number): Figure => ({
    name: `${name} p${share * 100}`,
    value: round(quantile(totals, share), 1),
    unit: 'ms',
    baseline: { name: `first packet to sound, p${share * 100}`, value: round(quantile(all('downlinkMs'), share), 1) },
    budget,
    conditions,
  });
  return [figure(0.5, P50_BUDGET_MS), figure(0.95, P95_BUDGET_MS)];
}
