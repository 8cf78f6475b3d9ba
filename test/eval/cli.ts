import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadBundle, type Bundle } from '../../packages/edge/src/engine/bundle.js';
import { root } from '../support/root.js';
import { afterWords } from './after-words.js';
import { bundleListener, likelyYields, type Sound, type Yield } from './bundle-listener.js';
import { engineFigures } from './engine-figures.js';
import { atEqualFalseYields, ownGap } from './equal-false-yields.js';
import { floorClasses } from './floor-measures.js';
import { fullDuplexBench } from './full-duplex-bench.js';
import {
  answers,
  commands,
  cueSpeak,
  echo,
  FALSE_YIELDS,
  listening,
  manners,
  overlaps,
  timeSpeak,
  translation,
  turnTaking,
  withoutOwnWords,
  type Figure,
  type Heard,
} from './measures.js';
import { hour } from './hour.js';
import { lateDrafts, withLateDrafts } from './late-drafts.js';
import { readRecording, transcribe } from './recording.js';
import { Silero, sileroListeners } from './silero-listener.js';
import { skills } from './skills.js';
import { head, row } from './table.js';
import { recipeHome, testSet, type Session } from './test-sets.js';
import type { Listener } from './track.js';
import { backgrounds, rooms, typedInstructions } from './typed.js';
import { unknownWords, words } from './word-measures.js';

const HELP = `What an interaction model hears and decides, measured on voices that it was never trained on, beside a voice activity
detector (Silero, waiting 300, 500 and 800 ms) and another bundle, on the same sound in the same run.

  npm run eval                             a table
  npm run eval -- --json                   one object per line: listener, set, suite, measure, value, n, low, high
  npm run eval -- --quick                  eight sessions of each set: shows that it works
  npm run eval -- --bundle F --compare G   another bundle, and what it is held against: the bootstrap, if nothing is named
  npm run eval -- --alone                  without one that it is held against
  npm run eval -- --wav F [--text F]       what is heard in a recording, and the word errors against what was read
  npm run eval -- --fdb PATH               the published Full-Duplex-Bench, v1.0 and v1.5, where it is on this machine

The test sets are synthesised by models/nano/recipe (\`run.py tests\`). Exit codes: 0, 1 where it failed, 2 for wrong arguments.`;

const SETS = ['espeak', 'slt', 'festival'];
/** Full of overlaps. */
const DRILL = 'drill';
/** By the same voices, full of what everyday talk seldom asks for: rare skills, long waits, the second tier, minutes. */
const THEMES = ['rare', 'long', 'tier2', 'minutes'] as const;
/** Nobody speaks in it. */
const TYPED = 'typed';
const ECHO_SETS = ['espeak', 'slt'];
const SILENCES_SECONDS = [0.3, 0.5, 0.8];
const QUICK_SESSIONS = 8;
/** One of so many wordings is typed then. */
const QUICK_WORDINGS = 8;
const MINUTE_SECONDS = 60;

