import { Caller, type CallerOptions } from '../../test/call/caller.js';
import { collectResponses, findPlayed, type PlayedResponse } from '../../test/call/played.js';
import type { CallRecording } from '../../test/call/summary.js';
import type { MeasuredEdge, Station, StationOf } from './measured-edge.js';
import { quantile } from './stats.js';

const MICRO_TURN_MS = 200;

/**
 * A call from Chromium, with what its page recorded and what the edge's threads did for it, on one clock: the recording's.
 *
 * The two clocks are joined by the session's events: each says when main sent it, and when the page had it. On loopback the
 * quickest tenth of them takes well under a millisecond, and the page's own clock is good to 5 ms: so are the figures that
 * cross from one side to the other. Those on one side are good to a millisecond.
 */
export class TracedCall {
  readonly recording: CallRecording;
  readonly played: readonly PlayedResponse[];
  readonly #stations: readonly Station[];
  readonly #zeroMs: number;
  readonly #offsetMs: number;

  /** @param stations of this call only */
  constructor(recording: CallRecording, stations: readonly Station[]) {
    this.recording = recording;
    this.played = findPlayed(collectResponses(recording.events), recording.received, recording.rateHz);
    this.#stations = stations;
    const turn = stations.find((station): station is StationOf<'turn'> => station.is === 'turn');
    if (!turn) throw new Error('the edge’s threads were not traced');
    this.#zeroMs = turn.dueMs - MICRO_TURN_MS * (turn.index + 1);
    this.#offsetMs =
      quantile(
        recording.events.map(({ receivedMs, at }) => receivedMs - at),
        0.1,
      ) - this.#zeroMs;
  }

  /** @param talk what happens in the call; the caller hangs up after it */
  static async place(
    edge: MeasuredEdge,
    options: Omit<CallerOptions, 'url'>,
    talk: (caller: Caller) => Promise<void>,
  ): Promise<TracedCall> {
    const startMs = monotonicMs();
    await using caller = await Caller.open({ ...options, url: edge.url });
    await talk(caller);
    const recording = await caller.hangUp();
    const stations = (await edge.stations()).filter((station) => station.is !== 'thread' && station.atMs >= startMs);
    return new TracedCall(recording, stations);
  }

  stationsOf<I extends 'turn' | 'decision'>(is: I): StationOf<I>[] {
    return this.#stations.filter((station): station is StationOf<I> => station.is === is);
  }

  /** When the response first passed a station, monotonic ms. */
  passed(is: 'speak' | 'speech' | 'sent' | 'cut', responseId: string): number | undefined {
    const station = this.#stations.find((each) => each.is === is && each.responseId === responseId);
    return station && 'atMs' in station ? station.atMs : undefined;
  }

  /** The decision that made the agent begin to speak. */
  decisionOf(responseId: string): StationOf<'decision'> | undefined {
    const askedMs = this.passed('speak', responseId);
    if (askedMs === undefined) return undefined;
    return this.stationsOf('decision').findLast(
      ({ atMs, say }) => say !== '' && atMs <= askedMs && askedMs - atMs < MICRO_TURN_MS,
    );
  }

  /** Recording ms of a monotonic moment. */
  recordedMs(monotonicMs: number): number {
    return monotonicMs + this.#offsetMs;
  }
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
