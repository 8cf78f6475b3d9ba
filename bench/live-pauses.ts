import { Caller } from '../test/call/caller.js';
import { fileStartMs } from '../test/call/file-clock.js';
import { MICROPHONE_HZ, toMicrophone } from '../test/call/microphone-file.js';
import { detectSegments } from '../test/call/segments.js';
import { summarize } from '../test/call/summary.js';
import { questions } from '../test/fixtures/questions.js';
import { compose, lengthMs } from '../test/fixtures/speech.js';
import { LlmWorld } from '../test/support/llm-world.js';
import { beyondFloorAndVoice } from '../test/support/turn-harnesses.js';
import type { Benchmark } from './lib/benchmark.js';
import { TARGET_MS } from './lib/gap-table.js';
import { median, quantile, round } from './lib/stats.js';

const SPEEDS = { transcribeMs: 100, firstTokenMs: 300, tokensPerSecond: 60, firstAudioMs: 150 };
const PAUSES_MS = [500, 1_500] as const;
/** After a question: an answer that begins later is none. */
const AFTER_MS = 4_000;
/** At the end, for the last answer. */
const TAIL_MS = 6_000;

/**
 * What: answers that begin while the user pauses in a sentence, how much of them is heard, and the gap after its end.
 * How: one call in Chromium through an edge of its own, with services that stream at set speeds; questions by several voices, each
 * with a pause at its comma, one after the other. Judged by the recording of both directions: when somebody said something is when
 * the recording has it.
 * Against: the pauses that there were.
 */
export const livePauses: Benchmark = {
  name: 'live-pauses',
  about: 'any LLM in a live call: answers begun into pauses, and heard',
  async run({ quick }) {
    const asked = await questions(quick ? 3 : 20, PAUSES_MS);
    const microphone = compose([...asked.flatMap(({ pcm }) => [pcm, AFTER_MS]), TAIL_MS]);
    let lengthSoFarMs = 0;
    const placed = asked.map(({ pcm, words, endMs, pauseMs }) => {
      const fromMs = lengthSoFarMs;
      lengthSoFarMs += lengthMs(pcm) + AFTER_MS;
      const shifted = words.map((word) => ({ ...word, endMs: word.endMs + fromMs }));
      const pauseAt = shifted.find(({ text }) => text.endsWith(','))!.endMs;
      return { fromMs, words: shifted, pauseAt, pauseMs, endMs: fromMs + endMs };
    });
    await using world = await LlmWorld.start({
      speeds: SPEEDS,
      voice: 'service',
      recipe: { drafting: { enabled: true } },
    });
    const words = placed.flatMap((one) => one.words);
    world.listenTo(microphone, words);
    await using caller = await Caller.open({ url: world.edge.url, microphone });
    const { microphoneMs } = caller;
    await caller.untilRecorded(microphoneMs + lengthMs(microphone));
    const recording = await caller.hangUp();
    if (world.problems.length > 0) throw new Error(`requests that were not in order: ${world.problems.join('; ')}`);
    const { agentSegments, userSegments: sent } = summarize(recording);
    const file = detectSegments(toMicrophone(microphone).samples, MICROPHONE_HZ);
    const said = placed.map(({ fromMs, pauseAt, pauseMs, endMs }) => {
      const startMs = fileStartMs({ file, sent, microphoneMs, fromMs });
      return { startMs, pauseAt: startMs + pauseAt, pauseMs, endMs: startMs + endMs };
    });
    const startsIn = (fromMs: number, toMs: number) =>
      agentSegments.filter(({ startMs }) => startMs >= fromMs && startMs < toMs);
    const early = said.flatMap(({ pauseAt, pauseMs, endMs }) =>
      startsIn(pauseAt, endMs)
        .slice(0, 1)
        .map(({ startMs, endMs: toMs }) => ({
          afterPauseMs: Math.round(startMs - pauseAt - pauseMs),
          beforeEndMs: Math.round(endMs - startMs),
          heardMs: Math.round(toMs - startMs),
        })),
    );
    const gaps = said.flatMap(({ endMs }) => {
      const [answer] = startsIn(endMs, endMs + AFTER_MS);
      return answer ? [answer.startMs - endMs] : [];
    });
    const beyond = recording.events.flatMap((event) =>
      event.type === 'response.latency' ? [beyondFloorAndVoice(event, SPEEDS.firstAudioMs)] : [],
    );
    const fileEarlyMs = round(median(said.map(({ startMs }) => microphoneMs - startMs)), 0);
    const conditions = { n: placed.length, speeds: SPEEDS, fileEarlyMs };
    return [
      {
        name: 'false starts in one live call',
        value: early.length,
        unit: 'count',
        baseline: { name: 'pauses', value: placed.length },
        conditions: { ...conditions, early },
      },
      {
        name: 'response gap p50 in one live call',
        value: round(median(gaps), 0),
        unit: 'ms',
        baseline: { name: 'what was aimed at beyond floor and voice', value: TARGET_MS },
        conditions: {
          ...conditions,
          n: gaps.length,
          p90: round(quantile(gaps, 0.9), 0),
          unanswered: placed.length - gaps.length,
          beyondP50: round(median(beyond), 0),
          within: `${beyond.filter((ms) => ms <= TARGET_MS).length} of ${beyond.length}`,
        },
      },
    ];
  },
};
