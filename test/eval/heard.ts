import type { Share } from './share.js';
import { hasTyped, TURN_SECONDS, type Session, type SessionEvent } from './test-sets.js';
import type { Track } from './track.js';

/** One session, and what a listener made of it. */
export interface Heard {
  readonly session: Session;
  readonly track: Track;
  /** The listener knows what was typed. */
  readonly reads: boolean;
}

/** One measured number. */
export interface Figure extends Share {
  readonly suite: string;
  readonly measure: string;
  readonly unit: 'share' | 's' | 'ms' | 'kB' | '/s';
  readonly better: 'higher' | 'lower';
}

/** Events closer than this to the end of a session are not judged. */
export const EDGE_SECONDS = 1;
export const secondsOf = ({ play }: Session) => play.length * TURN_SECONDS;

/** What happened well before the session's end. */
export function of(session: Session, kind: string, edge = EDGE_SECONDS): SessionEvent[] {
  return session.events.filter((event) => event.kind === kind && event.end < secondsOf(session) - edge);
}

export const first = (moments: readonly number[], from: number, to: number) =>
  moments.find((at) => at > from && at <= to);
/** Nobody can follow an instruction that they cannot read. */
export const instructed = (heard: readonly Heard[]) =>
  heard.filter(({ session, reads }) => reads || !hasTyped(session));
export const any = (moments: readonly number[], from: number, to: number) => first(moments, from, to) !== undefined;
/** Where a run of moments begins. */
export const onsets = (moments: readonly number[]) => moments.filter((at, i) => i === 0 || at - moments[i - 1]! > 0.25);

/** The share'th of `delays`, `missed` more of which have no end, with the 95 % interval of its rank. */
export function percentile(delays: readonly number[], missed: number, part: number): Share {
  const n = delays.length + missed;
  const sorted = [...delays].sort((a, b) => a - b);
  const rank = (at: number) => Math.min(n - 1, Math.max(0, Math.ceil(at * n) - 1));
  const half = 1.96 * Math.sqrt((part * (1 - part)) / n);
  const at = (where: number) => sorted[rank(where)] ?? Infinity;
  if (n === 0) return { value: undefined, n, low: 0, high: Infinity };
  return { value: sorted[rank(part)], n, low: at(part - half), high: at(part + half) };
}
