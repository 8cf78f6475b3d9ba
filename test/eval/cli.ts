import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadBundle, type Bundle } from '../../packages/edge/src/engine/bundle.js';
import { root } from '../support/root.js';
import { bundleListener, type Sound } from './bundle-listener.js';
import { fullDuplexBench } from './full-duplex-bench.js';
import type { Figure } from './heard.js';
import { measure, parts, vocabularyOf, type Part } from './parts.js';
import { people } from './people.js';
import { readRecording, transcribe } from './recording.js';
import { Silero, sileroListeners } from './silero-listener.js';
import { head, row } from './table.js';
import { recipeHome } from './test-sets.js';
import type { Listener } from './track.js';

const HELP = `What an interaction model hears and decides, measured on voices that it was never trained on, beside a voice activity
detector (Silero, waiting 300, 500 and 800 ms) and another bundle, on the same sound in the same run.

  npm run eval                             a table
  npm run eval -- --json                   one object per line: listener, set, suite, measure, value, n, low, high
  npm run eval -- --quick                  eight sessions of each set: shows that it works
  npm run eval -- --bundle F --compare G   another bundle, and what it is held against: the bootstrap, if nothing is named
  npm run eval -- --alone                  without one that it is held against
  npm run eval -- --part slt --part echo   some of ${parts.join(', ')}
  npm run eval -- --wav F [--text F]       what is heard in a recording, and the word errors against what was read
  npm run eval -- --fdb PATH               the published Full-Duplex-Bench, v1.0 and v1.5, where it is on this machine
  npm run eval -- --people PATH            recordings of people, one utterance each, which models/nano/recipe/people.py gathers

The test sets are synthesised by models/nano/recipe (\`run.py tests\`). Exit codes: 0, 1 where it failed, 2 for wrong arguments.`;

const SILENCES_SECONDS = [0.3, 0.5, 0.8];
const QUICK_SESSIONS = 8;

interface Options {
  readonly json: boolean;
  readonly limit: number;
  readonly data: string;
  readonly parts: readonly Part[];
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
      parts: values.part ?? parts,
    };
    const other = values.alone ? undefined : await loadBundle(values.compare ?? join(root, 'models/nano/bootstrap'));
    if (other) models.push(bundleListener(nameOf(other), other));
    const bundles = [bundle, ...(other ? [other] : [])];
    if (values.fdb !== undefined) return await measureBench(values.fdb, models, options);
    if (values.people !== undefined) return await measurePeople(values.people, bundles, models, options);
    return await measureParts(bundles, models, options);
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
    people: { type: 'string' },
    part: { type: 'string', multiple: true },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  if (values.alone && values.compare !== undefined) throw new Error('--alone and --compare exclude each other');
  if (values.text !== undefined && values.wav === undefined) throw new Error('--text needs --wav');
  const part = values.part?.map((name) => {
    if (!isPart(name)) throw new Error(`there is no part ${name}, but ${parts.join(', ')}`);
    return name;
  });
  return { ...values, part };
}

const isPart = (name: string): name is Part => (parts as readonly string[]).includes(name);

const nameOf = ({ manifest }: Bundle) => `${manifest.name} ${manifest.version}`;

async function measureParts(bundles: Bundle[], models: Listener<Sound>[], options: Options): Promise<number> {
  const silero = await Silero.load();
  if (!options.json) console.log(head());
  try {
    for (const part of options.parts) {
      await measure(part, {
        bundles,
        models,
        detectors: sileroListeners(silero, SILENCES_SECONDS),
        data: options.data,
        limit: options.limit,
        tell: (listener, set, figures) => tell(listener, set, figures, options),
      });
    }
  } finally {
    await silero.close();
  }
  return 0;
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

async function measurePeople(
  path: string,
  bundles: readonly Bundle[],
  models: readonly Listener<Sound>[],
  options: Options,
): Promise<number> {
  const silero = await Silero.load();
  const listeners = [...models, ...sileroListeners(silero, SILENCES_SECONDS)];
  if (!options.json) console.log(head());
  try {
    for await (const { set, listener, figures } of people(path, listeners, bundles.map(vocabularyOf), options.limit))
      tell(listener, set, figures, options);
  } finally {
    await silero.close();
  }
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
