import { join } from 'node:path';
import type { Bundle } from '../../packages/edge/src/engine/bundle.js';
import { afterWords } from './after-words.js';
import { likelyYields, type Sound, type Yield } from './bundle-listener.js';
import { engineFigures } from './engine-figures.js';
import { atEqualFalseYields, ownGap } from './equal-false-yields.js';
import { floorClasses } from './floor-measures.js';
import { hour } from './hour.js';
import { lateDrafts, withLateDrafts } from './late-drafts.js';
import { cueSpeak, withoutOwnWords } from './cue-speak.js';
import type { Figure, Heard } from './heard.js';
import { commands, echo, FALSE_YIELDS, listening, manners, overlaps, translation, turnTaking } from './measures.js';
import { answers, timeSpeak } from './time-speak.js';
import { skills } from './skills.js';
import { testSet, type Session } from './test-sets.js';
import type { Listener } from './track.js';
import { backgrounds, rooms, typedInstructions } from './typed.js';
import { spokenAnswers, unasked } from './unasked.js';
import { unknownWords, words } from './word-measures.js';

const VOICES = ['espeak', 'slt', 'festival'] as const;
/** Full of overlaps. */
const DRILL = 'drill';
/** Full of turns of a few words. */
const REPLIES = 'replies';
/** By the same voices, full of what everyday talk seldom asks for: rare skills, long waits, the second tier, minutes. */
const THEMES = ['rare', 'long', 'tier2', 'minutes'] as const;
/** Nobody speaks in these. */
const TYPED = 'typed';
const UNASKED = 'unasked';
/** Of each kind, with each microphone. */
const UNASKED_ROOMS = 32;
/** One of so many wordings is typed where not all sessions are heard. */
const SOME_WORDINGS = 8;
const MINUTE_SECONDS = 60;

/** What is measured, in parts of which none needs another: by voice, and what has none. Step times are those of a machine that does nothing else. */
export const parts = [...VOICES, 'echo', 'typed', 'unasked', 'hour', 'engine'] as const;
export type Part = (typeof parts)[number];

export interface Bench {
  /** The bundle that is measured, and then what it is held against. */
  readonly bundles: readonly Bundle[];
  /** Of each bundle. */
  readonly models: readonly Listener<Sound>[];
  /** Whatever hears no words. */
  readonly detectors: readonly Listener<Sound>[];
  /** Home of the recipe, which made the test sets. */
  readonly data: string;
  /** Sessions of each set that are heard: with fewer than all, an hour and step times are not measured. */
  readonly limit: number;
  readonly tell: (listener: string, set: string, figures: readonly Figure[]) => void;
}

/** @throws {Error} where a test set was not made */
export async function measure(part: Part, bench: Bench): Promise<void> {
  switch (part) {
    case 'echo':
      return measureEcho(bench);
    case 'typed':
      return measureTyped(bench);
    case 'unasked':
      return measureUnasked(bench);
    case 'hour':
    case 'engine':
      return bench.limit === Infinity ? measureWhole(part, bench) : undefined;
    default:
      return measureVoice(part, bench);
  }
}

async function measureVoice(set: (typeof VOICES)[number], bench: Bench): Promise<void> {
  const { bundles, models, tell } = bench;
  const listeners = [...models, ...bench.detectors];
  const vocabularies = bundles.map(vocabularyOf);
  const shared = new Set([...vocabularies[0]!].filter((word) => vocabularies.every((known) => known.has(word))));
  const sessionsOf = (name: string) => testSetOf(bench, 'data', name);
  const { heard: all, yields } = await hear(listeners, bundles, sessionsOf(set));
  const [rare, long, tier2, minutes] = await Promise.all(
    THEMES.map(async (theme) => (await hear(models, [], sessionsOf(`${set}-${theme}`))).heard),
  );
  const drill = await hear(listeners, [], sessionsOf(`${set}-${DRILL}`));
  const replies = await hear(listeners, [], sessionsOf(`${set}-${REPLIES}`));
  const unprompted = await hear(models, [], counting(sessionsOf(set)));
  const drafted = await hear(models, [], drafting(sessionsOf(set)));
  const turns = all.map(turnTaking);
  const rivals = listeners
    .map(({ name }, i) => ({
      name,
      falseYields: turns[i]!.find(({ measure }) => measure === FALSE_YIELDS)!.value ?? 0,
    }))
    .slice(models.length);
  for (const [i, { name }] of listeners.entries()) {
    const heard = all[i]!;
    const vocabulary = vocabularies[i];
    const unknown = bundles[i]?.manifest.outputs.words?.unknown;
    tell(name, set, turns[i]!);
    const sessions = heard.map(({ session }) => session);
    const gaps = vocabulary ? atEqualFalseYields(sessions, yields[i]!, rivals) : [ownGap(name, turns[i]!)];
    tell(name, set, gaps);
    tell(name, set, overlaps(heard));
    tell(name, set, afterWords(heard, vocabularies[0]!));
    tell(name, `${set}-${DRILL}`, [...turnTaking(drill.heard[i]!), ...overlaps(drill.heard[i]!)]);
    tell(name, `${set}-${REPLIES}`, turnTaking(replies.heard[i]!));
    if (!vocabulary) continue;
    const voice = [...heard, ...rare![i]!, ...long![i]!, ...drill.heard[i]!];
    tell(name, `${set}-${DRILL}`, listening(drill.heard[i]!));
    tell(name, set, listening(voice));
    tell(name, set, skills(voice));
    tell(name, set, floorClasses(heard));
    tell(name, `${set}-${DRILL}`, floorClasses(drill.heard[i]!));
    tell(name, `${set}-${DRILL}`, cueSpeak(drill.heard[i]!));
    tell(name, set, cueSpeak(unprompted.heard[i]!, 'cuespeak-style, not hearing its own count'));
    tell(name, set, words(heard, vocabulary, 'all that it knows'));
    if (unknown) tell(name, set, unknownWords(heard, vocabulary, unknown));
    if (bundles.length > 1) tell(name, set, words(heard, shared, 'those that all know'));
    tell(name, set, cueSpeak(heard));
    for (const measure of [timeSpeak, commands, answers]) tell(name, set, measure([...heard, ...rare![i]!]));
    tell(name, set, lateDrafts(drafted.heard[i]!));
    tell(name, set, timeSpeak(long![i]!, 'timespeak-style, waits of up to a minute'));
    tell(name, set, timeSpeak(minutes![i]!, 'timespeak-style, minutes', MINUTE_SECONDS));
    tell(name, set, commands(long![i]!, ['relay'], 'commands, after waits of up to a minute'));
    tell(name, set, commands(tier2![i]!, manners, 'manners of speaking'));
    tell(name, set, translation(tier2![i]!));
  }
}

