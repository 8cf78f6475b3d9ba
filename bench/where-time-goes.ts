import { detectSegments } from '../test/call/segments.js';
import type { Benchmark, Figure } from './lib/benchmark.js';
import { countingCalls } from './lib/counting-calls.js';
import { median, quantile, round, spread } from './lib/stats.js';
import type { TracedCall } from './lib/traced-call.js';

const MICRO_TURN_MS = 200;
/** A word's answer comes within this of its end, or is another's. */
const ANSWER_WITHIN_MS = 1_500;
/** The sentence's end, as the probe finds it in a micro-turn. */
const FRAME_MS = 5;
const LOUD_DB = -45;

const steps = [
  'uplink',
  'to the micro-turn’s end',
  'further micro-turns',
  'cut and engine',
  'main',
  'voice',
  'pacing',
  'downlink',
] as const;
type Step = (typeof steps)[number];

/**
 * What: from the last sound that the user makes to the first that the agent makes, and where that time goes.
 * How: the user counts animals, the last word of each sentence being one; the agent answers with its number. Both sounds are
 * in one recording of the page. Between them, by probes in the edge's threads:
 *   uplink                     to where the sound's end stands on the session clock: encoding, network, room for jitter
 *   to the micro-turn's end    of the micro-turn that holds it
 *   further micro-turns        that the model let pass before it spoke: evidence
 *   cut and engine             the tick, the step, the decision
 *   main                       the session, until the voice is asked
 *   voice                      until the speech is made and posted
 *   pacing                     until its first packet has left
 *   downlink                   until its first sound: network, jitter buffer, decoder, the page
 * Against: the least that this path can take, without evidence: half a packet of 20 ms and Opus' 6.5 ms on the way in, half a
 * micro-turn, the step (measured here), nothing for main, voice and pacing, Opus' 6.5 ms and a packet on the way out.
 */
export const whereTimeGoes: Benchmark = {
  name: 'where-time-goes',
  about: 'from the user’s last sound to the agent’s first, step by step',
  async run(context) {
    const calls = await countingCalls(context);
    const trials = calls.flatMap(trialsOf);
    if (trials.length === 0) throw new Error('the agent counted nothing');
    const asked = calls.reduce((sum, call) => sum + Math.max(0, sentenceEnds(call).length - 1), 0);
    const totals = trials.map(({ totalMs }) => totalMs);
    const stepMs = median(calls.flatMap((call) => call.stationsOf('decision').map(({ stepMs }) => stepMs)));
    const floor = {
      name: 'the least this path can take',
      value: round(10 + 6.5 + MICRO_TURN_MS / 2 + stepMs + 6.5 + 20, 1),
    };
    const conditions = { n: trials.length, words: asked, ms: spread(totals) };
    const whole = (share: number): Figure => ({
      name: `end-to-first-sound p${share * 100}`,
      value: round(quantile(totals, share), 1),
      unit: 'ms',
      baseline: floor,
      conditions,
    });
    const parts = steps.map((step): Figure => {
      const ms = trials.map((trial) => trial.steps[step]);
      const baseline = { name: 'of the whole, p50', value: round(quantile(totals, 0.5), 1) };
      return {
        name: `end-to-first-sound, ${step} p50`,
        value: round(median(ms), 1),
        unit: 'ms',
        baseline,
        conditions: { n: ms.length, ms: spread(ms) },
      };
    });
    return [whole(0.5), whole(0.95), ...parts];
  },
};

interface Trial {
  readonly totalMs: number;
  readonly steps: Readonly<Record<Step, number>>;
}

function trialsOf(call: TracedCall): Trial[] {
  const turns = call.stationsOf('turn');
  const ends = sentenceEnds(call);
  return call.played.flatMap(({ record: { responseId }, sound }) => {
    const decision = call.decisionOf(responseId);
    const [asked, spoken, sent] = (['speak', 'speech', 'sent'] as const).map((is) => call.passed(is, responseId));
    if (!sound || !decision || asked === undefined || spoken === undefined || sent === undefined) return [];
    const endMs = ends.findLast((ms) => ms < sound.startMs);
    // The one in front is the request to count.
    if (endMs === undefined || endMs === ends[0] || sound.startMs - endMs > ANSWER_WITHIN_MS) return [];
    const holder = turns.findLast(({ index, soundEndMs }) => soundEndMs !== undefined && index <= decision.index);
    const deciding = turns.find(({ index }) => index === decision.index);
    if (!holder || !deciding) return [];
    const placedMs = holder.dueMs - MICRO_TURN_MS + holder.soundEndMs!;
    return [
      {
        totalMs: sound.startMs - endMs,
        steps: {
          uplink: call.recordedMs(placedMs) - endMs,
          'to the micro-turn’s end': holder.dueMs - placedMs,
          'further micro-turns': deciding.dueMs - holder.dueMs,
          'cut and engine': decision.atMs - deciding.dueMs,
          main: asked - decision.atMs,
          voice: spoken - asked,
          pacing: sent - spoken,
          downlink: sound.startMs - call.recordedMs(sent),
        },
      },
    ];
  });
}

/** When each sentence of the user's ended, ms of the recording: to 5 ms, by the same rule as the probe's. */
function sentenceEnds({ recording: { sent, rateHz } }: TracedCall): number[] {
  const frame = (rateHz * FRAME_MS) / 1000;
  return detectSegments(sent, rateHz, { mergeGapMs: 600 }).map(({ startMs, endMs }) => {
    // The detector's own end is where 10 ms fall below a threshold that depends on the noise.
    for (let at = Math.round(((endMs + 100) * rateHz) / 1000 / frame); at * FRAME_MS > startMs; at--) {
      const energy = sent.subarray((at - 1) * frame, at * frame).reduce((sum, x) => sum + x * x, 0) / frame;
      if (energy > 10 ** (LOUD_DB / 10)) return at * FRAME_MS;
    }
    return endMs;
  });
}
