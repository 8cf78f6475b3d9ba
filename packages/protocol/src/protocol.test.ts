import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MicroturnError,
  decodeJson,
  errorCodes,
  isSessionEvent,
  limits,
  parseClientMessage,
  parseServerMessage,
  parseSessionEvent,
  rtpAdvance,
  rtpDistance,
  samplesPerTurn,
  sequenceDistance,
  turnAt,
} from './index.js';

const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof MicroturnError) return error.code;
    throw error;
  }
  return 'none';
};

describe('errors', () => {
  it('every code says what to do about it', () => {
    for (const each of errorCodes) {
      const error = new MicroturnError(each, 'detail');
      expect(error.hint.length).toBeGreaterThan(5);
      expect(error.message).toContain('detail');
    }
  });

  it('cross the wire intact', () => {
    for (const each of errorCodes) {
      const retryAfterMs = 1500;
      for (const error of [
        new MicroturnError(each),
        new MicroturnError(each, 'why'),
        new MicroturnError(each, 'why', { retryAfterMs }),
      ]) {
        expect(MicroturnError.fromWire(error.toWire()).toWire()).toEqual(error.toWire());
      }
    }
  });

  it('fault 45: of a newer peer’s, a code that is not known here is said to be that, and all else is as it was sent', () => {
    for (const retryable of [true, false]) {
      const wire = { code: 'future/thing', message: 'new trouble', retryable, hint: 'wait a year', retryAfterMs: 5 };
      const error = MicroturnError.fromWire(wire);
      expect(error).toMatchObject({ code: 'protocol/unknown', retryable, hint: 'wait a year', retryAfterMs: 5, wire });
      expect(error.message).toContain('future/thing: new trouble');
      expect(error.toWire()).toEqual(wire);
    }
  });
});

describe('messages at the door', () => {
  const join = { type: 'join', id: 1, protocol: 1, token: 'x' };

  it('a known message is parsed, and unknown fields are dropped', () => {
    expect(parseClientMessage({ ...join, extra: 1 })).toEqual(join);
  });

  it('fault 45: an unknown type is undefined: a newer peer', () => {
    expect(parseClientMessage({ type: 'teleport' })).toBeUndefined();
    expect(parseServerMessage({ type: 'teleport', seq: 1 })).toBeUndefined();
  });

  it('names that every object inherits are not types', () => {
    for (const type of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(parseClientMessage({ type })).toBeUndefined();
    }
  });

  it('a bad field is refused and named', () => {
    expect(code(() => parseClientMessage({ ...join, token: 5 }))).toBe('protocol/malformed');
    expect(() => parseClientMessage({ ...join, token: 5 })).toThrow(/join token/);
    expect(code(() => parseClientMessage({ ...join, id: 0 }))).toBe('protocol/malformed');
    expect(
      code(() => parseClientMessage({ type: 'heard', rtpTimestamp: 2 ** 32, outputLatencyMs: 0, state: 'playing' })),
    ).toBe('protocol/malformed');
  });

  it('text is bounded at exactly the limit', () => {
    const say = (length: number) => ({ type: 'say', id: 1, text: 'a'.repeat(length) });
    expect(code(() => parseClientMessage(say(limits.textChars)))).toBe('none');
    expect(code(() => parseClientMessage(say(limits.textChars + 1)))).toBe('protocol/malformed');
  });

  it('never fails with anything but a coded error', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (value) => {
        expect(['none', 'protocol/malformed']).toContain(code(() => parseClientMessage(value)));
        expect(['none', 'protocol/malformed']).toContain(code(() => parseServerMessage(value)));
      }),
    );
  });

  it('a session event is told from a message of the socket', () => {
    const event = { type: 'response.cut', seq: 1, at: 200, turn: 1, responseId: 'r' };
    expect(parseSessionEvent(event)).toEqual(event);
    const parsed = parseServerMessage(event);
    expect(parsed && isSessionEvent(parsed)).toBe(true);
    const reply = parseServerMessage({ type: 'reply', id: 1 });
    expect(reply && isSessionEvent(reply)).toBe(false);
  });
});

describe('the patch of a surface', () => {
  const patched = (patch: unknown, surfaceId = 's') =>
    code(() => parseSessionEvent({ type: 'ui.patch', seq: 1, at: 0, turn: 0, surfaceId, patch }));
  const add = { op: 'add', path: '/a', value: 1 };

  it('takes add, replace and remove, at JSON pointers', () => {
    expect(patched([add, { op: 'replace', path: '', value: null }, { op: 'remove', path: '/a~1b/~0/0/-' }])).toBe(
      'none',
    );
    for (const bad of [
      { ...add, op: 'move', from: '/b' },
      { op: 'add', path: '/a' },
      { ...add, path: 'a' },
      { ...add, path: '/a~2' },
      { ...add, path: '/a~' },
      'add',
    ]) {
      expect(patched([bad])).toBe('protocol/malformed');
    }
    expect(patched([add], '')).toBe('protocol/malformed');
  });

  it('is bounded at exactly the limits', () => {
    expect(patched([])).toBe('protocol/malformed');
    expect(patched(Array.from({ length: limits.patchOperations }, () => add))).toBe('none');
    expect(patched(Array.from({ length: limits.patchOperations + 1 }, () => add))).toBe('protocol/malformed');

    const pointer = (chars: number) => [{ ...add, path: `/${'a'.repeat(chars - 1)}` }];
    expect(patched(pointer(limits.pointerChars))).toBe('none');
    expect(patched(pointer(limits.pointerChars + 1))).toBe('protocol/malformed');

    const overhead = JSON.stringify([{ ...add, value: '' }]).length;
    const sized = (chars: number) => [{ ...add, value: 'a'.repeat(chars - overhead) }];
    expect(patched(sized(limits.patchChars))).toBe('none');
    expect(patched(sized(limits.patchChars + 1))).toBe('protocol/malformed');
  });
});

describe('decodeJson', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

  it('nesting is bounded at exactly the limit', () => {
    expect(code(() => decodeJson(nested(limits.messageDepth)))).toBe('none');
    expect(code(() => decodeJson(nested(limits.messageDepth + 1)))).toBe('protocol/too-large');
  });

  it('brackets inside strings do not nest', () => {
    expect(decodeJson(JSON.stringify('[[[[[[[[[[[[[[[[[[[[[["\\'))).toBe('[[[[[[[[[[[[[[[[[[[[[["\\');
  });

  it('size is bounded, and what is not JSON is refused', () => {
    expect(code(() => decodeJson(`"${'a'.repeat(limits.messageBytes)}"`))).toBe('protocol/too-large');
    expect(code(() => decodeJson('{'))).toBe('protocol/malformed');
  });

  it('agrees with JSON.parse within the limits', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        expect(decodeJson(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('time', () => {
  it('distances on the RTP clocks survive the wrap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: -1e9, max: 1e9 }), (from, by) => {
        expect(rtpDistance(from, rtpAdvance(from, by))).toBe(by);
      }),
    );
    expect(sequenceDistance(65_535, 0)).toBe(1);
    expect(sequenceDistance(0, 65_535)).toBe(-1);
  });

  it('a micro-turn is found by its time', () => {
    expect(turnAt(0, 200)).toBe(0);
    expect(turnAt(199.9, 200)).toBe(0);
    expect(turnAt(200, 200)).toBe(1);
    expect(samplesPerTurn(200, 16_000)).toBe(3200);
    expect(() => samplesPerTurn(0.1, 16_000)).toThrow(RangeError);
  });
});
