import type { SessionEvent } from '@microturn/sdk';
import { describe, expect, it } from 'vitest';
import { describeTurn, sayTurn } from './describe-turn.js';
import { floorRuns } from './floor-runs.js';
import {
  advanceTo,
  cellOf,
  cellsOf,
  fateOf,
  KEPT_TURNS,
  loseLine,
  newestTurn,
  newGrid,
  noteLevel,
  oldestTurn,
  recordEvent,
  type Grid,
} from './grid.js';

type Body<E = SessionEvent> = E extends SessionEvent ? Omit<E, 'seq' | 'turn'> : never;

function gridOf(...events: Body[]): Grid {
  let seq = 1;
  const started: SessionEvent = {
    seq,
    type: 'session.started',
    at: 0,
    turn: 0,
    sessionId: 's',
    room: 'r',
    participant: 'me',
    model: 'scripted',
    microTurnMs: 200,
    resumeToken: 't',
  };
  return events.reduce(
    (grid, event) => {
      const stamped = { ...event, seq: ++seq, turn: Math.floor(event.at / 200) } as SessionEvent;
      return advanceTo(recordEvent(grid, stamped), event.at);
    },
    recordEvent(newGrid(), started),
  );
}

const floor = (at: number, value: 'silent' | 'speaking' | 'holding' | 'yielded', participant = 'me'): Body => ({
  type: 'floor.changed',
  at,
  participant,
  floor: value,
  confidence: 0.9,
});
const word = (endMs: number, text: string, participant = 'me'): Body => ({
  type: 'transcript.word',
  at: endMs + 150,
  participant,
  text,
  endMs,
  confidence: 0.8,
  final: true,
});
/** Three words of 400 ms each, sent from 1000 ms on. */
const saying: Body[] = [
  { type: 'response.started', at: 990, responseId: 'a', kind: 'proactive', audience: 'room' },
  {
    type: 'response.text',
    at: 1000,
    responseId: 'a',
    text: 'a long walk',
    words: [
      { text: 'a', startMs: 0, endMs: 400 },
      { text: 'long', startMs: 400, endMs: 800 },
      { text: 'walk', startMs: 800, endMs: 1200 },
    ],
  },
];
const heard = (at: number, heardMs: number): Body => ({
  type: 'response.heard',
  at,
  responseId: 'a',
  heardMs,
  heardText: '',
});

const turnsWhere = (grid: Grid, test: (cell: ReturnType<typeof cellOf>) => unknown) =>
  cellsOf(grid, 0, newestTurn(grid))
    .filter(test)
    .map(({ turn }) => turn);

describe('the floor', () => {
  it('holds until it changes, and is silent before anything is known', () => {
    const grid = advanceTo(gridOf(floor(400, 'speaking'), floor(900, 'yielded')), 1100);
    expect(cellsOf(grid, 0, 5).map((cell) => cell.floor)).toEqual([
      'silent',
      'silent',
      'speaking',
      'speaking',
      'yielded',
      'yielded',
    ]);
  });

  it('is ours alone: other participants have grids of their own', () => {
    const grid = gridOf(floor(400, 'speaking', 'somebody'), word(600, 'cat', 'somebody'));
    expect(cellOf(grid, 3).floor).toBe('silent');
    expect(grid.words).toEqual([]);
  });

  it('is still known at the oldest cell, however long ago it changed', () => {
    const grid = advanceTo(gridOf(floor(400, 'speaking'), floor(600, 'holding')), 200 * KEPT_TURNS * 3);
    expect(grid.floors).toHaveLength(1);
    expect(cellOf(grid, oldestTurn(grid)).floor).toBe('holding');
  });

  it('is named once per stretch', () => {
    const grid = advanceTo(gridOf(floor(400, 'speaking'), floor(800, 'silent')), 1000);
    expect(floorRuns(cellsOf(grid, 0, 5))).toEqual([
      { floor: 'silent', from: 0, to: 1 },
      { floor: 'speaking', from: 2, to: 3 },
      { floor: 'silent', from: 4, to: 5 },
    ]);
  });
});

