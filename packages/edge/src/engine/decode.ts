import type { Floor } from '@microturn/protocol';
import type { Manifest, Outputs } from './manifest.js';
import { acts, type Act, type DecodedWord, type ShownWord } from './types.js';

/** What decoding remembers of a row from one micro-turn to the next. */
export interface DecoderState {
  /** The word heard last, by class, and its slot counted from the start of the session. */
  readonly word: { readonly class: number; readonly slot: number } | undefined;
  /** The likeliest words of the last slots, where the shares of several are added up. */
  readonly heard?: readonly Likely[] | undefined;
  /** What was said or shown last, by class, and the micro-turn of it. */
  readonly said?: { readonly class: number; readonly turn: number } | undefined;
  /** Who holds the floor, as far as deciding who interrupts whom needs it. */
  readonly holder: 'user' | 'agent' | undefined;
  /** For how long the holder has not been heard. */
  readonly quietMs: number;
  /** What was decided in the micro-turn before, whether or not it was done. */
  readonly acts?: readonly Act[];
}

interface Likely {
  readonly class: number;
  readonly share: number;
  readonly slot: number;
}

/** Words of a slot that count in the sum over several, and the least share of each: a snapshot of a row has little room. */
const LIKELY = 3;
const LEAST_SHARE = 0.05;
const SHARE_DIGITS = 4;

export const freshDecoder: DecoderState = { word: undefined, holder: undefined, quietMs: 0 };

/** Acts that are done once, however many micro-turns the model stays with them. */
const ONCE: ReadonlySet<Act> = new Set<Act>(acts.filter((act) => !['stop', 'commit', 'relay'].includes(act)));
/** Where the bundle does not say how. Flite spells "mm-hm", letter by letter. */
const BACKCHANNEL = 'Uh-huh.';

/** The parts of a `Decision` that the model decides. */
export interface Decoded {
  readonly words: readonly DecodedWord[];
  readonly floor: Floor;
  readonly confidence: number;
  readonly say: string;
  readonly acts: readonly Act[];
  readonly shown?: readonly ShownWord[];
}

interface Heads {
  readonly words?: Float32Array;
  readonly floor?: Float32Array;
  readonly say?: Float32Array;
  readonly act?: Float32Array;
}

/** A micro-turn in which nothing could be decided: the floor stays as it was. */
export function undecided(floor: Floor): Decoded {
  return { words: [], floor, confidence: 0, say: '', acts: [] };
}

/**
 * What the graph is told of the agent being audible. A bundle with `ownTurns` knows `play` only as the agent's turn:
 * an agent that comes in on a user who holds the floor, to count along or to correct, is not having one.
 */
export function playFed({ inputs }: Manifest, state: DecoderState, play: number): number {
  return inputs.play?.ownTurns && state.holder === 'user' ? 0 : play;
}

/**
 * Turns one row's outputs into decisions, by the thresholds of its bundle.
 * @param heads one row of each head, as the manifest describes them; a head that the bundle lacks is absent
 * @param turn  the micro-turn that the outputs are of
 */
export function decode(
  manifest: Manifest,
  state: DecoderState,
  heads: Heads,
  turn: { readonly index: number; readonly play: number },
): { readonly decoded: Decoded; readonly state: DecoderState } {
  const { words, last, heard } = decodeWords(manifest, state, heads.words, turn.index);
  const { floor, confidence } = decodeFloor(manifest, heads.floor);
  const isDone = (act: Act) => ONCE.has(act) && (state.acts ?? []).includes(act);
  const spoken = decodeSay(manifest, state.said, heads.say, isDone, turn.index);
  const act = decodeAct(manifest, heads.act);
  const acted = act && isDone(act) ? undefined : act;
  const decided = [...spoken.acts, ...(act ? [act] : [])];
  const proposed = decided.filter((one) => !isDone(one));
  const stops = manifest.decoding.stop.some((when) =>
    'act' in when ? proposed.includes(when.act) : when.floor === floor,
  );
  const done: Act[] = [...(stops ? (['stop'] as const) : []), ...proposed.filter((act) => act !== 'stop')];
  return {
    decoded: {
      words,
      floor,
      confidence,
      say: spoken.text || wordsOf(manifest, acted),
      acts: [...new Set(done)],
      ...(spoken.shown.length > 0 && { shown: spoken.shown }),
    },
    state: {
      word: last,
      ...(heard.length > 0 && { heard }),
      said: spoken.last,
      acts: decided,
      ...nextHolder(manifest, state, floor, turn.play > 0),
    },
  };
}

