import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SeededRandom } from '../support/random.js';
import { root } from '../support/root.js';
import { Coverage } from './coverage.js';
import { Fuzzer, HANG_MS } from './fuzzer.js';
import { targets } from './targets.js';

const CORPUS = join(root, 'test/fixtures/corpus');
const RESULTS = join(root, '.microturn/test/fuzz');
const PROGRAM = join(root, 'test/fuzz/main.mjs');
/** A run of milliseconds that goes on for so long has no end. */
const HUNG_MS = 30_000;
const LOOK_MS = 500;
/** Where the machine leaves it little CPU time, it ends all the same: after so much more time on the wall. */
const MOST_WALL = 5;

/** Every target in a process of its own, one after the other, so that one that dies or hangs is known by its last input. */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '60' },
      // The same every day: what fails here fails again.
      seed: { type: 'string', default: '1' },
      target: { type: 'string' },
      input: { type: 'string' },
      grow: { type: 'boolean', default: false },
      child: { type: 'boolean', default: false },
    },
  });
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
  const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
  if (chosen.length === 0)
    throw new RangeError(`--target: expected one of ${targets.map(({ name }) => name).join(', ')}`);
  if (values.input !== undefined) return reproduce(chosen[0]!.name, values.input);
  if (values.child) return fuzz(chosen[0]!.name, seconds, seed, values.grow);
  console.log(`fuzzing ${chosen.length} parsers for ${seconds} s of CPU time, seed ${seed}`);
  mkdirSync(RESULTS, { recursive: true });
  let failed = 0;
  for (const { name } of chosen) failed += (await supervise(name, seconds / chosen.length, seed, values.grow)) ? 0 : 1;
  return failed > 0 ? 1 : 0;
}

/** Runs one target in a child, and notices when it hangs or is killed. */
async function supervise(name: string, seconds: number, seed: number, grow: boolean): Promise<boolean> {
  const args = [PROGRAM, '--child', '--target', name, '--seconds', String(seconds), '--seed', String(seed)];
  if (grow) args.push('--grow');
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const startedAt = Date.now();
  let hung = false;
  const timer = setInterval(() => {
    const { mtimeMs } = statSync(lastInput(name), { throwIfNoEntry: false }) ?? { mtimeMs: startedAt };
    hung = Date.now() - Math.max(startedAt, mtimeMs) > HUNG_MS;
    if (hung) child.kill('SIGKILL');
  }, LOOK_MS);
  const [code, signal] = await new Promise<[number | null, string | null]>((ended) =>
    child.once('close', (...how) => ended(how)),
  );
  clearInterval(timer);
  if (signal === null) return code === 0;
  report(name, readLast(name), hung ? `did not end within ${HUNG_MS / 1000} s` : `was killed by ${signal}`);
  return false;
}

/** In the child. */
function fuzz(name: string, seconds: number, seed: number, grow: boolean): number {
  // It runs beside tests that measure time.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const startedAt = Date.now();
  const target = targets.find((one) => one.name === name)!;
  const file = openSync(lastInput(name), 'w');
  const coverage = new Coverage((url) => url.startsWith('file:') && !url.includes('/node_modules/vitest'));
  // Of this process, so that a busy machine makes nothing seem slow, and the minute is one of work.
  const cpuMs = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  const fuzzer = new Fuzzer({
    target,
    corpus: corpusOf(name),
    random: new SeededRandom(seed),
    takeCoverage: coverage.take,
    note(input) {
      writeSync(file, input, 0, input.length, 0);
      ftruncateSync(file, input.length);
    },
    cpuMs,
  });
  const { runs, blocks, kept, slowestMs, finding } = fuzzer.run(
    () => cpuMs() >= seconds * 1000 || Date.now() - startedAt >= MOST_WALL * seconds * 1000,
  );
  coverage.close();
  closeSync(file);
  console.log(
    `${name.padEnd(10)} ${runs} runs, ${blocks} blocks reached, ${kept.length} inputs kept, slowest run ${slowestMs.toFixed(1)} ms (of ${HANG_MS})`,
  );
  if (grow) for (const input of kept) writeFileSync(join(CORPUS, name, hashOf(input)), input);
  if (finding) report(name, finding.input, finding.error.stack ?? finding.error.message);
  return finding ? 1 : 0;
}

function reproduce(name: string, file: string): number {
  targets.find((one) => one.name === name)!.run(new Uint8Array(readFileSync(file)));
  console.log(`${name} handles ${file} as it should`);
  return 0;
}

export function corpusOf(name: string): Uint8Array[] {
  const folder = join(CORPUS, name);
  return readdirSync(folder)
    .sort()
    .map((file) => new Uint8Array(readFileSync(join(folder, file))));
}

const lastInput = (name: string) => join(RESULTS, `${name}.last`);
const readLast = (name: string) => new Uint8Array(readFileSync(lastInput(name)));

const hashOf = (input: Uint8Array) => createHash('sha256').update(input).digest('hex').slice(0, 12);

function report(name: string, input: Uint8Array, what: string): void {
  const file = join(RESULTS, `${name}-${hashOf(input)}`);
  writeFileSync(file, input);
  console.error(`✗ ${name}: ${what}`);
  console.error(`  input (${input.length} bytes, base64): ${Buffer.from(input).toString('base64').slice(0, 400)}`);
  console.error(`  again: node test/fuzz/main.mjs --target ${name} --input ${file}`);
  console.error(`  mended, it belongs into test/fixtures/corpus/${name}/`);
}