describe('what the agent says', () => {
  it('fills the cells in which it was sent, and none ahead of now', () => {
    expect(turnsWhere(advanceTo(gridOf(...saying), 1500), (cell) => cell.said)).toEqual([5, 6, 7]);
    expect(turnsWhere(advanceTo(gridOf(...saying), 5000), (cell) => cell.said)).toEqual([5, 6, 7, 8, 9, 10]);
  });

  it('goes on where the clause before it ended, though it was made earlier', () => {
    const more: Body = {
      type: 'response.text',
      at: 1050,
      responseId: 'a',
      text: 'home',
      words: [{ text: 'home', startMs: 1200, endMs: 1500 }],
    };
    const grid = gridOf(...saying, more);
    expect(grid.speeches[0]?.words.at(-1)).toMatchObject({ text: 'home', fromMs: 2200, toMs: 2500, endMs: 1500 });
  });

  it('starts late where a clause is made late', () => {
    const more: Body = {
      type: 'response.text',
      at: 3000,
      responseId: 'a',
      text: 'home',
      words: [{ text: 'home', startMs: 1200, endMs: 1500 }],
    };
    const grid = advanceTo(gridOf(...saying, more), 4000);
    expect(turnsWhere(grid, (cell) => cell.said)).toEqual([5, 6, 7, 8, 9, 10, 15, 16]);
  });

  it('is heard where the listener played it, which is later than it was sent', () => {
    const reports = [100, 200, 300, 400].map((ms) => heard(1120 + ms, ms));
    const grid = advanceTo(gridOf(...saying, ...reports), 2000);
    expect(turnsWhere(grid, (cell) => cell.heard)).toEqual([5, 6, 7]);
    expect(grid.speeches[0]?.heard).toEqual([{ fromMs: 1120, toMs: 1520 }]);
  });

  it('ends where it is cut: what was not heard by then is unheard', () => {
    const grid = advanceTo(
      gridOf(
        ...saying,
        heard(1300, 200),
        heard(1500, 400),
        { type: 'response.cut', at: 1700, responseId: 'a' },
        {
          type: 'response.interrupted',
          at: 1720,
          responseId: 'a',
          by: 'user',
          heardMs: 580,
          heardText: 'a',
          unheardText: 'long walk',
        },
      ),
      4000,
    );
    expect(turnsWhere(grid, (cell) => cell.said)).toEqual([5, 6, 7, 8]);
    expect(turnsWhere(grid, (cell) => cell.cut)).toEqual([8]);
    const [speech] = grid.speeches;
    expect(speech?.words.map((each) => fateOf(speech, each))).toEqual(['heard', 'unheard', 'unheard']);
  });

  it('is pending until it was played', () => {
    const [speech] = gridOf(...saying, heard(1600, 400)).speeches;
    expect(speech?.words.map((each) => fateOf(speech, each))).toEqual(['heard', 'pending', 'pending']);
  });
});

describe('interruptions', () => {
  it('are marked in both directions, with whether the floor changed hands', () => {
    const grid = gridOf(
      { type: 'interruption', at: 400, kind: 'interjection', participant: 'me', taken: true },
      { type: 'interruption', at: 800, kind: 'backchannel', participant: 'me', taken: false },
    );
    expect(grid.marks).toMatchObject([
      { turn: 2, kind: 'interjection', taken: true },
      { turn: 4, kind: 'backchannel', taken: false },
    ]);
  });

  it('by this page are marked too', () => {
    const grid = gridOf(...saying, {
      type: 'response.interrupted',
      at: 1400,
      responseId: 'a',
      by: 'client',
      heardMs: 200,
      heardText: '',
      unheardText: 'a long walk',
    });
    expect(grid.marks).toMatchObject([{ turn: 7, kind: 'stop' }]);
    expect(cellOf(grid, 7).cut).toBe(true);
  });
});

describe('your voice', () => {
  it('is as loud as the loudest moment of the micro-turn', () => {
    let grid = gridOf(floor(400, 'speaking'));
    for (const rms of [0.01, 0.1, 0.03]) grid = noteLevel(grid, rms, 450);
    expect(cellOf(grid, 2).loudness).toBeCloseTo((60 - 20) / 60);
    expect(cellOf(noteLevel(grid, 0, 650), 3).loudness).toBe(0);
  });

  it('is drawn from the words where nothing measures it', () => {
    const grid = gridOf(word(700, 'cat'));
    expect(turnsWhere(grid, (cell) => cell.loudness > 0)).toEqual([2, 3]);
  });
});