interface Options {
  readonly json: boolean;
  readonly limit: number;
  readonly data: string;
}

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  let values;
  try {
    values = parse(args);
  } catch (error) {
    console.error(`eval: ${(error as Error).message}`);
    return 2;
  }
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  try {
    const bundle = await loadBundle(values.bundle ?? join(root, 'models/nano/bundle'));
    if (values.wav !== undefined) return await tellRecording(bundle, values.wav, values.text);
    const models = [bundleListener(nameOf(bundle), bundle)];
    const options = {
      json: values.json ?? false,
      limit: values.quick ? QUICK_SESSIONS : Infinity,
      data: values.data ?? recipeHome(),
    };
    const other = values.alone ? undefined : await loadBundle(values.compare ?? join(root, 'models/nano/bootstrap'));
    if (other) models.push(bundleListener(nameOf(other), other));
    if (values.fdb !== undefined) return await measureBench(values.fdb, models, options);
    return await measureAll([bundle, ...(other ? [other] : [])], models, options);
  } catch (error) {
    console.error(`eval: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

function parse(args: readonly string[]) {
  const options = {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
    bundle: { type: 'string' },
    compare: { type: 'string' },
    alone: { type: 'boolean' },
    data: { type: 'string' },
    wav: { type: 'string' },
    text: { type: 'string' },
    fdb: { type: 'string' },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  if (values.alone && values.compare !== undefined) throw new Error('--alone and --compare exclude each other');
  if (values.text !== undefined && values.wav === undefined) throw new Error('--text needs --wav');
  return values;
}

const nameOf = ({ manifest }: Bundle) => `${manifest.name} ${manifest.version}`;

function vocabularyOf({ manifest }: Bundle): Set<string> {
  const role = manifest.outputs.words;
  return new Set(role?.classes.filter((name) => name !== role.blank && name !== role.unknown));
}

async function measureAll(bundles: readonly Bundle[], models: Listener<Sound>[], options: Options): Promise<number> {
  const silero = await Silero.load();
  const listeners = [...models, ...sileroListeners(silero, SILENCES_SECONDS)];
  const vocabularies = bundles.map(vocabularyOf);
  const shared = new Set([...vocabularies[0]!].filter((word) => vocabularies.every((known) => known.has(word))));
  const names = bundles[0]!.manifest.outputs.words?.classes ?? [];
  if (!options.json) console.log(head());
  for (const set of SETS) {
    const { heard: all, yields } = await hear(
      listeners,
      bundles,
      testSet(join(options.data, 'data'), set, names, options.limit),
    );
    const [rare, long, tier2, minutes] = await Promise.all(
      THEMES.map(async (theme) => {
        const sessions = testSet(join(options.data, 'data'), `${set}-${theme}`, names, options.limit);
        return (await hear(models, [], sessions)).heard;
      }),
    );
    const drill = await hear(
      listeners,
      [],
      testSet(join(options.data, 'data'), `${set}-${DRILL}`, names, options.limit),
    );
    const unprompted = await hear(models, [], counting(testSet(join(options.data, 'data'), set, names, options.limit)));
    const drafted = await hear(models, [], drafting(testSet(join(options.data, 'data'), set, names, options.limit)));
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
      tell(name, set, turns[i]!, options);
      const sessions = heard.map(({ session }) => session);
      const gaps = vocabulary ? atEqualFalseYields(sessions, yields[i]!, rivals) : [ownGap(name, turns[i]!)];
      tell(name, set, gaps, options);
      tell(name, set, overlaps(heard), options);
      tell(name, set, afterWords(heard, vocabularies[0]!), options);
      tell(name, `${set}-${DRILL}`, [...turnTaking(drill.heard[i]!), ...overlaps(drill.heard[i]!)], options);
      if (!vocabulary) continue;
      const voice = [...heard, ...rare![i]!, ...long![i]!, ...drill.heard[i]!];
      tell(name, `${set}-${DRILL}`, listening(drill.heard[i]!), options);
      tell(name, set, listening(voice), options);
      tell(name, set, skills(voice), options);
      tell(name, set, floorClasses(heard), options);
      tell(name, `${set}-${DRILL}`, floorClasses(drill.heard[i]!), options);
      tell(name, `${set}-${DRILL}`, cueSpeak(drill.heard[i]!), options);
      tell(name, set, cueSpeak(unprompted.heard[i]!, 'cuespeak-style, not hearing its own count'), options);
      tell(name, set, words(heard, vocabulary, 'all that it knows'), options);
      if (unknown) tell(name, set, unknownWords(heard, vocabulary, unknown), options);
      if (bundles.length > 1) tell(name, set, words(heard, shared, 'those that all know'), options);
      tell(name, set, cueSpeak(heard), options);
      for (const measure of [timeSpeak, commands, answers]) tell(name, set, measure([...heard, ...rare![i]!]), options);
      tell(name, set, lateDrafts(drafted.heard[i]!), options);
      tell(name, set, timeSpeak(long![i]!, 'timespeak-style, waits of up to a minute'), options);
      tell(name, set, timeSpeak(minutes![i]!, 'timespeak-style, minutes', MINUTE_SECONDS), options);
      tell(name, set, commands(long![i]!, ['relay'], 'commands, after waits of up to a minute'), options);
      tell(name, set, commands(tier2![i]!, manners, 'manners of speaking'), options);
      tell(name, set, translation(tier2![i]!), options);
    }
  }
  // Whatever its silence, a VAD stops at the same sounds.
  const stoppers = listeners.slice(0, models.length + 1);
  for (const set of ECHO_SETS) {
    const { heard: all } = await hear(stoppers, [], testSet(join(options.data, 'echo'), set, names, options.limit));
    for (const [i, { name }] of stoppers.entries()) tell(name, set, echo(all[i]!), options);
  }
  await silero.close();
  const { value } = await testSet(join(options.data, 'data'), SETS[0]!, names).next();
  const sessions = value as Session[];
  const typed = rooms().filter((_, i) => options.limit === Infinity || i % QUICK_WORDINGS === 0);
  const noise = backgrounds(sessions);
  for (const [i, bundle] of bundles.entries()) {
    tell(models[i]!.name, TYPED, await typedInstructions(bundle, 'typed, in silence', typed), options);
    tell(models[i]!.name, TYPED, await typedInstructions(bundle, 'typed, in background noise', typed, noise), options);
  }
  if (options.limit === Infinity) {
    tell(models[0]!.name, SETS[0]!, await hour(bundles[0]!, vocabularies[0]!, sessions), options);
    tell(models[0]!.name, SETS[0]!, await engineFigures(bundles[0]!, sessions[0]!), options);
  }
  return 0;
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

async function measureBench(path: string, models: readonly Listener<Sound>[], options: Options): Promise<number> {
  const silero = await Silero.load();
  const listeners = [...models, ...sileroListeners(silero, SILENCES_SECONDS)];
  if (!options.json) console.log(head());
  for await (const { task, listener, figures } of fullDuplexBench(path, listeners))
    tell(listener, task, figures, options);
  await silero.close();
  return 0;
}

async function tellRecording(bundle: Bundle, wav: string, text: string | undefined): Promise<number> {
  const listener = bundleListener(nameOf(bundle), bundle);
  const [track] = await listener.hear([await readRecording(wav)]);
  const read = text === undefined ? undefined : await readFile(text, 'utf8');
  console.log(JSON.stringify(transcribe(track!, vocabularyOf(bundle), read)));
  return 0;
}

function tell(listener: string, set: string, figures: readonly Figure[], { json }: Options): void {
  for (const figure of figures) {
    console.log(json ? JSON.stringify({ listener, set, ...figure }) : row(listener, set, figure));
  }
}
