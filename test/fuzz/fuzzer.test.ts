import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../support/random.js';
import { corpusOf } from './fuzz.js';
import { Fuzzer, type Target } from './fuzzer.js';
import { mutateBytes, mutateJson } from './mutate.js';
import { targets } from './targets.js';

/** A fuzzer of `run` in an own time, one ms a run; which branches are taken `run` says by `reach`. */
function fuzz(
  run: (input: Uint8Array, reach: (branch: string) => void) => void,
  { runs = 50_000, mutate = mutateBytes, corpus = [new Uint8Array(4)] } = {},
) {
  let reached = new Set<string>();
  let ms = 0;
  const target: Target = { name: 'test', mutate, run: (input) => run(input, (branch) => reached.add(branch)) };
  const fuzzer = new Fuzzer({
    target,
    corpus,
    random: new SeededRandom(1),
    takeCoverage: () => {
      const taken = reached;
      reached = new Set();
      return taken;
    },
    note: () => undefined,
    cpuMs: () => ms++,
  });
  return fuzzer.run(() => ms >= runs);
}

describe('every parser', () => {
  it.each(targets)('$name handles its corpus as it should', ({ name, run }) => {
    const corpus = corpusOf(name);
    expect(corpus.length).toBeGreaterThanOrEqual(5);
    for (const input of corpus) expect(() => run(input)).not.toThrow();
  });
});

describe('the fuzzer', () => {
  it('finds what is four right bytes away, step by step, and gives it without what it does not need', () => {
    const { finding, kept } = fuzz((input, reach) => {
      for (let i = 0; i < 4; i++) {
        if (input[i] !== [0x12, 0xff, 0x00, 0x80][i]) return;
        reach(`byte ${i}`);
      }
      throw new Error('found');
    });
    expect(finding?.error.message).toBe('found');
    expect(finding?.input).toEqual(Uint8Array.of(0x12, 0xff, 0x00, 0x80));
    expect(kept.length).toBeGreaterThanOrEqual(2);
  });

  it('does not find that without knowing which code was reached', () => {
    const { finding } = fuzz((input) => {
      if ([0x12, 0xff, 0x00, 0x80, 0x01, 0x7b].every((byte, i) => input[i] === byte)) throw new Error('found');
    });
    expect(finding).toBeUndefined();
  });

  it('finds what is deep in JSON', () => {
    const corpus = [new TextEncoder().encode('{"type":"say","text":"x","list":[1,2]}')];
    const { finding } = fuzz(
      (input) => {
        const value = JSON.parse(new TextDecoder().decode(input)) as { list?: unknown } | null;
        if (Array.isArray(value?.list) && value.list.length > 4) throw new Error('long');
      },
      { mutate: (...args) => withJson(mutateJson(...args)), corpus },
    );
    expect(finding?.error.message).toBe('long');
  });

  it('takes a run that is slow every time for a finding', () => {
    let ms = 0;
    const target: Target = { name: 'slow', mutate: mutateBytes, run: (input) => (ms += input.length > 6 ? 60 : 1) };
    const fuzzer = new Fuzzer({
      target,
      corpus: [new Uint8Array(4)],
      random: new SeededRandom(1),
      takeCoverage: () => new Set<string>(),
      note: () => undefined,
      cpuMs: () => ms,
    });
    const { finding } = fuzzer.run(() => ms >= 10_000);
    expect(finding?.error.message).toBe('took 60 ms');
    expect(finding?.input).toHaveLength(7);
  });

  it('does the same again for the same seed', () => {
    const inputs = () => {
      const seen: string[] = [];
      fuzz((input) => seen.push(Buffer.from(input).toString('hex')), { runs: 4000 });
      return seen;
    };
    expect(inputs()).toEqual(inputs());
  });
});

/** What is no JSON any more is not what this is about. */
function withJson(bytes: Uint8Array): Uint8Array {
  try {
    JSON.parse(new TextDecoder().decode(bytes));
    return bytes;
  } catch {
    return new TextEncoder().encode('null');
  }
}