function decodeWords(
  { outputs: { words: role }, decoding: { words: decoding }, microTurnMs }: Manifest,
  state: DecoderState,
  head: Float32Array | undefined,
  index: number,
): { words: DecodedWord[]; last: DecoderState['word']; heard: readonly Likely[] } {
  let { word: last, heard = [] } = state;
  if (!role || !decoding || !head) return { words: [], last, heard };
  const blank = role.classes.indexOf(role.blank);
  const slots = microTurnMs / role.slotMs;
  const span = decoding.spanMs === undefined ? undefined : Math.round(decoding.spanMs / role.slotMs);
  const words: DecodedWord[] = [];
  for (let slot = 0; slot < slots; slot++) {
    const shares = probabilities(head, slot, role);
    const place = index * slots + slot;
    let found: Likely | undefined;
    if (span === undefined) {
      const best = argmax(shares, (i) => i !== blank);
      if (1 - shares[blank]! > decoding.threshold) found = { class: best, share: shares[best]!, slot: place };
    } else {
      heard = [...heard.filter((one) => place - one.slot < span), ...likeliest(shares, blank, place)];
      const best = likeliestOver(heard);
      if (best && best.share > decoding.threshold) found = best;
    }
    if (!found) continue;
    const repeats = last?.class === found.class && (found.slot - last.slot) * role.slotMs <= decoding.repeatMs;
    last = { class: found.class, slot: found.slot };
    if (repeats) continue;
    const name = role.classes[found.class]!;
    words.push({
      text: name === role.unknown ? '<unk>' : name,
      endMs: Math.max(0, index * microTurnMs + (slot + 1) * role.slotMs - decoding.delayMs),
      confidence: found.share,
    });
  }
  return { words, last, heard };
}

/** What may have been said in one slot. */
function likeliest(shares: Float32Array, blank: number, slot: number): Likely[] {
  const likely: Likely[] = [];
  for (let i = 0; i < shares.length; i++) {
    const share = shares[i]!;
    if (i !== blank && share > LEAST_SHARE) likely.push({ class: i, share: Number(share.toFixed(SHARE_DIGITS)), slot });
  }
  return likely.toSorted((a, b) => b.share - a.share).slice(0, LIKELY);
}

/** The word with the largest sum of shares, at most 1, and of equals the newest; `slot` is the last that has any of it. */
function likeliestOver(heard: readonly Likely[]): Likely | undefined {
  const sums = new Map<number, Likely>();
  for (const one of heard) sums.set(one.class, { ...one, share: (sums.get(one.class)?.share ?? 0) + one.share });
  let best: Likely | undefined;
  for (const sum of sums.values()) {
    if (!best || sum.share > best.share || (sum.share === best.share && sum.slot > best.slot)) best = sum;
  }
  return best && { ...best, share: Math.min(1, best.share) };
}

/** The likeliest floor whose threshold is met; the likeliest of all where none is. */
function decodeFloor(
  { outputs: { floor: role }, decoding }: Manifest,
  head: Float32Array | undefined,
): { floor: Floor; confidence: number } {
  if (!role || !head) return { floor: 'silent', confidence: 0 };
  const shares = probabilities(head, 0, role);
  const { thresholds } = decoding.floor;
  const met = argmax(shares, (i) => shares[i]! >= (thresholds[role.classes[i]!] ?? 0));
  const best = met < 0 ? argmax(shares) : met;
  return { floor: role.classes[best]!, confidence: shares[best]! };
}

