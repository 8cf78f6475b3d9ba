import type { Eagerness } from '../../packages/edge/src/composite/types.js';
import type { Decision } from '../../packages/edge/src/engine/types.js';
import { TRANSCRIBE_HZ } from '../../packages/edge/src/transcribe/index.js';
import { describe, expect, it } from 'vitest';
import { parseWav } from '../call/wav.js';
import { timed, type Question } from '../fixtures/questions.js';
import { askVirtually, PATIENCE_MS } from '../support/asking.js';
import { beyondFloorAndVoice, composite, type Heard } from '../support/turn-harnesses.js';

// What the rules of taking turns can hide of an answer's way, in virtual time: from the user's last sample to the agent's first, beyond
// the floor's decision and the voice's first sound. No recording and no bundle: a floor that yields with the first micro-turn of silence.

const MICRO_TURN_MS = 200;
const LEAD_MS = 2_000;
const TEXT = 'After we have paid the deposit, how long does the order take?';
const SPOKEN_MS = 3_600;
/** Of the question's end within its micro-turn. */
const ALIGNMENTS_MS = [10, 50, 90, 130, 170] as const;
const VOICE_MS = 150;
const TARGET_MS = 100;
/** As fast as drafts and growing clips are worth their money. */
const everyMs = 500;
const clips = { everyMs: 200, tokensPerSecond: 60, firstAudioMs: VOICE_MS };

interface Speeds {
  readonly firstTokenMs: number;
  readonly transcribeMs: number;
  readonly foreseenWords: number;
}

/** How much of the floor’s decision is waited for, and whether there are drafts. */
interface Taking {
  readonly eagerness?: Eagerness;
  readonly drafting?: boolean;
}

/** The slowest of the alignments, ms beyond floor and voice. */
async function slowest(speeds: Speeds, taking: Taking = {}): Promise<number> {
  const beyond = await Promise.all(ALIGNMENTS_MS.map((ms) => beyondOf(ms, speeds, taking)));
  return Math.max(...beyond);
}

async function beyondOf(
  alignmentMs: number,
  speeds: Speeds,
  { eagerness = 'normal', drafting = true }: Taking,
): Promise<number> {
  const endMs = LEAD_MS + SPOKEN_MS + alignmentMs;
  const words = timed(TEXT, endMs - SPOKEN_MS, SPOKEN_MS);
  const pcm = { samples: new Float32Array(0), rateHz: TRANSCRIBE_HZ };
  const question = { name: 'question', text: TEXT, pcm, words, pauseMs: 0, endMs } as unknown as Question;
  const turns = Math.ceil((endMs + PATIENCE_MS) / MICRO_TURN_MS);
  const decisions = Array.from({ length: turns }, (_, index): Decision => {
    const speaks = index * MICRO_TURN_MS < endMs && (index + 1) * MICRO_TURN_MS > endMs - SPOKEN_MS;
    const floor = speaks ? 'speaking' : index * MICRO_TURN_MS < LEAD_MS ? 'silent' : 'yielded';
    return { lease: 1, index, words: [], floor, confidence: 1, say: '', acts: [], stepMs: 1, lagMs: 0 };
  });
  // The clip begins with the utterance, some time before the first word.
  const first = decisions.findIndex(({ floor }) => floor === 'speaking') * MICRO_TURN_MS - 400;
  const ears = {
    transcribe(wav: Uint8Array) {
      const { samples, rateHz } = parseWav(Buffer.from(wav));
      const toMs = first + (samples.length * 1000) / rateHz;
      return words.flatMap(({ text, endMs: ends }) => (ends <= toMs ? [text] : [])).join(' ');
    },
  };
  const info = { microTurnMs: MICRO_TURN_MS } as Heard['info'];
  const mic = new Int16Array((turns * MICRO_TURN_MS * TRANSCRIBE_HZ) / 1000);
  const heard = { mic, info, decisions, probabilities: new Float32Array(0) };
  const takes = composite({ drafting, eagerness, everyMs });
  const { gapMs, latency } = await askVirtually(takes, { question, heard, ears, speeds: { ...clips, ...speeds } });
  expect(gapMs).toBeGreaterThan(0);
  return beyondFloorAndVoice(latency!, VOICE_MS);
}

describe('the response gap beyond the floor’s decision and the voice’s first sound', () => {
  const llms = [0, 150, 300, 600];

  describe.each([0, 50, 100])('with words that are there %s ms after their sound', (transcribeMs) => {
    it.each(llms)('is at most 100 ms where an LLM of %s ms foresees the last words', async (firstTokenMs) => {
      expect(await slowest({ firstTokenMs, transcribeMs, foreseenWords: 6 })).toBeLessThanOrEqual(TARGET_MS);
    });
  });

  it.each([0, 150, 300])(
    'is at most 100 ms where an LLM of %s ms foresees nothing, and the floor is given the time of a second micro-turn',
    async (firstTokenMs) => {
      const speeds = { firstTokenMs, transcribeMs: 100, foreseenWords: 0 };
      expect(await slowest(speeds, { eagerness: 'patient' })).toBeLessThanOrEqual(TARGET_MS);
    },
  );

  it.each([0, 50])('is at most 100 ms where the LLM answers at once, and words take %s ms', async (transcribeMs) => {
    expect(await slowest({ firstTokenMs: 0, transcribeMs, foreseenWords: 0 })).toBeLessThanOrEqual(TARGET_MS);
  });

  // Where it cannot be: nothing can be known of an answer before its question is.
  it.each(llms)(
    'is more where the words alone take 300 ms, whatever an LLM of %s ms foresees',
    async (firstTokenMs) => {
      const ms = await slowest({ firstTokenMs, transcribeMs: 300, foreseenWords: 6 });
      expect(ms).toBeGreaterThan(TARGET_MS);
      // And then by no more than the words: the answer to what was foreseen is there by then, if not always its sound.
      expect(ms).toBeLessThanOrEqual(300);
    },
  );

  it.each([150, 300, 600])('is more where an LLM of %s ms foresees nothing', async (firstTokenMs) => {
    const speeds = { firstTokenMs, transcribeMs: 100, foreseenWords: 0 };
    const ms = await slowest(speeds);
    expect(ms).toBeGreaterThan(TARGET_MS);
    // A draft is never later than an answer that is asked for at the end.
    expect(ms).toBeLessThanOrEqual(await slowest(speeds, { drafting: false }));
  });
});
