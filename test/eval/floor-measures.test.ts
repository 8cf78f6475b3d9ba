import { floors, type Floor } from '@microturn/protocol';
import { expect, it } from 'vitest';
import { toTrack } from './bundle-listener.js';
import { floorClasses } from './floor-measures.js';
import { heard } from './scripted-sessions.js';

const labels = (...names: Floor[]) => Uint8Array.from(names, (name) => floors.indexOf(name));

it('tells of each floor how much of it is found, and how much of what is taken for it is right', () => {
  const floor = labels('silent', 'speaking', 'holding', 'holding', 'yielded');
  const decided: Floor[] = ['silent', 'speaking', 'speaking', 'holding', 'holding'];
  const figures = floorClasses([heard([], { floors: decided }, { floor })]);
  const of = (measure: string) => figures.find((figure) => figure.measure === measure);
  expect(of('holding, recall')).toMatchObject({ value: 0.5, n: 2 });
  expect(of('holding, precision')).toMatchObject({ value: 0.5, n: 2 });
  expect(of('speaking, precision')).toMatchObject({ value: 0.5, n: 2 });
  expect(of('yielded, recall')).toMatchObject({ value: 0, n: 1 });
  expect(of('yielded, precision')).toMatchObject({ value: undefined, n: 0 });
});

it('has nothing to tell of a listener that only finds ends', () => {
  expect(floorClasses([heard([], { yields: [1] })]).every(({ n }) => n === 0)).toBe(true);
});

it('takes the floors from what a bundle decided, each in its micro-turn', () => {
  const decision = { lease: 0, words: [], confidence: 1, say: '', acts: [], stepMs: 0, lagMs: 0 };
  const track = toTrack((['silent', 'elsewhere'] as const).map((floor, index) => ({ ...decision, floor, index })));
  expect(track.floors).toEqual(['silent', 'elsewhere']);
});
