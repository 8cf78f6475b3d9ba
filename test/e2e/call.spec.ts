import { expect, test } from '@playwright/test';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { detectSegments, overlapOf, type Segment } from '../call/segments.js';
import type { CallSummary } from '../call/summary.js';
import { encodeWav, parseWav, toInt16 } from '../call/wav.js';
import { countingRecordings } from '../fixtures/recordings.js';
import { EdgeProcess } from '../support/edge-process.js';
import { root } from '../support/root.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const run = promisify(execFile);

interface Line {
  readonly type: string;
  readonly receivedMs?: number;
  readonly seq?: number;
}

let edge: EdgeProcess;
test.beforeAll(async () => {
  edge = await EdgeProcess.start();
});
test.afterAll(() => edge.stop());

test('`npm run call` prints every event with its times, records what it received, and ends with a summary', async () => {
  await using folder = await TemporaryFolder.create();
  const [recording] = await countingRecordings(1);
  await writeFile(folder.file('in.wav'), encodeWav([toInt16(recording!.pcm.samples)], recording!.pcm.rateHz));
  const common = ['--wav', folder.file('in.wav'), '--url', edge.url];
  const extra = [
    '--json',
    '--room',
    'kitchen',
    '--record',
    folder.file('out.wav'),
    '--say',
    'That was the end.',
    '--say-at',
    '11500',
    '--tail',
    '2',
  ];
  const { stdout, stderr } = await run(process.execPath, [join(root, 'test/call/main.mjs'), ...common, ...extra], {
    maxBuffer: 16 << 20,
  });
  expect(stderr).toBe('');

  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const events = lines.filter(({ seq }) => seq !== undefined);
  expect(events[0]).toMatchObject({ type: 'session.started', room: 'kitchen' });
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  for (const { receivedMs } of events) expect(receivedMs).toBeGreaterThan(0);
  const types = new Set(events.map(({ type }) => type));
  for (const type of [
    'floor.changed',
    'transcript.word',
    'response.started',
    'response.text',
    'response.heard',
    'response.completed',
    'stats',
  ]) {
    expect(types).toContain(type);
  }

  const summary = lines.at(-1) as unknown as CallSummary;
  expect(Object.keys(summary)).toEqual([
    'type',
    'agentSegments',
    'userSegments',
    'overlapMs',
    'responseGapMs',
    'bargeInMs',
    'heardErrorMs',
  ]);
  expect(summary.type).toBe('summary');
  expect(summary.agentSegments.at(-1)?.text).toBe('That was the end.');
  expect(summary.overlapMs).toBe(overlapOf(summary.agentSegments, summary.userSegments));
  expect(summary.bargeInMs).toEqual([]);
  expect(summary.heardErrorMs.length).toBeGreaterThan(2);

  // The file is what the summary was measured on.
  const { samples, rateHz } = parseWav(await readFile(folder.file('out.wav')));
  expect(rateHz).toBe(48_000);
  const segments: readonly Segment[] = summary.agentSegments.map(({ startMs, endMs }) => ({ startMs, endMs }));
  expect(detectSegments(samples, rateHz)).toEqual(segments);
  console.log(`  gaps ${summary.responseGapMs.join(', ')} ms; heard errors ${summary.heardErrorMs.join(', ')} ms`);

  // For a person, in words.
  const { stdout: text } = await run(process.execPath, [join(root, 'test/call/main.mjs'), ...common, '--tail', '0']);
  expect(text).toContain('joined room');
  expect(text).toContain('agent  “one”');
  expect(text).toContain('What was heard:');
});