function decodeSay(
  { outputs: { say: role }, decoding: { say: decoding }, microTurnMs }: Manifest,
  before: DecoderState['said'],
  head: Float32Array | undefined,
  isDone: (act: Act) => boolean,
  index: number,
): { text: string; acts: Act[]; shown: ShownWord[]; last: DecoderState['said'] } {
  if (!role || !head) return { text: '', acts: [], shown: [], last: before };
  let last = before;
  const silent = role.classes.indexOf(role.silent);
  const said: string[] = [];
  const acts: Act[] = [];
  const shown: ShownWord[] = [];
  for (let slot = 0; slot < head.length / role.classes.length; slot++) {
    const shares = probabilities(head, slot, role);
    const best = argmax(shares);
    const name = role.classes[best]!;
    if (name === role.silent || 1 - shares[silent]! < decoding.threshold) continue;
    // Within one micro-turn a word that comes twice is two.
    const repeats = last?.class === best && last.turn < index && (index - last.turn) * microTurnMs <= decoding.repeatMs;
    last = { class: best, turn: index };
    if (Object.hasOwn(role.shows, name)) {
      if (!repeats) shown.push(role.shows[name]!);
      continue;
    }
    const meaning = Object.hasOwn(role.acts, name) ? role.acts[name] : undefined;
    if (meaning) acts.push(meaning.act);
    if (meaning && isDone(meaning.act)) continue;
    const text = meaning ? meaning.text : name;
    if (text !== undefined && !repeats) said.push(text);
  }
  return { text: said.join(' '), acts, shown, last };
}

function decodeAct({ outputs: { act: role }, decoding }: Manifest, head: Float32Array | undefined): Act | undefined {
  if (!role || !head) return undefined;
  const shares = probabilities(head, 0, role);
  const best = argmax(shares);
  const act = role.classes[best]!;
  if (act === 'none') return undefined;
  const { threshold, thresholds } = decoding.act;
  return shares[best]! < (thresholds[act] ?? threshold) ? undefined : act;
}

/** What is said with an act that came without a word. */
function wordsOf({ outputs }: Manifest, act: Act | undefined): string {
  if (!act) return '';
  return outputs.act?.says[act] ?? (act === 'backchannel' ? BACKCHANNEL : '');
}

/**
 * Follows who holds the floor. It is the user's while they speak and nothing plays, and stays theirs when the agent
 * comes in, until they have been quiet for `gapMs`; it is the agent's while it is audible, and over gaps as long.
 */
function nextHolder(
  { inputs, microTurnMs }: Manifest,
  state: DecoderState,
  floor: Floor,
  audible: boolean,
): Pick<DecoderState, 'holder' | 'quietMs'> {
  const gapMs = inputs.play?.ownTurns?.gapMs ?? 0;
  const speaks = floor !== 'silent' && floor !== 'yielded' && floor !== 'elsewhere';
  const present = state.holder === 'user' ? speaks : audible;
  const quietMs = present ? 0 : state.quietMs + microTurnMs;
  const yielded = state.holder === 'user' && floor === 'yielded' && !audible;
  if (state.holder && !yielded && quietMs < gapMs) return { holder: state.holder, quietMs };
  return { holder: audible ? 'agent' : speaks ? 'user' : undefined, quietMs: 0 };
}

type Head = Pick<NonNullable<Outputs['words']>, 'values'> & { readonly classes: readonly string[] };

/** The classes' shares in one slot of a head: a view of it where it holds probabilities already. */
function probabilities(head: Float32Array, slot: number, { values, classes }: Head): Float32Array {
  const raw = head.subarray(slot * classes.length, (slot + 1) * classes.length);
  if (values === 'probabilities') return raw;
  const highest = raw.reduce((a, b) => Math.max(a, b));
  const weights = raw.map((value) => Math.exp(value - highest));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}

/** @returns the index of the largest of those that count; -1 where none does */
function argmax(values: Float32Array, counts: (i: number) => boolean = () => true): number {
  let best = -1;
  for (let i = 0; i < values.length; i++) {
    if ((best < 0 || values[i]! > values[best]!) && counts(i)) best = i;
  }
  return best;
}