describe('a lost line', () => {
  const lost = advanceTo(loseLine(gridOf(floor(400, 'speaking'), ...saying, floor(1300, 'holding')), 1500), 3100);
  const resumed = (grid: Grid, lostMs: number) =>
    recordEvent(grid, { type: 'session.resumed', seq: 90, at: 3100, turn: 15, lostMs });

  it('leaves what nobody has told blank, whatever the floor was before', () => {
    const loud = noteLevel(lost, 0.5, 1700);
    expect(turnsWhere(loud, (cell) => cell.floor === undefined)).toEqual([7, 8, 9, 10, 11, 12, 13, 14, 15]);
    expect(cellOf(loud, 6).floor).toBe('holding');
    expect(turnsWhere(loud, (cell) => cell.loudness > 0 && cell.turn > 6)).toEqual([]);
    expect(describeTurn(loud, 9)).toMatchObject({ floor: 'no line', confidence: undefined });
  });

  it('cuts what was being said, and what was to come of it is unheard', () => {
    expect(turnsWhere(lost, (cell) => cell.said)).toEqual([5, 6]);
    expect(turnsWhere(lost, (cell) => cell.cut)).toEqual([7]);
    expect(fateOf(lost.speeches[0]!, lost.speeches[0]!.words[2]!)).toBe('unheard');
  });

  it('that is found again without a loss shows what was missed', () => {
    const told = recordEvent(lost, { ...floor(2000, 'silent'), seq: 80, turn: 10 } as SessionEvent);
    const grid = resumed(told, 0);
    expect(cellsOf(grid, 8, 11).map((cell) => cell.floor)).toEqual(['holding', 'holding', 'silent', 'silent']);
  });

  it('stays blank where the edge was lost with it, and later micro-turns are known again', () => {
    const grid = advanceTo(resumed(lost, 1600), 3500);
    expect(turnsWhere(grid, (cell) => cell.floor === undefined)).toEqual([7, 8, 9, 10, 11, 12, 13, 14]);
    expect(floorRuns(cellsOf(grid, 5, 16)).map((run) => run.floor)).toEqual([
      'speaking',
      'holding',
      undefined,
      'holding',
    ]);
  });

  it('is one gap, however often it is said, and is forgotten with the minute', () => {
    expect(loseLine(lost, 2000)).toBe(lost);
    expect(advanceTo(resumed(lost, 1600), 200 * KEPT_TURNS * 2).gaps).toEqual([]);
  });
});

describe('a micro-turn in words', () => {
  const grid = advanceTo(
    gridOf(floor(1000, 'speaking'), ...saying, word(1090, '<unk>'), word(1190, 'cat'), heard(1500, 400)),
    1600,
  );

  it('says who said what, and what became of it', () => {
    expect(describeTurn(grid, 5)).toEqual({
      turn: 5,
      time: '0:01.0',
      floor: 'speaking',
      confidence: '90 %',
      you: [
        { text: '<unk>', unknown: true },
        { text: 'cat', unknown: false },
      ],
      agent: [{ text: 'a', fate: 'heard' }],
      heard: true,
      marks: [],
    });
  });

  it('reads well aloud', () => {
    expect(sayTurn(describeTurn(grid, 5))).toBe(
      '0:01.0; floor speaking, 90 %; you: an unknown word cat; agent: a; agent heard',
    );
  });
});

describe('memory', () => {
  it('is bounded by the minute that is kept', () => {
    let grid = gridOf();
    let seq = 2;
    for (let at = 0; at < 600_000; at += 400) {
      const stamp = { at, turn: Math.floor(at / 200) };
      const id = `r${at}`;
      const events: SessionEvent[] = [
        { ...word(at, 'cat'), ...stamp, seq: ++seq } as SessionEvent,
        { ...floor(at, at % 800 ? 'silent' : 'speaking'), ...stamp, seq: ++seq } as SessionEvent,
        { type: 'response.started', responseId: id, kind: 'reply', audience: 'room', ...stamp, seq: ++seq },
        {
          type: 'response.text',
          responseId: id,
          text: 'one',
          words: [{ text: 'one', startMs: 0, endMs: 300 }],
          ...stamp,
          seq: ++seq,
        },
        { type: 'interruption', kind: 'barge-in', participant: 'me', taken: false, ...stamp, seq: ++seq },
      ];
      grid = noteLevel(advanceTo(events.reduce(recordEvent, grid), at), 0.1, at);
    }
    for (const list of [grid.words, grid.floors, grid.speeches, grid.marks])
      expect(list.length).toBeLessThanOrEqual(KEPT_TURNS / 2 + 2);
    expect(grid.levels.size).toBeLessThanOrEqual(KEPT_TURNS);
  });

  it('ends with the call: another one starts on an empty grid', () => {
    const before = gridOf(floor(400, 'speaking'), ...saying);
    const after = recordEvent(before, {
      seq: 1,
      type: 'session.started',
      at: 0,
      turn: 0,
      sessionId: 's2',
      room: 'r',
      participant: 'me',
      model: 'scripted',
      microTurnMs: 200,
      resumeToken: 't',
    });
    expect(after).toEqual({ ...newGrid(200), me: 'me' });
  });

  it('never runs the clock back', () => {
    const grid = gridOf(floor(1000, 'speaking'));
    expect(advanceTo(grid, 500)).toBe(grid);
  });
});
