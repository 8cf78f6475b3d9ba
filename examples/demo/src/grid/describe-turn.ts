import { cellOf, fateOf, type Grid } from './grid.js';
import { floorNames, markNames, noLine } from './names.js';
import { formatTurnTime } from '../shell/format.js';

export interface TurnDescription {
  readonly turn: number;
  /** Session time at which it began, e.g. `0:12.4`. */
  readonly time: string;
  readonly floor: string;
  /** Undefined until the model has said something about the floor. */
  readonly confidence: string | undefined;
  /** Words of the user that ended in it. */
  readonly you: readonly { readonly text: string; readonly unknown: boolean }[];
  /** Words of the agent that were being sent in it, and what became of them. */
  readonly agent: readonly { readonly text: string; readonly fate: 'heard' | 'unheard' | 'pending' }[];
  readonly heard: boolean;
  readonly marks: readonly string[];
}

/** Everything the grid knows about one micro-turn. */
export function describeTurn(grid: Grid, turn: number): TurnDescription {
  const cell = cellOf(grid, turn);
  const fromMs = turn * grid.microTurnMs;
  const toMs = fromMs + grid.microTurnMs;
  return {
    turn,
    time: formatTurnTime(fromMs),
    floor: (cell.floor ? floorNames[cell.floor] : noLine).short,
    confidence: cell.confidence > 0 ? `${Math.round(cell.confidence * 100)} %` : undefined,
    you: grid.words
      .filter((word) => word.toMs >= fromMs && word.toMs < toMs)
      .map(({ text, unknown }) => ({ text, unknown })),
    agent: grid.speeches.flatMap((speech) =>
      speech.words
        .filter((word) => word.fromMs < toMs && word.toMs > fromMs && word.fromMs <= (speech.cutMs ?? Infinity))
        .map((word) => ({ text: word.text, fate: fateOf(speech, word) })),
    ),
    heard: cell.heard,
    marks: grid.marks
      .filter((mark) => mark.turn === turn)
      .map((mark) => markNames[mark.kind][mark.taken ? 'taken' : 'kept']),
  };
}

/** The same in one sentence, for a screen reader. */
export function sayTurn(turn: TurnDescription): string {
  const you = turn.you.map((word) => (word.unknown ? 'an unknown word' : word.text)).join(' ');
  const agent = turn.agent.map((word) => (word.fate === 'unheard' ? `${word.text}, not heard` : word.text)).join(' ');
  return [
    turn.time,
    `floor ${turn.floor}${turn.confidence ? `, ${turn.confidence}` : ''}`,
    you && `you: ${you}`,
    agent && `agent: ${agent}`,
    turn.heard && 'agent heard',
    ...turn.marks,
  ]
    .filter(Boolean)
    .join('; ');
}
