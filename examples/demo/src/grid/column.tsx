import { memo, type CSSProperties } from 'react';
import type { Cell } from './grid.js';

export interface ColumnProps {
  readonly cell: Cell;
  readonly x: number;
  readonly width: number;
  /** Begins a second. */
  readonly ruled: boolean;
}

/** One micro-turn: four cells on one line of time. Renders again only when something in it has changed. */
export const Column = memo(function Column({ cell, x, width, ruled }: ColumnProps) {
  return (
    <div
      className="column"
      data-turn={cell.turn}
      style={{ left: x, width }}
      data-ruled={ruled || undefined}
      data-lost={cell.floor === undefined || undefined}
    >
      {cell.loudness > 0.02 && (
        <i className="cell-you" style={{ '--loudness': cell.loudness.toFixed(2) } as CSSProperties} />
      )}
      <i className="cell-floor" data-floor={cell.floor} />
      {cell.said && <i className="cell-agent" data-kind={cell.said} data-cut={cell.cut || undefined} />}
      {cell.cut && !cell.said && <i className="cell-agent" data-cut />}
      {cell.heard && <i className="cell-heard" />}
    </div>
  );
}, isSame);

function isSame(a: ColumnProps, b: ColumnProps): boolean {
  const keys = Object.keys(a.cell) as (keyof Cell)[];
  return a.x === b.x && a.width === b.width && keys.every((key) => a.cell[key] === b.cell[key]);
}
