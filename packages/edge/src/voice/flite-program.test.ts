import { beforeAll, describe, expect, it } from 'vitest';
import { FliteProgram, INPUT_PATH, OUTPUT_PATH, parseWav } from './flite-program.js';

describe('FliteProgram', () => {
  let program: FliteProgram;
  beforeAll(async () => {
    program = await FliteProgram.load();
  });
  const say = (text: string) => program.run(['-voice', 'slt', '-psdur', '-t', text, '-o', OUTPUT_PATH]);

  it('gives what it prints and the sound that it writes', () => {
    const { stdout, wav } = say('one');
    expect(stdout).toMatch(/^pau:\d\.\d{3} w:/);
    const { pcm, rateHz } = parseWav(wav!);
    expect(rateHz).toBe(16_000);
    expect(pcm.length).toBeGreaterThan(8_000);
  });

  it('starts every run from the same memory', () => {
    const first = say('hello there');
    say('something else that is a good deal longer than the first, so that memory grows');
    expect(say('hello there')).toEqual(first);
  });

  it('stays flat over many runs', () => {
    say('one');
    const before = process.memoryUsage();
    for (let i = 0; i < 60; i++) say(`number ${i}`);
    const after = process.memoryUsage();
    // One instance is 17 MB, and 60 sounds are 2 MB: a leak of instances would be a gigabyte.
    expect(after.rss - before.rss).toBeLessThan(64 * 2 ** 20);
  });

  it('reads text from a file, and takes text that looks like an option', () => {
    expect(program.run(['-voice', 'kal16', '-pw', '-f', INPUT_PATH, '-o', 'none'], 'from a file').stdout.trim()).toBe(
      'from a file',
    );
    expect(program.run(['-voice', 'kal16', '-pw', '-t', '-lv', '-o', 'none']).stdout.trim()).not.toContain('Voices');
  });

  it('runs again after a run that failed', () => {
    expect(() => program.run(['-lv', '-x'])).not.toThrow();
    expect(() => program.run(['--version'])).toThrow('status 1');
    expect(say('one').stdout).toMatch(/^pau:/);
  });
});

describe('parseWav', () => {
  it.each([
    ['nothing', new Uint8Array(0)],
    ['another format', new TextEncoder().encode('OggS'.repeat(20))],
    ['a header alone', new TextEncoder().encode('RIFF\0\0\0\0WAVE')],
  ])('refuses %s', (_, bytes) => {
    expect(() => parseWav(bytes)).toThrow(/expected/);
  });
});
