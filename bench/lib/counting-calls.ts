import { SeededRandom } from '../../test/support/random.js';
import { accents, compose, speak, variants } from '../../test/fixtures/speech.js';
import type { Context } from './benchmark.js';
import { MeasuredEdge } from './measured-edge.js';
import { TracedCall } from './traced-call.js';

const ANIMALS =
  'cat dog horse cow pig sheep goat duck chicken lion tiger bear wolf fox rabbit monkey elephant zebra snake frog'.split(
    ' ',
  );
const SEED = 20_251_120;
const LEAD_MS = 2_000;
const ANIMALS_PER_CALL = 6;
/** Long enough for the agent's word to come and go. */
const REST_MS = 1_800;
const TAIL_MS = 1_500;

let made: Promise<readonly TracedCall[]> | undefined;

/**
 * Calls in which the user asks the agent to count, and names an animal at the end of each of six short sentences, by several
 * voices of espeak-ng, seeded. Made once per run, for every figure that is read from them.
 */
export function countingCalls(context: Context): Promise<readonly TracedCall[]> {
  made ??= makeCalls(context);
  return made;
}

async function makeCalls({ quick, note }: Context): Promise<TracedCall[]> {
  const random = new SeededRandom(SEED);
  const count = quick ? 1 : 8;
  const calls: TracedCall[] = [];
  await using edge = await MeasuredEdge.start({ path: true });
  for (let i = 0; i < count; i++) {
    note(`counting call ${i + 1} of ${count}`);
    const voice = {
      accent: random.pick(accents),
      variant: random.pick(variants),
      rate: random.integer(130, 170),
      pitch: random.integer(30, 70),
    };
    const parts: Parameters<typeof compose>[0][number][] = [LEAD_MS, await speak('Count the animals.', voice)];
    for (const animal of random.sample(ANIMALS, ANIMALS_PER_CALL)) {
      const sentence = `I saw ${/^[aeo]/.test(animal) ? 'an' : 'a'} ${animal}.`;
      // So that the micro-turn's end falls anywhere after a word.
      parts.push(REST_MS + random.integer(0, 400), await speak(sentence, voice));
    }
    const microphone = compose(parts);
    const lengthMs = (microphone.samples.length * 1000) / microphone.rateHz;
    calls.push(
      await TracedCall.place(edge, { microphone }, (caller) =>
        caller.untilRecorded(caller.microphoneMs + lengthMs + TAIL_MS),
      ),
    );
  }
  return calls;
}
