import type { Floor, ResponseKind, SessionEvent, SessionEventOf } from '@microturn/sdk';

/** Micro-turns that are kept: one minute of 200 ms. What is older is forgotten. */
export const KEPT_TURNS = 300;
/** Speech shorter than this does not fill a cell. */
const LEAST_MS = 20;
/** How long a word without a start is taken to be. For drawing only. */
const WORD_MS = 280;

export interface GridWord {
  readonly id: string;
  readonly text: string;
  readonly unknown: boolean;
  readonly confidence: number;
  /** Session ms. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface SpokenWord {
  readonly id: string;
  readonly text: string;
  /** Session ms at which it is sent. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Where it ends in the response's own audio. */
  readonly endMs: number;
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Speech {
  readonly id: string;
  readonly kind: ResponseKind;
  /** Session ms. */
  readonly startMs: number;
  readonly sent: readonly Span[];
  readonly words: readonly SpokenWord[];
  readonly heard: readonly Span[];
  /** How much of its audio was heard. */
  readonly heardMs: number;
  /** Session ms at which it was cut. */
  readonly cutMs?: number;
  readonly ended: boolean;
}

export interface Mark {
  readonly id: string;
  readonly turn: number;
  readonly atMs: number;
  /** `stop`: this page stopped the agent. */
  readonly kind: 'barge-in' | 'backchannel' | 'interjection' | 'stop';
  /** Whether the floor changed hands. */
  readonly taken: boolean;
}

interface FloorChange {
  readonly turn: number;
  readonly floor: Floor;
  readonly confidence: number;
}

/** Micro-turns of which nothing is known here: the link was lost. */
interface Gap {
  readonly from: number;
  /** The last of them; absent while the link is still lost. */
  readonly to?: number;
}

/** What the 200 ms grid is drawn from: facts with their place on the session clock, the last `KEPT_TURNS` of them. */
export interface Grid {
  readonly microTurnMs: number;
  readonly me: string | undefined;
  readonly nowMs: number;
  readonly floors: readonly FloorChange[];
  readonly words: readonly GridWord[];
  readonly speeches: readonly Speech[];
  readonly marks: readonly Mark[];
  /** Loudest RMS of the microphone by micro-turn. Absent where nothing measures it. */
  readonly levels: ReadonlyMap<number, number>;
  readonly gaps: readonly Gap[];
}

export interface Cell {
  readonly turn: number;
  /** Undefined where nothing is known of the micro-turn: there was no line. */
  readonly floor: Floor | undefined;
  readonly confidence: number;
  /** In [0, 1], for the eye: 60 dB below full scale is 0. */
  readonly loudness: number;
  /** Kind of the response that was being sent. */
  readonly said: ResponseKind | undefined;
  readonly heard: boolean;
  /** A response was cut here. */
  readonly cut: boolean;
}

export function newGrid(microTurnMs = 200): Grid {
  return {
    microTurnMs,
    me: undefined,
    nowMs: 0,
    floors: [],
    words: [],
    speeches: [],
    marks: [],
    levels: new Map(),
    gaps: [],
  };
}

/** The newest micro-turn: the one that is going on. */
export function newestTurn(grid: Grid): number {
  return turnOf(grid, grid.nowMs);
}

/** The oldest micro-turn that is kept. */
export function oldestTurn(grid: Grid): number {
  return Math.max(0, newestTurn(grid) - KEPT_TURNS + 1);
}

/** Places one event. */
export function recordEvent(grid: Grid, event: SessionEvent): Grid {
  switch (event.type) {
    case 'session.started':
      return { ...newGrid(event.microTurnMs), me: event.participant, nowMs: event.at };
    case 'floor.changed':
      if (!isMine(grid, event.participant)) return grid;
      return {
        ...grid,
        floors: [...grid.floors, { turn: event.turn, floor: event.floor, confidence: event.confidence }],
      };
    case 'transcript.word':
      if (!isMine(grid, event.participant) || !event.final) return grid;
      return { ...grid, words: [...grid.words, toGridWord(event)] };
    case 'interruption':
      if (!isMine(grid, event.participant)) return grid;
      return withMark(grid, event, event.kind, event.taken);
    case 'response.started':
      return { ...grid, speeches: [...grid.speeches, startSpeech(event)] };
    case 'response.text':
      return withSpeech(grid, event.responseId, (speech) => speak(speech, event));
    case 'response.heard':
      return withSpeech(grid, event.responseId, (speech) => hear(speech, event));
    case 'response.completed':
      return withSpeech(grid, event.responseId, (speech) => ({ ...hear(speech, event), ended: true }));
    case 'response.cut':
      return withSpeech(grid, event.responseId, (speech) => cut(speech, event.at));
    case 'response.interrupted': {
      const next = withSpeech(grid, event.responseId, (speech) => ({
        ...hear(cut(speech, event.at), event),
        ended: true,
      }));
      return event.by === 'client' ? withMark(next, event, 'stop', true) : next;
    }
    case 'session.resumed':
      return findLine(grid, event);
    case 'session.closed':
    case 'transcript.typed':
    case 'task.created':
    case 'task.progress':
    case 'task.delta':
    case 'task.question':
    case 'task.completed':
    case 'task.failed':
    case 'task.cancelled':
    case 'task.stale':
    case 'task.woven':
    case 'tool.call':
    case 'tool.result':
    case 'response.latency':
    case 'draft.started':
    case 'draft.committed':
    case 'draft.dropped':
    case 'session.usage':
    case 'ui.patch':
    case 'reminder.set':
    case 'reminder.fired':
    case 'stats':
    case 'error':
      return grid;
    default:
      return event satisfies never;
  }
}

/** Moves the clock, and forgets what has left the grid. The clock never goes back. */
export function advanceTo(grid: Grid, nowMs: number): Grid {
  if (nowMs <= grid.nowMs) return grid;
  const moved = { ...grid, nowMs };
  const first = oldestTurn(moved);
  const firstMs = first * grid.microTurnMs;
  // The newest change before the edge still says what the floor is at it.
  const current = moved.floors.findLastIndex(({ turn }) => turn <= first);
  return {
    ...moved,
    floors: current > 0 ? moved.floors.slice(current) : moved.floors,
    words: dropWhile(moved.words, ({ toMs }) => toMs < firstMs),
    speeches: moved.speeches.every((speech) => lastMs(speech) >= firstMs)
      ? moved.speeches
      : moved.speeches.filter((speech) => lastMs(speech) >= firstMs),
    marks: dropWhile(moved.marks, ({ turn }) => turn < first),
    levels: pruneLevels(moved.levels, first),
    gaps: dropWhile(moved.gaps, ({ to = Infinity }) => to < first),
  };
}

/** The link is lost: until it is there again nobody here knows what is decided, and what was being said is cut. */
export function loseLine(grid: Grid, nowMs: number): Grid {
  if (isOpen(grid.gaps.at(-1))) return grid;
  return {
    ...grid,
    gaps: [...grid.gaps, { from: turnOf(grid, nowMs) }],
    speeches: grid.speeches.map((speech) => (lastMs(speech) > nowMs ? cut(speech, nowMs) : speech)),
  };
}

/** It is there again, and what was missed has been told, but for what is lost. */
function findLine(grid: Grid, { turn, lostMs }: SessionEventOf<'session.resumed'>): Grid {
  const gap = grid.gaps.at(-1);
  if (!gap || !isOpen(gap)) return grid;
  const before = grid.gaps.slice(0, -1);
  return { ...grid, gaps: lostMs > 0 && turn > gap.from ? [...before, { from: gap.from, to: turn - 1 }] : before };
}

function isOpen(gap: Gap | undefined): boolean {
  return gap !== undefined && gap.to === undefined;
}

/** Notes how loud the microphone is now; a micro-turn keeps its loudest. */
export function noteLevel(grid: Grid, rms: number, nowMs: number): Grid {
  const turn = turnOf(grid, nowMs);
  const before = grid.levels.get(turn) ?? 0;
  if (rms <= before && grid.levels.has(turn)) return grid;
  return { ...grid, levels: new Map(grid.levels).set(turn, Math.max(rms, before)) };
}

/** The cells of micro-turns `from` to `to`, both included. */
export function cellsOf(grid: Grid, from: number, to: number): Cell[] {
  const cells: Cell[] = [];
  for (let turn = Math.max(0, from); turn <= to; turn++) cells.push(cellOf(grid, turn));
  return cells;
}

export function cellOf(grid: Grid, turn: number): Cell {
  if (isLost(grid, turn)) return { ...unknown, turn, cut: isCut(grid, turn) };
  const change = grid.floors.findLast((floor) => floor.turn <= turn);
  const saying = grid.speeches.findLast((speech) =>
    speech.sent.some((span) => fills(grid, turn, clip(span, grid.nowMs))),
  );
  return {
    turn,
    floor: change?.floor ?? 'silent',
    confidence: change?.confidence ?? 0,
    loudness: loudnessOf(grid, turn),
    said: saying?.kind,
    heard: grid.speeches.some((speech) => speech.heard.some((span) => fills(grid, turn, span))),
    cut: isCut(grid, turn),
  };
}

const unknown = { floor: undefined, confidence: 0, loudness: 0, said: undefined, heard: false } as const;

function isLost(grid: Grid, turn: number): boolean {
  return grid.gaps.some(({ from, to = Infinity }) => turn >= from && turn <= to);
}

function isCut(grid: Grid, turn: number): boolean {
  return grid.speeches.some((speech) => speech.cutMs !== undefined && turnOf(grid, speech.cutMs) === turn);
}

export function turnOf(grid: Grid, sessionMs: number): number {
  return Math.max(0, Math.floor(sessionMs / grid.microTurnMs));
}

/** What became of a word that the agent was to say. */
export function fateOf(speech: Speech, word: SpokenWord): 'heard' | 'unheard' | 'pending' {
  if (word.endMs <= speech.heardMs + LEAST_MS) return 'heard';
  return speech.ended || speech.cutMs !== undefined ? 'unheard' : 'pending';
}

function isMine(grid: Grid, participant: string): boolean {
  return grid.me === undefined || grid.me === participant;
}

function toGridWord(event: SessionEventOf<'transcript.word'>): GridWord {
  return {
    id: `w${event.seq}`,
    text: event.text,
    unknown: event.text === '<unk>',
    confidence: event.confidence,
    fromMs: event.startMs ?? Math.max(0, event.endMs - WORD_MS),
    toMs: event.endMs,
  };
}

function startSpeech(event: SessionEventOf<'response.started'>): Speech {
  return {
    id: event.responseId,
    kind: event.kind,
    startMs: event.at,
    sent: [],
    words: [],
    heard: [],
    heardMs: 0,
    ended: false,
  };
}

/** A clause goes out when it is made, or when the one before it has gone out. */
function speak(speech: Speech, event: SessionEventOf<'response.text'>): Speech {
  const first = event.words[0];
  const last = event.words.at(-1);
  if (!first || !last || speech.cutMs !== undefined) return speech;
  const fromMs = Math.max(event.at, speech.sent.at(-1)?.toMs ?? 0);
  const shiftMs = fromMs - first.startMs;
  const words = event.words.map((word, index) => ({
    id: `${speech.id}/${speech.words.length + index}`,
    text: word.text,
    fromMs: word.startMs + shiftMs,
    toMs: word.endMs + shiftMs,
    endMs: word.endMs,
  }));
  return {
    ...speech,
    words: [...speech.words, ...words],
    sent: [...speech.sent, { fromMs, toMs: last.endMs + shiftMs }],
  };
}

/** What is new in a report was played just before it was made. */
function hear(speech: Speech, { at, heardMs }: { readonly at: number; readonly heardMs: number }): Speech {
  const newMs = heardMs - speech.heardMs;
  if (newMs <= 0) return speech;
  const before = speech.heard.at(-1);
  const toMs = Math.min(at, speech.cutMs ?? at);
  const fromMs = Math.max(toMs - newMs, before?.toMs ?? speech.startMs);
  if (fromMs >= toMs) return { ...speech, heardMs };
  // Reports follow each other within a packet or two: one stretch of hearing.
  const joins = before !== undefined && fromMs - before.toMs <= LEAST_MS * 2;
  const heard = joins
    ? [...speech.heard.slice(0, -1), { fromMs: before.fromMs, toMs }]
    : [...speech.heard, { fromMs, toMs }];
  return { ...speech, heard, heardMs };
}

function cut(speech: Speech, atMs: number): Speech {
  if (speech.cutMs !== undefined) return speech;
  const sent = speech.sent.filter(({ fromMs }) => fromMs < atMs).map((span) => clip(span, atMs));
  return { ...speech, sent, cutMs: atMs };
}

function withSpeech(grid: Grid, id: string, change: (speech: Speech) => Speech): Grid {
  return { ...grid, speeches: grid.speeches.map((speech) => (speech.id === id ? change(speech) : speech)) };
}

function withMark(
  grid: Grid,
  { seq, turn, at }: { readonly seq: number; readonly turn: number; readonly at: number },
  kind: Mark['kind'],
  taken: boolean,
): Grid {
  return { ...grid, marks: [...grid.marks, { id: `m${seq}`, turn, atMs: at, kind, taken }] };
}

function clip(span: Span, toMs: number): Span {
  return span.toMs <= toMs ? span : { fromMs: span.fromMs, toMs };
}

function fills(grid: Grid, turn: number, span: Span): boolean {
  const fromMs = turn * grid.microTurnMs;
  return Math.min(span.toMs, fromMs + grid.microTurnMs) - Math.max(span.fromMs, fromMs) >= LEAST_MS;
}

function loudnessOf(grid: Grid, turn: number): number {
  const rms = grid.levels.get(turn);
  if (rms !== undefined) return Math.min(1, Math.max(0, (20 * Math.log10(Math.max(rms, 1e-6)) + 60) / 60));
  // Nothing measures the microphone (an example, another participant): speech is where the words are.
  return grid.words.some((word) => fills(grid, turn, word)) ? 0.6 : 0;
}

function lastMs(speech: Speech): number {
  return Math.max(speech.startMs, speech.cutMs ?? 0, speech.sent.at(-1)?.toMs ?? 0, speech.heard.at(-1)?.toMs ?? 0);
}

/** Facts come in order of time, so what is too old is in front. */
function dropWhile<T>(list: readonly T[], isOld: (item: T) => boolean): readonly T[] {
  const first = list.findIndex((item) => !isOld(item));
  if (first === 0) return list;
  return first < 0 ? [] : list.slice(first);
}

function pruneLevels(levels: ReadonlyMap<number, number>, first: number): ReadonlyMap<number, number> {
  const oldest = levels.keys().next().value;
  if (oldest === undefined || oldest >= first) return levels;
  return new Map([...levels].filter(([turn]) => turn >= first));
}
