import { describe, expect, it } from 'vitest';
import { event, heard, value } from './scripted-sessions.js';
import { skills } from './skills.js';

const marks = (at: Record<number, string>) => Array.from({ length: 100 }, (_, turn) => at[turn] ?? '');
const reader = (...given: Parameters<typeof heard>) => ({ ...heard(...given), reads: true });
const reminders = (...moments: number[]) => ({ says: moments.map((at) => ({ at: at + 0.1, what: 'remind' })) });

describe('a result that was called off', () => {
  const measure = 'result said after it was called off';
  const typed = marks({ 20: '<result>', 25: '<dropped>', 50: '<result>', 60: '<draft>', 65: '<dropped>' });
  const events = [event('cancel', 3.5, 4.5)];
  const said = (...moments: number[]) =>
    skills([reader(events, { says: moments.map((at) => ({ at, what: 'relay' })) }, { typed })]).find(
      (figure) => figure.measure === measure,
    );

  it('is not to be said, until there is another', () => {
    expect(said(8)).toMatchObject({ value: 1, n: 1 });
    // Before the words that call it off can be known, and after the next result.
    expect(said(4.4, 4.6, 10.4)).toMatchObject({ value: 0, n: 1 });
  });

  it('is not judged of a listener that is not told of it', () => {
    expect(value(skills([heard(events, {}, { typed })]), measure)).toBeUndefined();
  });
});

describe('reminders every few seconds', () => {
  const measure = 'reminders that go on after a stop';
  const run = [event('remind', 2, 4, 2), event('remind', 4, 6, 2), event('stop', 6.8, 7.4)];

  it('end where they are stopped', () => {
    const wentOn = (...moments: number[]) => value(skills([heard(run, reminders(...moments))]), measure);
    expect(wentOn(4, 6)).toBe(0);
    expect(wentOn(4, 6, 8)).toBe(1);
    // Far from any that would have followed: of something else.
    expect(wentOn(4, 6, 15)).toBe(0);
    // Nothing goes on that never came.
    expect(wentOn(8)).toBeUndefined();
  });

  it('are not taken for those of another request', () => {
    const both = [...run, event('remind', 5, 10, 5)];
    expect(value(skills([heard(both, reminders(4, 6, 10))]), measure)).toBe(0);
  });

  it('are not judged where the session ends before the next one', () => {
    const late = [event('remind', 12, 15, 3), event('remind', 15, 18, 3), event('stop', 18.4, 18.8)];
    expect(value(skills([heard(late, reminders(15, 18))]), measure)).toBeUndefined();
  });
});

it('tells final counts of sessions in which something is corrected from the others', () => {
  const counts = [event('count', 2, 2.2, 1), event('count', 4, 4.2, 2)];
  const corrected = (turn: number) => ({ floor: new Uint8Array(100).fill(3, turn, turn + 3) });
  const wrong = { says: [{ at: 2.4, what: 'one' }, { at: 4.4, what: 'two' }, { at: 5, what: 'three' }] }; // prettier-ignore
  const right = { says: wrong.says.slice(0, 2) };
  const figures = skills([
    heard(counts, wrong, corrected(22)),
    heard(counts, right),
    heard(counts, right, corrected(2)),
    heard([], right, corrected(22)),
  ]);
  expect(value(figures, 'final count exact, with a correction')).toBe(0);
  expect(figures.at(-1)).toMatchObject({ measure: 'final count exact, without one', value: 1, n: 2 });
});
