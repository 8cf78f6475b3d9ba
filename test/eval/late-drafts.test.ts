import { expect, it } from 'vitest';
import { lateDrafts, withLateDrafts } from './late-drafts.js';
import { event, heard } from './scripted-sessions.js';

const TURNS = 100;
const marksOf = (typed: readonly string[]) => typed.flatMap((text, turn) => (text === '' ? [] : [[turn, text]]));

function sessionOf(events: ReturnType<typeof event>[], typed: Record<number, string> = {}, playing?: number) {
  const play = new Uint8Array(TURNS);
  if (playing !== undefined) play[playing] = 1;
  return heard(events, {}, { play, typed: Array.from({ length: TURNS }, (_, turn) => typed[turn] ?? '') }).session;
}

it('tells of drafts in silences, and that they are void when the user goes on', () => {
  const events = [event('hold', 2, 5), event('yield', 8, 12), event('hold', 14, 14.8), event('yield', 16, 16.8)];
  const late = withLateDrafts(sessionOf(events, { 3: 'stop <draft>', 4: '<dropped>' }));
  expect(marksOf(late.typed)).toEqual([
    [3, 'stop'],
    [13, '<draft>'],
    [23, '<draft>'],
    [26, '<dropped>'],
    [43, '<draft>'],
    [61, '<dropped>'],
  ]);
  expect(late.events.map(({ kind }) => kind)).toEqual(['draft in a pause', 'draft after the end']);
});

it('leaves out ends at which the agent speaks or the user types', () => {
  expect(withLateDrafts(sessionOf([event('yield', 8, 12)], {}, 44)).events).toEqual([]);
  expect(withLateDrafts(sessionOf([event('yield', 8, 12)], { 41: 'hello' })).events).toEqual([]);
});

it('wants a commit after the end, and none in a pause, of a listener that is told', () => {
  const events = [event('hold', 2, 5), event('hold', 5.5, 7), event('yield', 8, 12), event('yield', 14, 18)];
  const session = withLateDrafts(sessionOf(events));
  const { track } = heard([], { says: [3, 8.8, 15.9].map((at) => ({ at, what: 'commit' })) });
  const figures = lateDrafts([{ session, track, reads: true }]);
  expect(figures.map((figure) => [figure.value, figure.n])).toEqual([
    [0.5, 2],
    [0.5, 2],
  ]);
  expect(lateDrafts([{ session, track, reads: false }])[0]!.n).toBe(0);
});
