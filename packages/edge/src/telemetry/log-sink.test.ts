import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { LogSink } from './log-sink.js';

it('fault 33: a log that nobody reads is bounded, and goes on when it is read again', async () => {
  const read: string[] = [];
  let take = () => {};
  // Its first write is taken when the test says so.
  const out = new Writable({
    decodeStrings: false,
    write: (line: string, _encoding, done) => {
      read.push(line);
      take = done;
    },
  });
  const sink = new LogSink(out, () => 7);
  const line = `${'x'.repeat(1023)}\n`;
  for (let i = 0; i < 5000; i++) sink.write(line);
  expect(out.writableLength).toBe(1024 * 1024);
  expect(read).toHaveLength(1);
  while (out.writableLength > 0) {
    take();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(read).toHaveLength(1024);
  sink.write('{"msg":"after"}\n');
  take();
  await new Promise((resolve) => setImmediate(resolve));
  expect(JSON.parse(read[1024]!)).toMatchObject({ level: 40, time: 7, dropped: 5000 - 1024 });
  expect(read.slice(1025)).toEqual(['{"msg":"after"}\n']);
});
