import { OpusDecoder, OpusEncoder } from '../packages/edge/src/media/opus.js';
import { SeededRandom } from '../test/support/random.js';
import type { Benchmark, Figure } from './lib/benchmark.js';
import { Load } from './lib/load.js';
import { MeasuredEdge } from './lib/measured-edge.js';
import { median, quantile, round } from './lib/stats.js';

const SESSIONS = 4;
const PLACE_BUDGET_MS = 5;
const SEND_BUDGET_MS = 3;

/**
 * What: how long the media thread takes from a packet to its place on the session clock, and how late it sends a frame of
 * speech; p99 of each run, median over the runs.
 * How: a real edge and 4 libwebrtc callers who talk all the time while their agents speak a quarter of it; the edge's own
 * histograms, over /metrics. The first begins when the packet's bytes are handed to JavaScript: what they waited in the
 * socket while the thread was busy is not in it. The second counts from when the frame was due.
 * Against: the codec alone, which is the most of both, in this process: one packet of 20 ms decoded, one encoded, p50.
 */
export const mediaPath: Benchmark = {
  name: 'media-path',
  about: 'RTP in to PCM placed, and PCM due to RTP sent: p99 on a real edge',
  async run({ quick, note }) {
    const runs = quick ? 2 : 5;
    const seconds = quick ? 5 : 12;
    const placeMs: number[] = [];
    const sendMs: number[] = [];
    for (let i = 0; i < runs; i++) {
      note(`run ${i + 1} of ${runs}`);
      await using edge = await MeasuredEdge.start();
      await using load = await Load.start(edge);
      await load.growTo(SESSIONS);
      const { heardPeak } = await load.run(seconds * 1000);
      if (heardPeak < 0.01) throw new Error('no agent was heard: the run measured nothing');
      const metrics = await edge.process.metrics();
      placeMs.push(metrics.get('microturn_media_place_p99_seconds')! * 1000);
      sendMs.push(metrics.get('microturn_media_send_p99_seconds')! * 1000);
    }
    const codec = codecAlone();
    const figure = (name: string, values: number[], budget: number, baseline: Figure['baseline']): Figure => ({
      name,
      value: round(median(values)),
      unit: 'ms',
      baseline,
      budget,
      conditions: { n: runs, runs: values.map((ms) => round(ms)), sessions: SESSIONS, secondsPerRun: seconds },
    });
    return [
      figure('rtp-in-to-placed p99', placeMs, PLACE_BUDGET_MS, {
        name: 'Opus alone, one packet of 20 ms decoded, p50',
        value: codec.decodeMs,
      }),
      figure('pcm-due-to-sent p99', sendMs, SEND_BUDGET_MS, {
        name: 'Opus alone, one frame of 20 ms encoded, p50',
        value: codec.encodeMs,
      }),
    ];
  },
};

function codecAlone(): { decodeMs: number; encodeMs: number } {
  const random = new SeededRandom(3);
  const encoder = new OpusEncoder(16_000);
  const decoder = new OpusDecoder(16_000);
  const encodeMs: number[] = [];
  const decodeMs: number[] = [];
  const timed = <T>(into: number[], run: () => T): T => {
    const startMs = performance.now();
    const result = run();
    into.push(performance.now() - startMs);
    return result;
  };
  for (let i = 0; i < 500; i++) {
    const pcm = Float32Array.from({ length: 320 }, () => (random.next() - 0.5) * 0.2);
    const packet = timed(encodeMs, () => encoder.encode(pcm));
    timed(decodeMs, () => decoder.decode(packet));
  }
  return { decodeMs: round(quantile(decodeMs, 0.5)), encodeMs: round(quantile(encodeMs, 0.5)) };
}
