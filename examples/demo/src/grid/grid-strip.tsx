import type { Floor } from '@microturn/sdk';
import { useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import type { Observable } from 'rxjs';
import { Column } from './column.js';
import { describeTurn, sayTurn } from './describe-turn.js';
import { cellsOf, newestTurn, oldestTurn, type Grid } from './grid.js';
import { FloorLabels, Lyrics, Marks, Times } from './layers.js';
import { Legend } from './legend.js';
import { TurnDetail } from './turn-detail.js';
import { useGrid } from './use-grid.js';
import { useWidth } from './use-width.js';

/** px of one cell, by the width of the window. */
const cellPxFor = (widthPx: number) => (widthPx < 560 ? 8 : 9);

export interface GridStripProps {
  readonly live: boolean;
  /** How loud the caller is, where that is not this page's microphone. */
  readonly level$: Observable<number> | undefined;
}

/** The last minute of the call, one column per micro-turn: what you said, the floor, what it said, what was heard. */
export function GridStrip({ live, level$ }: GridStripProps) {
  const grid = useGrid(level$);
  const [windowRef, widthPx] = useWidth<HTMLDivElement>();
  const scrollRef = useRef<HTMLDivElement>(null);
  const [pin, setPin] = useState<{ readonly turn: number; readonly edge: number }>();
  const [pointed, setPointed] = useState<number>();

  const cellPx = cellPxFor(widthPx);
  const fits = Math.max(1, Math.floor(widthPx / cellPx));
  const newest = newestTurn(grid);
  const oldest = oldestTurn(grid);
  const held = pin && { turn: Math.max(pin.turn, oldest), edge: Math.max(pin.edge, Math.min(newest, oldest + fits)) };
  const edge = held?.edge ?? newest;
  const started = grid.nowMs > 0;
  // One more on the left, since the column at the border is cut through while the grid moves.
  const cells = started && widthPx > 0 ? cellsOf(grid, Math.max(oldest, edge - fits - 1), Math.min(edge, newest)) : [];
  const first = cells[0]?.turn ?? 0;
  // A column that was pointed at stays the one, while it moves on with the others.
  const active = held?.turn ?? (pointed !== undefined && pointed >= first ? pointed : undefined);
  const detail = active === undefined || !started ? undefined : describeTurn(grid, active);

  function hold(turn: number) {
    const at = Math.min(newest, Math.max(oldest, turn));
    const lastEdge = held?.edge ?? newest;
    const nextEdge = at > lastEdge ? at : at <= lastEdge - fits ? at + fits - 1 : lastEdge;
    setPin({ turn: at, edge: Math.min(newest, nextEdge) });
  }

  function onKeyDown(event: KeyboardEvent) {
    const from = active ?? newest;
    const moves: Record<string, number | undefined> = {
      ArrowLeft: from - 1,
      ArrowRight: from + 1,
      ArrowDown: from - 1,
      ArrowUp: from + 1,
      PageUp: from - 5,
      PageDown: from + 5,
      Home: oldest,
    };
    const to = moves[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey || !started) return;
    if (to !== undefined) hold(to);
    else if (event.key === 'End' || (event.key === 'Escape' && pin)) setPin(undefined);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function turnUnder(event: PointerEvent): number | undefined {
    if (!scrollRef.current || !started) return undefined;
    // Where the grid is now, in the middle of its slide.
    const turn = Math.floor((event.clientX - scrollRef.current.getBoundingClientRect().left) / cellPx);
    return turn >= first && turn <= edge ? turn : undefined;
  }

  function onPointerUp(event: PointerEvent) {
    const turn = turnUnder(event);
    if (turn === undefined || turn === held?.turn) setPin(undefined);
    else hold(turn);
  }

  return (
    <section className="grid-strip" aria-labelledby="grid-title" data-started={started || undefined}>
      <header className="grid-head">
        <h2 id="grid-title">The 200 ms grid</h2>
        {started ? (
          <TurnDetail turn={detail} pinned={held !== undefined} />
        ) : (
          <p className="detail detail-quiet">One column is one decision. It fills from the right as you talk.</p>
        )}
        {held && (
          <button type="button" className="quiet" onClick={() => setPin(undefined)}>
            Back to now
          </button>
        )}
      </header>
      <div className="grid-body">
        <RowNames />
        <p id="grid-rows" className="sr-only">
          Four rows: how loud you are and your words; the floor; what the agent says; what your device has played of it.
        </p>
        <div
          className="grid-window"
          ref={windowRef}
          role="slider"
          tabIndex={0}
          aria-label="Micro-turn"
          aria-describedby="grid-rows"
          aria-orientation="horizontal"
          aria-valuemin={oldest}
          aria-valuemax={newest}
          aria-valuenow={held?.turn ?? newest}
          aria-valuetext={
            held && detail ? sayTurn(detail) : started ? 'now; press the left arrow to go back in time' : 'nothing yet'
          }
          onKeyDown={onKeyDown}
          onPointerMove={(event) => {
            if (event.pointerType !== 'touch') setPointed(turnUnder(event));
          }}
          onPointerLeave={() => setPointed(undefined)}
          onPointerUp={onPointerUp}
        >
          {started ? null : <RowMeanings />}
          <div
            className="grid-scroll"
            ref={scrollRef}
            data-slides={(live && !held) || undefined}
            style={{
              transform: `translateX(${widthPx - (edge + 1) * cellPx}px)`,
              transitionDuration: `${grid.microTurnMs}ms`,
            }}
          >
            {cells.map((cell) => (
              <Column
                key={cell.turn}
                cell={cell}
                x={cell.turn * cellPx}
                width={cellPx - 1}
                ruled={(cell.turn * grid.microTurnMs) % 1000 === 0}
              />
            ))}
            <Times grid={grid} cells={cells} cellPx={cellPx} />
            <FloorLabels grid={grid} cells={cells} cellPx={cellPx} />
            <Lyrics grid={grid} cells={cells} cellPx={cellPx} />
            <Marks grid={grid} cells={cells} cellPx={cellPx} />
            {active !== undefined && started && (
              <i
                className="cursor"
                data-held={held !== undefined || undefined}
                style={{ left: active * cellPx, width: cellPx - 1 }}
              />
            )}
          </div>
        </div>
      </div>
      <div className="grid-foot">
        <Legend seen={seenFloors(grid)} hasGaps={grid.gaps.length > 0} />
      </div>
    </section>
  );
}

function RowNames() {
  return (
    <ul className="row-names" aria-hidden="true">
      <li data-row="you">You</li>
      <li data-row="floor">Floor</li>
      <li data-row="agent">Agent</li>
      <li data-row="heard">Heard</li>
    </ul>
  );
}

/** On the empty grid: what each row will show. */
function RowMeanings() {
  return (
    <ul className="row-meanings">
      <li data-row="you">how loud you are, and the words it hears</li>
      <li data-row="floor">what it believes you are doing</li>
      <li data-row="agent">what it says, when it is sent</li>
      <li data-row="heard">what your device has played of it</li>
    </ul>
  );
}

function seenFloors(grid: Grid): Floor[] {
  return [...new Set(grid.floors.map(({ floor }) => floor))];
}
