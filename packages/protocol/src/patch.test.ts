import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MicroturnError, limits, patchSurfaces, type PatchOperation, type Surfaces } from './index.js';

const none: Surfaces = new Map();
const change = (document: unknown, ...patch: PatchOperation[]): unknown =>
  patchSurfaces(new Map([['s', frozen(document)]]), { surfaceId: 's', patch }).get('s');

/** What may not be changed throws where it is. */
function frozen(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof MicroturnError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'none';
};

/** Keys that mean something to JavaScript, or to a pointer, are keys like all others. */
const Key = fc.oneof(
  fc.string({ maxLength: 3 }),
  fc.constantFrom('', '~', '/', '~1', '-', '0', '01', 'length', '__proto__', 'constructor', 'toString'),
);
const { document: Document } = fc.letrec<{ document: unknown; leaf: unknown }>((tie) => ({
  leaf: fc.oneof(fc.integer(), fc.string({ maxLength: 3 }), fc.boolean(), fc.constant(null)),
  document: fc.oneof(
    { maxDepth: 3 },
    tie('leaf'),
    fc.array(tie('document'), { maxLength: 4 }),
    // As JSON.parse makes it: '__proto__' is a property.
    fc.array(fc.tuple(Key, tie('document')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
}));

const below = (path: string, key: string | number) =>
  `${path}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Operations that make one document of another, in small steps: keys of objects, ends of arrays, else the value itself. */
function difference(from: unknown, to: unknown, path = ''): PatchOperation[] {
  if (Array.isArray(from) && Array.isArray(to)) {
    const both = Math.min(from.length, to.length);
    return [
      ...from.slice(both).map((_, i) => ({ op: 'remove', path: below(path, from.length - 1 - i) }) as const),
      ...from.slice(0, both).flatMap((value, i) => difference(value, to[i], below(path, i))),
      ...to.slice(both).map((value: unknown) => ({ op: 'add', path: below(path, '-'), value }) as const),
    ];
  }
  if (isObject(from) && isObject(to)) {
    const gone = Object.keys(from).filter((key) => !Object.hasOwn(to, key));
    return [
      ...gone.map((key) => ({ op: 'remove', path: below(path, key) }) as const),
      ...Object.entries(to).flatMap(([key, value]) =>
        Object.hasOwn(from, key)
          ? difference(from[key], value, below(path, key))
          : [{ op: 'add', path: below(path, key), value } as const],
      ),
    ];
  }
  return [{ op: 'replace', path, value: to }];
}

describe('a patch', () => {
  it('does what the examples of RFC 6902 say (appendix A)', () => {
    const examples: [unknown, PatchOperation, unknown][] = [
      [{ foo: 'bar' }, { op: 'add', path: '/baz', value: 'qux' }, { foo: 'bar', baz: 'qux' }],
      [{ foo: ['bar', 'baz'] }, { op: 'add', path: '/foo/1', value: 'qux' }, { foo: ['bar', 'qux', 'baz'] }],
      [{ baz: 'qux', foo: 'bar' }, { op: 'remove', path: '/baz' }, { foo: 'bar' }],
      [{ foo: ['bar', 'qux', 'baz'] }, { op: 'remove', path: '/foo/1' }, { foo: ['bar', 'baz'] }],
      [
        { baz: 'qux', foo: 'bar' },
        { op: 'replace', path: '/baz', value: 'boo' },
        { baz: 'boo', foo: 'bar' },
      ],
      [{ foo: 'bar' }, { op: 'add', path: '/child', value: { a: {} } }, { foo: 'bar', child: { a: {} } }],
      [
        { '/': 9, '~1': 10 },
        { op: 'replace', path: '/~01', value: 11 },
        { '/': 9, '~1': 11 },
      ],
      [{ foo: ['bar'] }, { op: 'add', path: '/foo/-', value: ['abc'] }, { foo: ['bar', ['abc']] }],
      [{ foo: 'bar' }, { op: 'replace', path: '', value: [1] }, [1]],
    ];
    for (const [before, operation, after] of examples) expect(change(before, operation)).toEqual(after);
    expect(refusal(() => change({ foo: 'bar' }, { op: 'add', path: '/baz/bat', value: 'qux' }))).toContain('ui/patch');
  });

  it('makes any document of any other, in one patch or in many', () => {
    fc.assert(
      fc.property(Document, Document, (from, to) => {
        const patch = difference(from, to);
        expect(change(from, ...patch)).toEqual(to);
        expect(patch.reduce<unknown>((document, operation) => change(document, operation), from)).toEqual(to);
      }),
    );
  });

  it('leaves what it does not touch as it is, the same object', () => {
    const before = { rows: [{ a: 1 }, { a: 2 }], other: {} };
    const after = change(before, { op: 'replace', path: '/rows/1/a', value: 3 }) as typeof before;
    expect(after).toEqual({ rows: [{ a: 1 }, { a: 3 }], other: {} });
    expect([after.rows[0], after.other]).toEqual([before.rows[0], before.other]);
    expect(after.rows[0]).toBe(before.rows[0]);
    expect(after.other).toBe(before.other);
    expect(after.rows).not.toBe(before.rows);
  });

  it('is refused whole where one operation has no place', () => {
    const document = { list: [1], text: 'abc', nothing: null };
    const fits: PatchOperation = { op: 'add', path: '/new', value: 1 };
    const paths = [
      '/missing',
      '/list/1',
      '/list/-',
      '/list/00',
      '/list/1e0',
      '/list/length',
      '/text/0',
      '/nothing/a',
      '/toString',
    ];
    for (const path of paths) {
      for (const operation of [{ op: 'remove', path } as const, { op: 'replace', path, value: 1 } as const]) {
        expect(refusal(() => change(document, fits, operation))).toContain(`s: no place '${path}' to ${operation.op}`);
      }
    }
    for (const path of ['/list/2', '/list/-1', '/list/01', '/text/0', '/nothing/a', '/missing/a']) {
      expect(refusal(() => change(document, fits, { op: 'add', path, value: 1 }))).toContain('ui/patch');
    }
    expect(document).toEqual({ list: [1], text: 'abc', nothing: null });
  });
});

describe('surfaces', () => {
  const draw = (surfaces: Surfaces, surfaceId: string, value: unknown) =>
    patchSurfaces(surfaces, { surfaceId, patch: [{ op: 'add', path: '', value }] });

  it('begin as an empty object, and go where the whole is removed', () => {
    const one = patchSurfaces(none, { surfaceId: 'a', patch: [{ op: 'add', path: '/x', value: 1 }] });
    expect([...one]).toEqual([['a', { x: 1 }]]);
    const two = draw(one, 'b', null);
    expect([...two]).toEqual([
      ['a', { x: 1 }],
      ['b', null],
    ]);
    expect([...patchSurfaces(two, { surfaceId: 'a', patch: [{ op: 'remove', path: '' }] })]).toEqual([['b', null]]);
    expect(refusal(() => patchSurfaces(two, { surfaceId: 'b', patch: [{ op: 'remove', path: '/x' }] }))).toContain(
      'ui/patch',
    );
    expect([...none]).toEqual([]);
  });

  it('are bounded at exactly the limits: how many, how long, how deep', () => {
    let full = none;
    for (let i = 0; i < limits.surfaces; i++) full = draw(full, `s${i}`, i);
    expect(full.size).toBe(limits.surfaces);
    expect(refusal(() => draw(full, 'one more', 1))).toContain('surfaces');
    expect(draw(full, 's0', 'again').get('s0')).toBe('again');

    const long = 'a'.repeat(limits.surfaceChars - 2);
    expect(refusal(() => draw(none, 's', long))).toBe('none');
    expect(refusal(() => draw(none, 's', `${long}a`))).toContain('characters');
    // What is one too long may still go.
    expect(patchSurfaces(draw(none, 's', long), { surfaceId: 's', patch: [{ op: 'remove', path: '' }] }).size).toBe(0);

    const deep = (levels: number): unknown => (levels === 0 ? 0 : [deep(levels - 1)]);
    expect(refusal(() => draw(none, 's', deep(limits.surfaceDepth)))).toBe('none');
    expect(refusal(() => draw(none, 's', deep(limits.surfaceDepth + 1)))).toContain('levels');
  });

  it('that are allowed can be sent whole, in one event', () => {
    // An event, its patch and an operation are around it.
    expect(limits.surfaceDepth + 3).toBeLessThanOrEqual(limits.messageDepth);
    expect(limits.surfaceChars).toBeLessThan(limits.patchChars);
  });
});
