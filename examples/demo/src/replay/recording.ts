import type { SessionEvent } from '@microturn/sdk';
import lines from './recording.jsonl?raw';

/** An event before a session has numbered it. */
export type RecordedEvent = SessionEvent extends infer E
  ? E extends SessionEvent
    ? Omit<E, 'seq' | 'turn'>
    : never
  : never;

/** One call, as `scripts/record-example.mjs` kept it. */
export interface Recording {
  readonly model: string;
  /** Who speaks in it. */
  readonly voice: string;
  readonly recordedOn: string;
  readonly participant: string;
  readonly microTurnMs: number;
  readonly durationMs: number;
  /** Micro-turn and the loudest RMS in it. */
  readonly levels: readonly (readonly [turn: number, rms: number])[];
  /** In order of their session time. */
  readonly events: readonly RecordedEvent[];
}

export const recording = parseRecording(lines);

/** The first line says what it is, and each of the others is an event: the transport that replays them checks them. */
function parseRecording(text: string): Recording {
  const [head, ...events] = text
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  return { ...(head as Omit<Recording, 'events'>), events: events as RecordedEvent[] };
}
