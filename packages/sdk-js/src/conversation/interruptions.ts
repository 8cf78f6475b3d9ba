import type { SessionEventOf } from '@microturn/protocol';
import type { AgentResponse, InterruptionRecord } from './types.js';

/** An interruption and the response it is about are told apart by separate events, in either order, this close together. */
const NEAR_MS = 1000;

/** Records who started to talk over whom; `responses` are those so far, newest last. */
export function recordInterruption(
  records: readonly InterruptionRecord[],
  event: SessionEventOf<'interruption'>,
  responses: readonly AgentResponse[],
): readonly InterruptionRecord[] {
  const byAgent = event.kind === 'interjection';
  const response = responses.findLast((candidate) =>
    byAgent
      ? candidate.kind === 'interjection' && event.at - candidate.startMs <= NEAR_MS
      : candidate.status === 'speaking' || event.at - (candidate.startMs + candidate.heardMs) <= NEAR_MS,
  );
  const wasCut = !byAgent && response?.interruptedBy === 'user';
  return [
    ...records,
    {
      id: String(event.seq),
      kind: event.kind,
      by: byAgent ? 'agent' : 'user',
      participant: event.participant,
      taken: event.taken || (wasCut && event.kind === 'barge-in'),
      at: event.at,
      ...(response && { responseId: response.id }),
      ...(response && wasCut && { heardMs: response.heardMs }),
    },
  ];
}

/** An interjection is announced before it is said. */
export function recordInterjection(
  records: readonly InterruptionRecord[],
  event: SessionEventOf<'response.started'>,
): readonly InterruptionRecord[] {
  if (event.kind !== 'interjection') return records;
  const index = records.findLastIndex(
    (record) => record.by === 'agent' && record.responseId === undefined && event.at - record.at <= NEAR_MS,
  );
  return replaceAt(records, index, { responseId: event.responseId });
}

/** A response was cut: says how much of it had been heard. */
export function recordCut(
  records: readonly InterruptionRecord[],
  event: SessionEventOf<'response.interrupted'>,
): readonly InterruptionRecord[] {
  const { responseId, heardMs } = event;
  switch (event.by) {
    case 'user': {
      const index = records.findLastIndex((record) => record.kind === 'barge-in' && record.responseId === responseId);
      return replaceAt(records, index, { heardMs, taken: true });
    }
    case 'client':
      return [
        ...records,
        { id: String(event.seq), kind: 'stop', by: 'client', taken: true, at: event.at, responseId, heardMs },
      ];
    case 'agent':
      return records;
    default:
      return event.by satisfies never;
  }
}

function replaceAt(
  records: readonly InterruptionRecord[],
  index: number,
  fields: Partial<InterruptionRecord>,
): readonly InterruptionRecord[] {
  const record = records[index];
  return record ? records.with(index, { ...record, ...fields }) : records;
}
