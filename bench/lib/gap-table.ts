import type { Question } from '../../test/fixtures/questions.js';
import { askVirtually } from '../../test/support/asking.js';
import { beyondFloorAndVoice, composite, type Harness, type Heard } from '../../test/support/turn-harnesses.js';
import type { ServiceSpeeds } from '../../test/support/virtual-call.js';
import type { Figure } from './benchmark.js';
import { median, quantile, round } from './stats.js';

/** Of the gap, what may be neither the floor's decision nor the voice's first sound. */
export const TARGET_MS = 100;

const FIRST_TOKEN_MS = [0, 150, 300, 600] as const;
const TRANSCRIBE_MS = [0, 50, 100, 300] as const;
/** How long the floor is waited for, and how many of the words that are missing at the end the LLM knows all the same. */
const VARIANTS = [
  { eagerness: 'normal', foreseenWords: 0 },
  { eagerness: 'normal', foreseenWords: 2 },
  { eagerness: 'normal', foreseenWords: 4 },
  { eagerness: 'patient', foreseenWords: 0 },
] as const;
const DRAFTS = { everyMs: 500, transcribeEveryMs: 200 } as const;

interface Row {
  readonly beyondMs: readonly number[];
  readonly tokens: number;
}

/** Share of the answers within the target, over how fast the LLM and the transcriber are, in virtual time. */
export async function gapTable(
  asked: readonly { readonly question: Question; readonly heard: Heard }[],
  speeds: ServiceSpeeds,
  note: (text: string) => void,
): Promise<Figure[]> {
  const run = async (takes: Harness, more: Partial<ServiceSpeeds>): Promise<Row> => {
    const beyondMs: number[] = [];
    let tokens = 0;
    for (const one of asked) {
      const outcome = await askVirtually(takes, { ...one, speeds: { ...speeds, ...more } });
      tokens += (outcome.tokensIn + outcome.tokensOut) / asked.length;
      const { gapMs = -1, latency } = outcome;
      if (gapMs >= 0 && latency) beyondMs.push(beyondFloorAndVoice(latency, speeds.firstAudioMs));
    }
    return { beyondMs, tokens };
  };
  const without = composite({ drafting: false, eagerness: 'normal' });
  const figures: Figure[] = [];
  for (const firstTokenMs of FIRST_TOKEN_MS) {
    for (const transcribeMs of TRANSCRIBE_MS) {
      note(`an LLM of ${firstTokenMs} ms, a transcriber of ${transcribeMs} ms`);
      const set = { firstTokenMs, transcribeMs, everyMs: DRAFTS.transcribeEveryMs };
      const reference = await run(without, set);
      for (const { eagerness, foreseenWords } of VARIANTS) {
        const drafting = composite({ drafting: true, eagerness, everyMs: DRAFTS.everyMs });
        const { beyondMs, tokens } = await run(drafting, { ...set, foreseenWords });
        figures.push({
          name: `floor + voice + ${TARGET_MS} ms, LLM ${firstTokenMs}, words ${transcribeMs}, ${eagerness}, foresees ${foreseenWords}`,
          value: round(shareWithin(beyondMs), 2),
          unit: 'share',
          lowerIsBetter: false,
          baseline: { name: 'without drafts', value: round(shareWithin(reference.beyondMs), 2) },
          conditions: {
            n: beyondMs.length,
            beyondP50: round(median(beyondMs), 0),
            beyondP95: round(quantile(beyondMs, 0.95), 0),
            tokens: round(tokens, 0),
            ...DRAFTS,
          },
        });
      }
    }
  }
  return figures;
}

function shareWithin(beyondMs: readonly number[]): number {
  return beyondMs.filter((ms) => ms <= TARGET_MS).length / beyondMs.length;
}
