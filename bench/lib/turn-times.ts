import type { MeasuredEdge, Station } from './measured-edge.js';

/** One micro-turn's way through a live edge, ms. */
export interface TurnTimes {
  /** Its end, by the machine's monotonic clock: from there on it is waited for. */
  readonly dueMs: number;
  /** From its end until its step began. */
  readonly beganMs: number;
  /** What its step took. */
  readonly stepMs: number;
  /** From its end until main had its decision. */
  readonly lagMs: number;
}

/** Of every micro-turn that an edge with its path traced has decided so far. */
export async function turnTimes(edge: MeasuredEdge): Promise<readonly TurnTimes[]> {
  const turns = new Map<string, { dueMs?: number; decision?: { lagMs: number; stepMs: number }; atMs?: number }>();
  const of = ({ lease, index }: { lease: number; index: number }) => {
    const key = `${lease}/${index}`;
    const known = turns.get(key) ?? {};
    turns.set(key, known);
    return known;
  };
  for (const station of await edge.stations()) note(station);
  return [...turns.values()].flatMap(({ dueMs, decision, atMs }) =>
    dueMs === undefined || !decision || atMs === undefined
      ? []
      : [{ dueMs, beganMs: decision.lagMs - decision.stepMs, stepMs: decision.stepMs, lagMs: atMs - dueMs }],
  );

  function note(station: Station): void {
    if (station.is === 'turn') of(station).dueMs = station.dueMs;
    else if (station.is === 'decision') of(station).decision = station;
    else if (station.is === 'decided') of(station).atMs = station.atMs;
  }
}
