import { memo } from 'react';
import { fateOf, type Cell, type Grid, type GridWord, type Mark, type SpokenWord } from './grid.js';
import { floorRuns } from './floor-runs.js';
import { markNames, noLine } from './names.js';
import { spread } from './spread.js';
import { formatClock } from '../shell/format.js';

/** Closer than this, slanted words run into each other. */
const LYRIC_GAP_PX = 13;

interface LayerProps {
  readonly grid: Grid;
  readonly cells: readonly Cell[];
  /** px of one cell. */
  readonly cellPx: number;
}

/** Names each stretch of one floor that is long enough to carry its name. */
export function FloorLabels({ cells, cellPx }: LayerProps) {
  return floorRuns(cells)
    .map((run) => ({ ...run, name: run.floor ?? noLine.short }))
    .filter(({ floor, name, from, to }) => floor !== 'silent' && (to - from + 1) * cellPx > name.length * 7 + 10)
    .map(({ floor, name, from, to }) => (
      <span
        key={`${from}${name}`}
        className="floor-label"
        data-floor={floor}
        style={{ left: from * cellPx, maxWidth: (to - from + 1) * cellPx }}
      >
        {name}
      </span>
    ));
}

/** The words of both sides, on the slant so that each can stand at its own time. */
export function Lyrics({ grid, cells, cellPx }: LayerProps) {
  const fromMs = (cells[0]?.turn ?? 0) * grid.microTurnMs;
  const toMs = ((cells.at(-1)?.turn ?? 0) + 1) * grid.microTurnMs;
  const pxPerMs = cellPx / grid.microTurnMs;
  const isIn = (word: GridWord | SpokenWord) => word.toMs >= fromMs && word.fromMs <= toMs;
  // All that is kept is spread out, so that a word keeps its place when older ones leave the window.
  const placesOf = (words: readonly { readonly toMs: number }[]) =>
    spread(
      words.map(({ toMs }) => toMs * pxPerMs),
      LYRIC_GAP_PX,
    );
  const spoken = grid.speeches
    .flatMap((speech) => speech.words.map((word) => ({ ...word, speech })))
    .filter(({ fromMs, speech }) => fromMs < Math.min(grid.nowMs, speech.cutMs ?? Infinity));
  const yours = placesOf(grid.words);
  const its = placesOf(spoken);
  return (
    <>
      {grid.words.map(
        (word, index) =>
          isIn(word) && (
            <Lyric
              key={word.id}
              side="you"
              x={yours[index] ?? 0}
              text={word.text}
              look={word.unknown ? 'unknown' : 'heard'}
            />
          ),
      )}
      {spoken.map(
        (word, index) =>
          isIn(word) && (
            <Lyric key={word.id} side="agent" x={its[index] ?? 0} text={word.text} look={fateOf(word.speech, word)} />
          ),
      )}
    </>
  );
}

interface LyricProps {
  readonly side: 'you' | 'agent';
  readonly x: number;
  readonly text: string;
  readonly look: 'heard' | 'unheard' | 'pending' | 'unknown';
}

const Lyric = memo(function Lyric({ side, x, text, look }: LyricProps) {
  return (
    <span className="lyric" data-side={side} data-look={look} style={{ left: x }}>
      {look === 'unknown' ? '▢' : text}
    </span>
  );
});

/** Where the floor was contested: a line from the one to the other. */
export function Marks({ grid, cells, cellPx }: LayerProps) {
  const first = cells[0]?.turn ?? 0;
  const shown = grid.marks.filter(({ turn }) => turn >= first);
  return shown.map((mark, index) => {
    const next = shown[index + 1];
    const roomPx = ((next?.turn ?? Infinity) - mark.turn) * cellPx;
    const { label } = markNames[mark.kind];
    return (
      <span
        key={mark.id}
        className="mark"
        data-kind={mark.kind}
        data-taken={mark.taken}
        style={{ left: (mark.turn + 0.5) * cellPx }}
      >
        <MarkGlyph kind={mark.kind} taken={mark.taken} />
        {roomPx > label.length * 6.6 + 22 && <span className="mark-label">{label}</span>}
      </span>
    );
  });
}

export function MarkGlyph({ kind, taken }: Pick<Mark, 'kind' | 'taken'>) {
  return (
    <svg
      className="glyph"
      data-kind={kind}
      data-taken={taken}
      viewBox="0 0 12 12"
      width="12"
      height="12"
      aria-hidden="true"
    >
      {kind === 'barge-in' && <path d="M1.5 2.5h9L6 10.5z" />}
      {kind === 'interjection' && <path d="M1.5 9.5h9L6 1.5z" />}
      {kind === 'backchannel' && <circle cx="6" cy="6" r="3.6" />}
      {kind === 'stop' && <rect x="2.2" y="2.2" width="7.6" height="7.6" />}
    </svg>
  );
}

/** A time every five seconds. */
export function Times({ grid, cells, cellPx }: LayerProps) {
  const turnsPer = 5000 / grid.microTurnMs;
  return cells
    .filter(({ turn }) => turn % turnsPer === 0)
    .map(({ turn }) => (
      <span key={turn} className="grid-time" style={{ left: turn * cellPx }}>
        {formatClock(turn * grid.microTurnMs)}
      </span>
    ));
}
