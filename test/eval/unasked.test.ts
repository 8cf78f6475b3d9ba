import { describe, expect, it } from 'vitest';
import type { Decision } from '../../packages/edge/src/engine/types.js';
import { value } from './scripted-sessions.js';
import { SAMPLES_PER_TURN } from './test-sets.js';
import { BLIND } from './typed-blind.js';
import { scenes, spokenAnswers, told, UnaskedRoom } from './unasked.js';

const MARK = '<result>';
const answer = new Int16Array(5 * SAMPLES_PER_TURN).fill(7);
const [nothing, typed, notes, offered] = scenes;

/** A room, and what its model decides micro-turn after micro-turn; nothing, unless `decide` says otherwise. */
function lived(scene = offered!, decide: (turn: number, room: UnaskedRoom) => Partial<Decision> = () => ({})) {
  const room = new UnaskedRoom(scene, { mic: Int16Array.of(0), answers: [answer, answer] }, 0);
  for (let index = 0; index < room.sound.play.length; index++) {
    const nothingDecided = { lease: 0, index, floor: 'silent', confidence: 1, words: [], say: '', acts: [] } as const;
    room.heed({ ...nothingDecided, ...decide(index, room) } as Decision, MARK);
  }
  return room;
}
const marksIn = ({ sound }: UnaskedRoom) =>
  sound.typed!.flatMap((text, turn) => (text.includes('<') ? [`${turn} ${text}`] : []));

describe('a room where nobody speaks', () => {
  it('has messages, or results, or neither', () => {
    expect(lived(nothing).sound.typed!.join('')).toBe('');
    expect(lived(typed).sound.typed!.filter(Boolean)).toHaveLength(2);
    expect(marksIn(lived(typed))).toEqual([]);
    expect(lived().sound.mic.some(Boolean)).toBe(false);
  });

  it('has all the names, codes and numbers typed in some of so many', () => {
    const rooms = Array.from(
      { length: 32 },
      (_, place) => new UnaskedRoom(notes!, { mic: undefined, answers: [] }, place),
    );
    const texts = new Set(rooms.flatMap(({ sound }) => sound.typed!.filter(Boolean)));
    expect(texts).toEqual(new Set(BLIND.notes));
  });

  it('is of one kind with others: all words that nobody knows are typed somewhere', () => {
    const rooms = Array.from(
      { length: 32 },
      (_, place) => new UnaskedRoom(typed!, { mic: undefined, answers: [] }, place),
    );
    const texts = new Set(rooms.flatMap(({ sound }) => sound.typed!.filter(Boolean)));
    for (const strange of ['zorvath', 'quimble', 'brelto', 'q7a', 'hask 8', 'vendrick'])
      expect(texts).toContain(strange);
    expect(texts.size).toBeGreaterThan(16);
  });

  it('tells of a result that waits every two seconds, and says it after ten', () => {
    const room = lived();
    expect(marksIn(room).slice(0, 3)).toEqual(['11 <result>', '21 <result>', '31 <result>']);
    expect(room.sound.play.indexOf(1)).toBe(61);
    expect(room).toMatchObject({ speaks: false, relayed: 0 });
  });

  it('is heard relaying at once where the model says so, and that is nothing unasked', () => {
    const room = lived(offered, (turn, { sound }) => (sound.typed![turn] === MARK ? { acts: ['relay'] } : {}));
    expect(room).toMatchObject({ speaks: false, relayed: 2 });
    expect([...room.sound.play.subarray(11, 18)]).toEqual([0, 1, 1, 1, 1, 1, 0]);
    expect(room.sound.ref[12 * SAMPLES_PER_TURN]).toBe(7);
  });

  it('hears a word that nobody asked for, a backchannel as well', () => {
    expect(lived(nothing, (turn) => (turn === 9 ? { say: 'eight' } : {})).speaks).toBe(true);
    expect(lived(typed, (turn) => (turn === 9 ? { acts: ['backchannel'] } : {})).speaks).toBe(true);
    // Nothing waits: whoever relays that is not heard.
    expect(lived(nothing, (turn) => (turn === 9 ? { acts: ['relay'] } : {})).speaks).toBe(false);
  });

  it('ends a result that stops itself', () => {
    const room = lived(offered, (turn, { sound }) => {
      if (sound.typed![turn] === MARK) return { acts: ['relay'] };
      return turn === 14 ? { acts: ['stop'] } : {};
    });
    expect(room).toMatchObject({ stopped: true, relayed: 2 });
    expect([...room.sound.play.subarray(11, 17)]).toEqual([0, 1, 1, 1, 0, 0]);
    expect(value(told('nobody asks', offered!, [room]), 'results offered: stopped by its own voice')).toBe(1);
  });

  it('is counted: those in which something is said, and results that were said at its word', () => {
    const quick = lived(offered, (turn, { sound }) => (sound.typed![turn] === MARK ? { acts: ['relay'] } : {}));
    const rash = lived(offered, (turn) => (turn === 3 ? { say: 'eight' } : {}));
    const figures = told('nobody asks', offered!, [quick, rash]);
    expect(value(figures, 'results offered: it says something')).toBe(0.5);
    expect(value(figures, 'results offered: relayed at its word')).toBe(0.5);
    expect(told('nobody asks', nothing!, [rash])).toHaveLength(1);
  });
});

it('has results to say in the voice that ships', async () => {
  const answers = await spokenAnswers();
  expect(answers.length).toBeGreaterThan(4);
  for (const answer of answers) {
    expect(answer.length / SAMPLES_PER_TURN).toBeGreaterThan(10); // two seconds
    expect(Math.max(...answer.map(Math.abs))).toBeGreaterThan(5000);
  }
});
