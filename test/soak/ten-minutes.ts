import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { Caller } from '../call/caller.js';
import { countingRecordings } from '../fixtures/recordings.js';
import { compose } from '../fixtures/speech.js';
import { EdgeProcess } from '../support/edge-process.js';
import { Inspector } from '../support/inspector.js';
import { median, theilSen, type Point } from './theil-sen.js';

const run = promisify(execFile);

const SAMPLE_MS = 5_000;
/** Caches fill, code is compiled, heaps find their size. */
const WARM_UP_MINUTES = 2;
/** Heaps are collected before they are measured, which takes their threads' time. */
const HEAP_EVERY = 6;
const SAY_EVERY = 4;
/** A busy machine may lose a link, which the session comes back over: one that is lost again and again is a fault. */
const MOST_ATTEMPTS = 6;
const MB = 2 ** 20;

/** What may not grow: by the trend after the warm-up, and from its beginning to its end. */
const LIMITS = {
  // It also holds what the allocators and the heaps keep until they are collected: it says that nothing runs away, and the heaps'
  // limits are the finer ones.
  'edge RSS': { perMinute: 3, total: 24 },
  'edge heap': { perMinute: 0.5, total: 5 },
  'thread heaps': { perMinute: 0.5, total: 5 },
  'worker RSS': { perMinute: 0.5, total: 5 },
  'page heap': { perMinute: 0.5, total: 5 },
} as const;
type Series = keyof typeof LIMITS;
const names = Object.keys(LIMITS) as Series[];

const SAYINGS = [
  'The kettle is on, and the tea will be ready in a moment.',
  'There is a letter for you on the table by the window.',
  'It may rain in the evening, so take a coat along.',
  'The train was late again, but nobody seemed to mind.',
];

/** @returns the exit code: 1 where something grows, or the call did not last */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { minutes: { type: 'string', default: '10' } } });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new RangeError(`--minutes: expected a number above 0, got ${values.minutes}`);
  // So that `exit` handlers run, which end the edge and the browser.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

  await using edge = await EdgeProcess.start({ nodeArgs: ['--inspect=127.0.0.1:0'] });
  await using inspector = await Inspector.attach(edge.stderr);
  const [recording] = await countingRecordings(1);
  await using caller = await Caller.open({
    url: edge.url,
    microphone: compose([recording!.pcm, 3_000]),
    loop: true,
    record: false,
  });
  const series = await watch(edge, inspector, caller, minutes);
  const failures = [...judgeCall(edge, caller, minutes), ...judgeMemory(series, minutes)];
  for (const failure of failures) console.log(`✗ ${failure}`);
  console.log(failures.length === 0 ? `✓ ${minutes} minutes, and memory stays flat` : `${failures.length} failed`);
  return failures.length === 0 ? 0 : 1;
}

/** Samples memory until the time is up, while the caller talks all the time and the app makes the agent speak now and then. */
async function watch(
  edge: EdgeProcess,
  inspector: Inspector,
  caller: Caller,
  minutes: number,
): Promise<Record<Series, Point[]>> {
  const series = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Series, Point[]>;
  const startedAt = performance.now();
  console.log(`minute  ${names.map((name) => name.padStart(10)).join('  ')}  (MB)`);
  for (let i = 0; ; i++) {
    const at = (performance.now() - startedAt) / 60_000;
    const metrics = await edge.metrics();
    series['edge RSS'].push([at, metrics.get('process_resident_memory_bytes')! / MB]);
    series['worker RSS'].push([at, (await childrenRss(edge.pid)) / MB]);
    if (i % HEAP_EVERY === 0) {
      const heaps = await inspector.heaps();
      series['edge heap'].push([at, heaps.main / MB]);
      series['thread heaps'].push([at, heaps.threads / MB]);
      series['page heap'].push([at, (await pageHeap(caller)) / MB]);
    }
    if (i % SAY_EVERY === SAY_EVERY - 1) {
      // Many responses that are stopped, and some that are heard to the end.
      await overLinks(() => caller.say(SAYINGS[i % SAYINGS.length]!));
      if (i % (2 * SAY_EVERY) === SAY_EVERY - 1) await overLinks(() => caller.interrupt());
    }
    if (i % 12 === 0)
      console.log(
        `${at.toFixed(1).padStart(6)}  ${names.map((name) => (series[name].at(-1)?.[1] ?? 0).toFixed(1).padStart(10)).join('  ')}`,
      );
    if (at >= minutes) return series;
    await sleep(SAMPLE_MS);
  }
}

/** Asks again where the link is lost, and found again. */
async function overLinks(ask: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await ask();
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== 'net/closed' || attempt === MOST_ATTEMPTS) throw error;
      console.log('the link is lost, and looked for');
      await sleep(SAMPLE_MS);
    }
  }
}

/** Of the mediasoup worker. */
async function childrenRss(pid: number): Promise<number> {
  const { stdout } = await run('ps', ['-A', '-o', 'ppid=,rss=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .reduce((sum, [parent, kilobytes]) => (parent === pid ? sum + kilobytes! * 1024 : sum), 0);
}

async function pageHeap(caller: Caller): Promise<number> {
  const devtools = await caller.page.context().newCDPSession(caller.page);
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  await devtools.detach();
  return usedSize;
}

/** That there was something to remember at all. */
function judgeCall(edge: EdgeProcess, caller: Caller, minutes: number): string[] {
  const words = caller.eventsOf('transcript.word').length;
  const responses = caller.eventsOf('response.completed').length + caller.eventsOf('response.interrupted').length;
  const turns = caller.events.at(-1)?.turn ?? 0;
  console.log(`heard ${words} words, gave ${responses} responses in ${turns} micro-turns`);
  const errors = caller.eventsOf('error');
  return [
    ...(edge.alive ? [] : ['the edge ended']),
    ...(words < 10 * minutes ? [`only ${words} words were heard`] : []),
    ...(responses < 2 * minutes ? [`only ${responses} responses were given`] : []),
    ...(turns < 0.9 * minutes * 300 ? [`only ${turns} micro-turns in ${minutes} minutes`] : []),
    ...errors.map(({ code, message }) => `${code}: ${message}`),
  ];
}

function judgeMemory(series: Record<Series, Point[]>, minutes: number): string[] {
  const warmUp = Math.min(WARM_UP_MINUTES, minutes / 3);
  return names.flatMap((name) => {
    const points = series[name].filter(([at]) => at >= warmUp);
    const slope = theilSen(points);
    const quarter = Math.max(1, points.length >> 2);
    const grown =
      median(points.slice(-quarter).map(([, mb]) => mb)) - median(points.slice(0, quarter).map(([, mb]) => mb));
    const { perMinute, total } = LIMITS[name];
    const ok = slope <= perMinute && grown <= total;
    console.log(
      `${ok ? '✓' : '✗'} ${name}: ${slope.toFixed(2)} MB a minute (limit ${perMinute}), ${grown.toFixed(1)} MB from the first quarter to the last (limit ${total})`,
    );
    return ok ? [] : [`${name} grows`];
  });
}
