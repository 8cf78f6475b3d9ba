import { detectSegments } from '../test/call/segments.js';
import { compose, speak, type EspeakVoice } from '../test/fixtures/speech.js';
import { SeededRandom } from '../test/support/random.js';
import type { Benchmark, Conditions, Context, Figure } from './lib/benchmark.js';
import { countingCalls } from './lib/counting-calls.js';
import { MeasuredEdge } from './lib/measured-edge.js';
import { median, quantile, round, spread } from './lib/stats.js';
import { TracedCall } from './lib/traced-call.js';

/** Hardly a pause in it: sound that ends in a pause ends earlier than it was told to. */
const LONG =
  'We were all away in a narrow alley where a lonely owl was whirling around the yellow moon and now and then we are humming along in unison. '.repeat(
    2,
  );
const REMARK_EVERY_MS = 6_000;
const REMARKS_PER_CALL = 3;
/** Ducking later than this after an onset is another's. */
const DUCKED_WITHIN_MS = 400;
/** Three steps of 10 ms; the first is told. */
const RAMP_MS = 20;
const MICRO_TURN_MS = 200;
/** A page in which nobody can ask the browser for less delay than it would have. */
const OWN_JITTER_TARGET = `Object.defineProperty(RTCRtpReceiver.prototype, 'jitterBufferTarget', { get: () => null, set: () => undefined });`;

/**
 * What: what makes a call feel quick, each beside what it would be without.
 *   onset-to-lowered      the user's first sound, "wait, stop", to the agent lowered by 12 dB; without: to its silence, which
 *                         takes the model's decision. What the loudspeaker still holds then, some 10 ms, is in neither.
 *   packet-to-sound       first packet sent to first sound, with jitterBufferTarget = 0 as the SDK sets it; without: as the
 *                         browser has it
 *   decided-to-packet     the model's decision to speak to its first packet; without: were it sent at the next micro-turn's
 *                         boundary
 * How: Chromium on loopback. Onsets and sounds are in one recording of the page; `falseDucks` counts those at no onset.
 * Against: the same thing without it, in the same run.
 */
export const feltSpeed: Benchmark = {
  name: 'felt-speed',
  about: 'ducking, jitterBufferTarget and sub-micro-turn speech, each with and without',
  async run(context) {
    await using edge = await MeasuredEdge.start({ path: true });
    return [...(await ducking(edge, context)), ...(await jitterTarget(edge, context)), ...(await atOnce(context))];
  },
};

async function ducking(edge: MeasuredEdge, { quick, note }: Context): Promise<Figure[]> {
  const random = new SeededRandom(7);
  const calls = quick ? 1 : 5;
  const lowered: number[] = [];
  const silent: number[] = [];
  let remarks = 0;
  let falseDucks = 0;
  for (let i = 0; i < calls; i++) {
    note(`the user talks over the agent: call ${i + 1} of ${calls}`);
    const voice: EspeakVoice = {
      accent: random.pick(['en-us', 'en-gb-x-rp', 'en-gb-scotland'] as const),
      variant: random.pick(['m3', 'f2', 'm7', 'f4'] as const),
      rate: 150,
      pitch: random.integer(35, 65),
    };
    const stop = await speak('Wait, stop.', voice);
    const stopMs = (stop.samples.length * 1000) / stop.rateHz;
    const parts: Parameters<typeof compose>[0][number][] = [];
    for (let k = 0; k < REMARKS_PER_CALL; k++) {
      parts.push(REMARK_EVERY_MS - stopMs + random.integer(-150, 150), stop);
    }
    const microphone = compose([...parts, 1_000]);
    const ducks: number[] = [];
    const call = await TracedCall.place(
      edge,
      {
        microphone,
        ducking: true,
        onMessage: (message) => {
          if (message.type === 'speaker' && message.ducked) ducks.push(message.atMs);
        },
      },
      async (caller) => {
        for (let k = 0; k < REMARKS_PER_CALL; k++) {
          await caller.untilRecorded(caller.microphoneMs + (k + 1) * REMARK_EVERY_MS - stopMs - 2_500);
          const { responseId } = await caller.say(LONG);
          await caller.untilRecorded(caller.microphoneMs + (k + 1) * REMARK_EVERY_MS + 1_200);
          const cut = caller.eventsOf('response.cut').some((event) => event.responseId === responseId);
          if (!cut) await caller.interrupt();
        }
      },
    );
    const { sent, rateHz } = call.recording;
    const onsets = detectSegments(sent, rateHz).map(({ startMs }) => startMs);
    remarks += REMARKS_PER_CALL;
    for (const onset of onsets) {
      const ducked = ducks.find((ms) => ms >= onset && ms < onset + DUCKED_WITHIN_MS);
      if (ducked !== undefined) lowered.push(ducked + RAMP_MS - onset);
      const stopped = call.played.find(
        ({ record, sound }) => record.end?.by === 'user' && sound && sound.startMs < onset && sound.endMs > onset,
      );
      if (stopped?.sound) silent.push(stopped.sound.endMs - onset);
    }
    falseDucks += ducks.filter((ms) => !onsets.some((onset) => ms >= onset && ms < onset + DUCKED_WITHIN_MS)).length;
  }
  return withAndWithout('onset-to-lowered', lowered, 'to silence, by the model', silent, {
    n: lowered.length,
    remarks,
    falseDucks,
    silentMs: spread(silent),
  });
}

