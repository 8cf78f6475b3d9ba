import type { CallSummary } from './summary.js';
import type { TimedEvent } from './timed-event.js';

/** One line for a person; undefined for what only machines want to know. */
export function describeEvent(event: TimedEvent): string | undefined {
  const text = describe(event);
  return text === undefined ? undefined : `${seconds(event.receivedMs)}  ${text}`;
}

function describe(event: TimedEvent): string | undefined {
  switch (event.type) {
    case 'session.started':
      return `joined room ${event.room} as ${event.participant}; ${event.model}, micro-turns of ${event.microTurnMs} ms`;
    case 'session.closed':
      return `closed: ${event.reason}`;
    case 'floor.changed':
      return `user   ${event.floor}`;
    case 'transcript.word':
      return `user   “${event.text}”`;
    case 'response.started':
      return `agent  begins ${event.kind === 'interjection' ? 'an' : 'a'} ${event.kind}`;
    case 'response.text':
      return `agent  “${event.text}”`;
    case 'response.completed':
      return `agent  was heard to the end, ${Math.round(event.heardMs)} ms`;
    case 'response.interrupted':
      return `agent  was stopped by the ${event.by} after ${Math.round(event.heardMs)} ms, unheard “${event.unheardText}”`;
    case 'interruption':
      return `${event.kind === 'interjection' ? 'agent ' : 'user  '} ${event.kind}${event.taken ? ', took the floor' : ''}`;
    case 'reminder.set':
    case 'reminder.fired':
      return `agent  ${event.type}: ${event.text}`;
    case 'error':
      return `!      ${event.message} (${event.code}): ${event.hint}`;
    default:
      return undefined;
  }
}

export function describeSummary({ agentSegments, userSegments, ...figures }: CallSummary): string {
  const segments = [
    ...userSegments.map((segment) => ({ ...segment, who: 'user ', text: '' })),
    ...agentSegments.map((segment) => ({ ...segment, who: 'agent', text: segment.text && `“${segment.text}”` })),
  ].sort((a, b) => a.startMs - b.startMs);
  const list = (ms: readonly number[]) => (ms.length > 0 ? `${ms.map(Math.round).join(', ')} ms` : 'none');
  return [
    '',
    'What was heard:',
    ...segments.map(({ who, startMs, endMs, text }) =>
      `${seconds(startMs)} –${seconds(endMs)}  ${who}  ${text}`.trimEnd(),
    ),
    '',
    `both at once                ${Math.round(figures.overlapMs)} ms`,
    `from user's end to agent    ${list(figures.responseGapMs)}`,
    `from barge-in to silence    ${list(figures.bargeInMs)}`,
    `heard, told less measured   ${list(figures.heardErrorMs)}`,
  ].join('\n');
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2).padStart(7);
}
