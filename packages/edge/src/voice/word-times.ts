/** One phone of an utterance, pauses left out; times in ms from the start of the sound. */
export interface Phone {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

const PAUSE = 'pau';
/** US English phones of Flite that are vowels; the rest are consonants. */
const VOWELS = new Set('aa ae ah ao aw ax axr ay eh er ey ih iy ow oy uh uw'.split(' '));

/**
 * Parses what `flite -psdur` prints: `pau:0.220 hh:0.295 …`, each phone with the second at which it ends.
 * @throws {Error} if it is anything else
 */
export function parsePhoneEnds(stdout: string): Phone[] {
  const phones: Phone[] = [];
  let startMs = 0;
  for (const item of stdout.trim().split(/\s+/)) {
    const match = /^([a-z]+):(\d+\.\d+)$/.exec(item);
    if (!match) throw new Error(`expected phone:seconds, got ${item.slice(0, 20)}`);
    const endMs = Math.round(Number(match[2]) * 1_000);
    if (match[1] !== PAUSE) phones.push({ name: match[1]!, startMs, endMs });
    startMs = endMs;
  }
  return phones;
}

/** Parses what `flite -ps` prints: one line of phones for each utterance. */
export function parsePhoneNames(stdout: string): string[][] {
  const lines = stdout.split('\n').map((line) => line.split(' ').filter((name) => name !== ''));
  return lines.filter((names) => names.length > 0).map((names) => names.filter((name) => name !== PAUSE));
}

/**
 * When each word was said. Flite prints when phones end, not to which word they belong; but it also says which phones a word has
 * when it stands alone, and the two sequences are aligned at least cost (edit distance; vowels are changed for vowels, consonants for
 * consonants). What context adds ("dog's": the `z`) goes to the word that it follows.
 *
 * Tolerance against the word ends inside libflite 2.2: 0 ms, for every word of `reference/word-ends.jsonl` (287 words; made by
 * `reference/word-ends.c`). Where a word's reading depends on its neighbours in a way that the sentences there do not show, one phone.
 *
 * Tolerance against the sound, measured by energy (40 dB under the peak, 5 ms frames) at the pauses of the same sentences, 65 runs of
 * speech: with `slt` sound starts 0 to 75 ms after the first word does (median 5) and ends 45 ms before to 60 ms after the last one
 * (median 9); `rms` and `awb` are within 100 ms, `kal16` within 120 ms. `flite.test.ts` holds it.
 *
 * @param phones of the utterance, in order
 * @param words  phones of each word when said alone
 * @returns one span for each word, in order, never overlapping; a word without phones has length 0
 */
export function alignWords(phones: readonly Phone[], words: readonly (readonly string[])[]): Span[] {
  const expected = words.flatMap((names, word) => names.map((name) => ({ name, word })));
  const owner = align(phones, expected);
  const spans: Span[] = [];
  let next = 0;
  let at = phones[0]?.startMs ?? 0;
  for (let word = 0; word < words.length; word++) {
    const first = next;
    while (next < phones.length && owner[next] === word) next++;
    const span =
      next > first ? { startMs: phones[first]!.startMs, endMs: phones[next - 1]!.endMs } : { startMs: at, endMs: at };
    at = span.endMs;
    spans.push(span);
  }
  return spans;
}

const SKIP_COST = 1;

function changeCost(a: string, b: string): number {
  if (a === b) return 0;
  return VOWELS.has(a) === VOWELS.has(b) ? 0.6 : 1.6;
}

/** Index of the word that each phone belongs to, never falling. */
function align(phones: readonly Phone[], expected: readonly { name: string; word: number }[]): number[] {
  const columns = expected.length + 1;
  const cost = new Float64Array((phones.length + 1) * columns);
  for (let j = 1; j < columns; j++) cost[j] = j * SKIP_COST;
  for (let i = 1; i <= phones.length; i++) {
    cost[i * columns] = i * SKIP_COST;
    for (let j = 1; j < columns; j++) {
      cost[i * columns + j] = Math.min(
        cost[(i - 1) * columns + j - 1]! + changeCost(phones[i - 1]!.name, expected[j - 1]!.name),
        cost[(i - 1) * columns + j]! + SKIP_COST,
        cost[i * columns + j - 1]! + SKIP_COST,
      );
    }
  }
  // Back from the end: a phone that was changed belongs to its partner's word, an added one to the word before.
  const owner = Array.from(phones, () => 0);
  for (let i = phones.length, j = expected.length; i > 0;) {
    const here = cost[i * columns + j]!;
    if (j > 0 && here === cost[(i - 1) * columns + j - 1]! + changeCost(phones[i - 1]!.name, expected[j - 1]!.name)) {
      owner[--i] = expected[--j]!.word;
    } else if (j > 0 && here === cost[i * columns + j - 1]! + SKIP_COST) {
      j--;
    } else {
      owner[--i] = expected[j - 1]?.word ?? 0;
    }
  }
  return owner;
}
