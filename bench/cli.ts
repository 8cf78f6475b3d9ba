import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { providerChoices } from '../packages/edge/src/engine/types.js';
import { benchmarks } from './benchmarks.js';
import type { Benchmark, Context, Figure } from './lib/benchmark.js';
import { Noise, machineConditions } from './lib/machine.js';
import { nanoBundle } from './lib/steppers.js';

const HELP = `The numbers that Microturn publishes, each from several runs, beside something to hold it against.

  npm run bench                  a table
  npm run bench -- --json        one object per line: name, value, unit, baseline, budget, conditions
  npm run bench -- --only A,B    some of it
  npm run bench -- --quick       few trials: shows that it works, publish nothing of it
  npm run bench -- --only churn --minutes 60
  npm run bench -- --provider P  where large-bundle runs: auto, cpu, webgpu, cuda
  npm run bench -- --bundle DIR  whose floor any-llm measures, where it is not the one that ships
  npm run bench -- --virtual     any-llm in virtual time: the rules of taking turns, and nothing of this machine
  npm run bench -- --prices 0.4,1.6,0.006,15  what any-llm reckons with, USD: a million tokens in, out, a minute of
                                sound transcribed, a million characters spoken
  npm run bench -- --llm-ms 1000 how slow the LLM of any-llm is to its first token, where that is not 300 ms
  npm run bench -- --list        what there is

bench/README.md says how to read it. Exit codes: 0, 1 where a benchmark failed, 2 for wrong arguments.`;

/** No benchmark takes so long, beyond the time that it was given: one that does hangs. */
const TIMEOUT_MINUTES = 15;

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  let values;
  try {
    values = parse(args);
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`);
    return 2;
  }
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (values.list) {
    for (const { name, about } of benchmarks) console.log(`${name.padEnd(18)}${about}`);
    return 0;
  }
  const selected = select(values.only);
  if (typeof selected === 'string') {
    console.error(`bench: ${selected}`);
    return 2;
  }
  const provider = providerChoices.find((choice) => choice === (values.provider ?? 'cpu'));
  if (!provider) {
    console.error(`bench: --provider is one of ${providerChoices.join(', ')}, got ${values.provider}`);
    return 2;
  }
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
  if (minutes !== undefined && !(minutes > 0)) {
    console.error(`bench: --minutes is a number above 0, got ${values.minutes}`);
    return 2;
  }
  const llmMs = values['llm-ms'] === undefined ? undefined : Number(values['llm-ms']);
  if (llmMs !== undefined && !(llmMs >= 0)) {
    console.error(`bench: --llm-ms is a number, got ${values['llm-ms']}`);
    return 2;
  }
  const prices = values.prices === undefined ? undefined : values.prices.split(',').map(Number);
  if (prices && (prices.length !== 4 || !prices.every((price) => price >= 0))) {
    console.error(`bench: --prices is four numbers, as in --help, got ${values.prices}`);
    return 2;
  }
  const [tokensIn, tokensOut, transcribedMinute, chars] = (prices ?? []) as [number, number, number, number];
  const { json = false, quick = false, virtual = false } = values;
  const bundle = values.bundle === undefined ? nanoBundle : resolve(values.bundle);
  return runAll(selected, {
    json,
    quick,
    provider,
    bundle,
    virtual,
    ...(minutes !== undefined && { minutes }),
    ...(llmMs !== undefined && { llmMs }),
    ...(prices && { prices: { tokensIn, tokensOut, transcribedMinute, chars } }),
  });
}

function parse(args: readonly string[]) {
  const options = {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    list: { type: 'boolean' },
    only: { type: 'string' },
    provider: { type: 'string' },
    bundle: { type: 'string' },
    virtual: { type: 'boolean' },
    'llm-ms': { type: 'string' },
    prices: { type: 'string' },
    minutes: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  return parseArgs({ args: [...args], options }).values;
}

function select(only: string | undefined): readonly Benchmark[] | string {
  if (only === undefined) return benchmarks;
  const names = only.split(',');
  const unknown = names.find((name) => !benchmarks.some((benchmark) => benchmark.name === name));
  if (unknown !== undefined) return `there is no ${unknown}; --list says what there is`;
  return benchmarks.filter(({ name }) => names.includes(name));
}

async function runAll(
  selected: readonly Benchmark[],
  { json, ...options }: { json: boolean } & Omit<Context, 'note'>,
): Promise<number> {
  const { quick } = options;
  const machine = machineConditions();
  if (!json) console.log(tableHead(machine, quick));
  let failed = 0;
  for (const benchmark of selected) {
    const note = (text: string) => console.error(`${benchmark.name}: ${text}`);
    const noise = new Noise();
    const startedAt = new Date().toISOString();
    try {
      const figures = await withTimeout(benchmark, { ...options, note });
      const seen = noise.read();
      for (const figure of figures) {
        const line = {
          ...figure,
          conditions: { ...figure.conditions, ...(quick && { quick }), startedAt, ...seen, ...machine },
        };
        console.log(json ? JSON.stringify(line) : tableRow(figure));
      }
    } catch (error) {
      failed++;
      console.error(`${benchmark.name} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed > 0 ? 1 : 0;
}

function withTimeout(benchmark: Benchmark, context: Context): Promise<readonly Figure[]> {
  return new Promise((resolve, reject) => {
    const minutes = TIMEOUT_MINUTES + (context.minutes ?? 0);
    const timer = setTimeout(() => reject(new Error(`not done after ${minutes} minutes`)), minutes * 60_000);
    benchmark
      .run(context)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}

function tableHead({ machine, git }: Record<string, unknown>, quick: boolean): string {
  return [
    `${String(machine)}; ${String(git)}${quick ? '; quick: not for publishing' : ''}`,
    '',
    `${'figure'.padEnd(46)}${'value'.padStart(12)}${'budget'.padStart(10)}  ${'n'.padStart(5)}  against`,
  ].join('\n');
}

function tableRow({ name, value, unit, budget, lowerIsBetter = true, baseline, conditions }: Figure): string {
  const met = budget !== undefined && (lowerIsBetter ? value <= budget : value >= budget);
  const verdict = budget === undefined ? '' : `${budget}${met ? ' ok' : ' !!'}`;
  return `${name.padEnd(46)}${`${value} ${unit}`.padStart(12)}${verdict.padStart(10)}  ${String(conditions.n).padStart(5)}  ${baseline.value}: ${baseline.name}`;
}
