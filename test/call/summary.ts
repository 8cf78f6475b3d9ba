import { collectResponses, findPlayed, type PlayedResponse } from './played.js';
import { detectSegments, overlapOf, type Segment } from './segments.js';
import { toSpurts, type SentPacket } from './sent-audio.js';
import type { TimedEvent } from './timed-event.js';

export interface AgentSegment extends Segment {
  /** The words of its responses, by their times. */
  readonly text: string;
}

/** What a call comes to: the last line of the call tool. All times are ms on the recording's clock. */
export interface CallSummary {
  readonly type: 'summary';
  readonly agentSegments: readonly AgentSegment[];
  readonly userSegments: readonly Segment[];
  /** How long both were heard at once. */
  readonly overlapMs: number;
  /** From the end of each user segment that the agent did not talk over to the agent's next segment, where it comes before the user's next. */
  readonly responseGapMs: readonly number[];
  /** From the onset of the user segment that stopped the agent to the last sound of the response that it stopped. */
  readonly bargeInMs: readonly number[];
  /** Of each response that ended: what the edge says was heard of it, less what was played of it; see `heardError`. */
  readonly heardErrorMs: readonly number[];
}

export interface CallRecording {
  /** The microphone's track and the agent's, sample for sample on one clock, in [-1, 1]. */
  readonly sent: Float32Array;
  readonly received: Float32Array;
  readonly rateHz: number;
  /** The agent's packets as they were sent, in order of arrival. */
  readonly packets: readonly SentPacket[];
  readonly events: readonly TimedEvent[];
}

export function summarize({ sent, received, rateHz, packets, events }: CallRecording): CallSummary {
  const userSegments = detectSegments(sent, rateHz);
  const agent = detectSegments(received, rateHz);
  const played = findPlayed(collectResponses(events), received, rateHz, toSpurts(packets));
  return {
    type: 'summary',
    agentSegments: agent.map((segment) => ({ ...segment, text: textOf(segment, played) })),
    userSegments,
    overlapMs: overlapOf(agent, userSegments),
    responseGapMs: responseGaps(userSegments, agent),
    bargeInMs: played.map((response) => bargeIn(response, userSegments)).filter((ms) => ms !== undefined),
    heardErrorMs: played.map(heardError).filter((ms) => ms !== undefined),
  };
}

/** The words whose middle lies in a segment. */
function textOf({ startMs, endMs }: Segment, played: readonly PlayedResponse[]): string {
  const words = played.flatMap(({ zeroMs, record, sound }) =>
    record.words.map((word) => ({ text: word.text, atMs: zeroMs + (word.startMs + word.endMs) / 2, sound })),
  );
  return words
    .filter(({ atMs, sound }) => atMs >= startMs && atMs < endMs && atMs < (sound?.endMs ?? Infinity))
    .map(({ text }) => text)
    .join(' ');
}

function responseGaps(user: readonly Segment[], agent: readonly Segment[]): number[] {
  return user.flatMap(({ endMs }, i) => {
    if (agent.some((segment) => segment.startMs < endMs && segment.endMs > endMs)) return [];
    const next = agent.find((segment) => segment.startMs >= endMs);
    const userNext = user[i + 1]?.startMs ?? Infinity;
    return next && next.startMs < userNext ? [next.startMs - endMs] : [];
  });
}

/** Undefined where the user did not stop this response, or did not begin to speak in it. */
export function bargeIn({ record: { end }, sound }: PlayedResponse, user: readonly Segment[]): number | undefined {
  if (end?.by !== 'user' || !sound) return undefined;
  const onset = user.findLast(({ startMs }) => startMs > sound.startMs && startMs < sound.endMs);
  return onset && Math.round(sound.endMs - onset.startMs);
}

/** Undefined where the response did not end, or was not found in what was sent. */
export function heardError({ content }: PlayedResponse): number | undefined {
  // Plus zero, since a rounded difference can be -0.
  return content && Math.round(content.heardMs - content.playedMs) + 0;
}