async function jitterTarget(edge: MeasuredEdge, { quick, note }: Context): Promise<Figure[]> {
  const calls = quick ? 1 : 4;
  const delays = { asked: [] as number[], own: [] as number[] };
  for (let i = 0; i < calls; i++) {
    for (const which of ['asked', 'own'] as const) {
      note(`jitterBufferTarget, ${which}: call ${i + 1} of ${calls}`);
      const call = await TracedCall.place(
        edge,
        which === 'own' ? { initScript: OWN_JITTER_TARGET } : {},
        async (caller) => {
          await caller.untilRecorded(1_500);
          for (let k = 0; k < (quick ? 3 : 8); k++) {
            const { responseId } = await caller.say(`Trial ${k + 1} of many.`);
            await caller.until(
              'end of the response',
              (event) => event.type === 'response.completed' && event.responseId === responseId,
            );
            await caller.untilRecorded((await caller.recordedMs()) + 250 + 17 * k);
          }
        },
      );
      for (const { record, sound } of call.played) {
        const sent = call.passed('sent', record.responseId);
        if (sound && sent !== undefined) delays[which].push(sound.startMs - call.recordedMs(sent));
      }
    }
  }
  return withAndWithout('packet-to-sound, jitterBufferTarget 0', delays.asked, 'the browser’s own', delays.own, {
    n: delays.asked.length,
    ownMs: spread(delays.own),
  });
}

async function atOnce(context: Context): Promise<Figure[]> {
  const now: number[] = [];
  const later: number[] = [];
  for (const call of await countingCalls(context)) {
    const turns = call.stationsOf('turn');
    for (const { record } of call.played) {
      const decision = call.decisionOf(record.responseId);
      const sent = call.passed('sent', record.responseId);
      const turn = decision && turns.find(({ index }) => index === decision.index);
      if (!decision || sent === undefined || !turn) continue;
      now.push(sent - decision.atMs);
      const boundary = turn.dueMs + MICRO_TURN_MS * Math.ceil((sent - turn.dueMs) / MICRO_TURN_MS);
      later.push(boundary - decision.atMs);
    }
  }
  return withAndWithout('decided-to-packet, counted word', now, 'at the next micro-turn’s boundary', later, {
    n: now.length,
  });
}

function withAndWithout(
  name: string,
  ms: readonly number[],
  without: string,
  withoutMs: readonly number[],
  conditions: Conditions,
): Figure[] {
  if (ms.length === 0 || withoutMs.length === 0) throw new Error(`${name}: nothing could be measured`);
  return [0.5, 0.95].map((share) => ({
    name: `${name} p${share * 100}`,
    value: round(quantile(ms, share), 1),
    unit: 'ms',
    baseline: { name: `without: ${without}`, value: round(quantile(withoutMs, share), 1) },
    conditions: { ...conditions, ms: spread(ms), savedMs: round(median(withoutMs) - median(ms), 1) },
  }));
}