async function measureEcho(bench: Bench): Promise<void> {
  // Whatever its silence, a detector stops at the same sounds.
  const stoppers = [...bench.models, ...bench.detectors.slice(0, 1)];
  for (const set of VOICES) {
    const { heard: all } = await hear(stoppers, [], testSetOf(bench, 'echo', set));
    for (const [i, { name }] of stoppers.entries()) bench.tell(name, set, echo(all[i]!));
  }
}

async function measureTyped(bench: Bench): Promise<void> {
  const typed = rooms().filter((_, i) => bench.limit === Infinity || i % SOME_WORDINGS === 0);
  const noise = backgrounds(await firstSessions(bench));
  for (const [i, bundle] of bench.bundles.entries()) {
    const { name } = bench.models[i]!;
    bench.tell(name, TYPED, await typedInstructions(bundle, 'typed, in silence', typed));
    bench.tell(name, TYPED, await typedInstructions(bundle, 'typed, in background noise', typed, noise));
  }
}

/** Microphones that are off, in a quiet room, and where others make a noise. */
async function measureUnasked(bench: Bench): Promise<void> {
  const [noise, answers] = [backgrounds(await firstSessions(bench)), await spokenAnswers()];
  const microphones = { off: [Int16Array.of(0)], quiet: [undefined], noise };
  for (const [i, bundle] of bench.bundles.entries()) {
    for (const [name, mics] of Object.entries(microphones)) {
      const sounds = Array.from({ length: Math.min(UNASKED_ROOMS, bench.limit) }, (_, place) => ({
        mic: mics[place % mics.length],
        answers: [place, place + 3].map((which) => answers[which % answers.length]!),
      }));
      const figures = await unasked(bundle, `nobody asks, microphone: ${name}`, sounds);
      bench.tell(bench.models[i]!.name, UNASKED, figures);
    }
  }
}

/** An hour on end, or the cost of steps. */
async function measureWhole(part: 'hour' | 'engine', bench: Bench): Promise<void> {
  const [bundle, sessions] = [bench.bundles[0]!, await firstSessions(bench)];
  const figures =
    part === 'hour' ? await hour(bundle, vocabularyOf(bundle), sessions) : await engineFigures(bundle, sessions[0]!);
  bench.tell(bench.models[0]!.name, VOICES[0], figures);
}

async function firstSessions(bench: Bench): Promise<Session[]> {
  const { value } = await testSetOf(bench, 'data', VOICES[0]).next();
  return value as Session[];
}

function testSetOf({ bundles, data, limit }: Bench, folder: 'data' | 'echo', name: string): AsyncGenerator<Session[]> {
  return testSet(join(data, folder), name, bundles[0]!.manifest.outputs.words?.classes ?? [], limit);
}

/** The words that a bundle writes. */
export function vocabularyOf({ manifest }: Bundle): Set<string> {
  const role = manifest.outputs.words;
  return new Set(role?.classes.filter((name) => name !== role.blank && name !== role.unknown));
}

/** Those in which something is counted, as they are where nothing of the right count is heard. */
async function* counting(shards: AsyncIterable<Session[]>): AsyncGenerator<Session[]> {
  for await (const sessions of shards) {
    const some = sessions.filter(({ events }) => events.some(({ kind }) => kind === 'count'));
    if (some.length > 0) yield some.map(withoutOwnWords);
  }
}

/** As they go before a language model. */
async function* drafting(shards: AsyncIterable<Session[]>): AsyncGenerator<Session[]> {
  for await (const sessions of shards) yield sessions.map(withLateDrafts);
}

/** By listener, what it made of each session; by bundle, where it would have yielded at any threshold. */
async function hear(
  listeners: readonly Listener<Sound>[],
  bundles: readonly Bundle[],
  shards: AsyncIterable<Session[]>,
): Promise<{ heard: Heard[][]; yields: Yield[][][] }> {
  const heard = listeners.map((): Heard[] => []);
  const yields = bundles.map((): Yield[][] => []);
  const silent = new Int16Array(0); // nothing that is measured looks at the sound, and it is large
  for await (const sessions of shards) {
    for (const [i, { reads, ...listener }] of listeners.entries()) {
      const tracks = await listener.hear(sessions);
      const kept = sessions.map((session) => ({ ...session, mic: silent, ref: silent }));
      heard[i]!.push(...kept.map((session, j) => ({ session, reads, track: tracks[j]! })));
    }
    for (const [i, bundle] of bundles.entries()) yields[i]!.push(...(await likelyYields(bundle, sessions)));
  }
  return { heard, yields };
}
