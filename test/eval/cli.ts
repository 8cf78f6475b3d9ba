import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadBundle, type Bundle } from '../../packages/edge/src/engine/bundle.js';
import { root } from '../support/root.js';
import { bundleListener, type Sound } from './bundle-listener.js';
import { fullDuplexBench } from './full-duplex-bench.js';
import {
  commands,
  cueSpeak,
  echo,
  overlaps,
  timeSpeak,
  turnTaking,
  words,
  type Figure,
  type Heard,
} from './measures.js';
import { hour } from './hour.js';
import { readRecording, transcribe } from './recording.js';
import { Silero, sileroListener } from './silero-listener.js';
import { head, row } from './table.js';
import { recipeHome, testSet } from './test-sets.js';
import type { Listener } from './track.js';

const HELP = `What an interaction model hears and decides, measured on voices that it was never trained on, beside a voice activity
detector (Silero, waiting 300, 500 and 800 ms) and another bundle, on the same sound in the same run.

  npm run eval                             a table
  npm run eval -- --json                   one object per line: listener, set, suite, measure, value, n, low, high
  npm run eval -- --quick                  eight sessions of each set: shows that it works
  npm run eval -- --bundle F --compare G   another bundle, and what it is held against
  npm run eval -- --wav F [--text F]       what is heard in a recording, and the word errors against what was read
  npm run eval -- --fdb PATH               the published Full-Duplex-Bench v1.0, where it is on this machine

The test sets are synthesised by models/nano/recipe (\`run.py tests\`). Exit codes: 0, 1 where it failed, 2 for wrong arguments.`;

const SETS = ['espeak', 'slt', 'festival'];
const ECHO_SETS = ['espeak', 'slt'];
const SILENCES_SECONDS = [0.3, 0.5, 0.8];
const QUICK_SESSIONS = 8;

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
    const listeners = [bundleListener(nameOf(bundle), bundle)];
    const options = {
      json: values.json ?? false,
      limit: values.quick ? QUICK_SESSIONS : Infinity,
      data: values.data ?? recipeHome(),
    };
    if (values.fdb !== undefined) return await measureBench(values.fdb, listeners[0]!, options);
    const other = values.compare === undefined ? undefined : await loadBundle(values.compare);
    if (other) listeners.push(bundleListener(nameOf(other), other));
    return await measureAll([bundle, ...(other ? [other] : [])], listeners, options);
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
    data: { type: 'string' },
    wav: { type: 'string' },
    text: { type: 'string' },
    fdb: { type: 'string' },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
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
  const listeners = [...models, ...SILENCES_SECONDS.map((seconds) => sileroListener(silero, seconds))];
  const known = new Map(bundles.map((bundle, i) => [models[i]!.name, vocabularyOf(bundle)]));
  const shared = new Set(
    [...known.values()].reduce((all, next) => all.filter((word) => next.has(word)), [...[...known.values()][0]!]),
  );
  if (!options.json) console.log(head());
  for (const set of SETS) {
    for (const listener of listeners) {
      const heard = await hear(listener, join(options.data, 'data'), set, options.limit);
      const vocabulary = known.get(listener.name);
      tell(listener.name, set, turnTaking(heard), options);
      tell(listener.name, set, overlaps(heard), options);
      if (!vocabulary) continue;
      tell(listener.name, set, words(heard, vocabulary, 'all that it knows'), options);
      if (bundles.length > 1) tell(listener.name, set, words(heard, shared, 'those that all know'), options);
      for (const measure of [cueSpeak, timeSpeak, commands]) tell(listener.name, set, measure(heard), options);
    }
  }
  for (const set of ECHO_SETS) {
    for (const listener of listeners.slice(0, models.length + 1)) {
      tell(listener.name, set, echo(await hear(listener, join(options.data, 'echo'), set, options.limit)), options);
    }
  }
  await silero.close();
  if (options.limit === Infinity) {
    const name = models[0]!.name;
    for await (const sessions of testSet(join(options.data, 'data'), 'espeak')) {
      tell(name, 'espeak', await hour(bundles[0]!, known.get(name)!, sessions), options);
      break;
    }
  }
  return 0;
}

async function hear(listener: Listener<Sound>, folder: string, set: string, limit: number): Promise<Heard[]> {
  const heard: Heard[] = [];
  for await (const sessions of testSet(folder, set, limit)) {
    const tracks = await listener.hear(sessions);
    const silent = new Int16Array(0); // nothing that is measured looks at the sound, and it is large
    heard.push(
      ...sessions.map((session, i) => ({ session: { ...session, mic: silent, ref: silent }, track: tracks[i]! })),
    );
  }
  return heard;
}

async function measureBench(path: string, listener: Listener<Sound>, options: Options): Promise<number> {
  if (!options.json) console.log(head());
  for await (const { task, figures } of fullDuplexBench(path, listener)) tell(listener.name, task, figures, options);
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
