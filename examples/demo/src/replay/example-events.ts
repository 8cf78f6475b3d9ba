import type { Floor, ResponseKind, SessionEvent } from '@microturn/sdk';

/** An event before a session has numbered it, with its place on the session clock. */
export type TimedEvent = SessionEvent extends infer E
  ? E extends SessionEvent
    ? Omit<E, 'seq' | 'turn'>
    : never
  : never;

const ME = 'caller';
/** From a clause made to its first packet played. */
const TO_THE_EAR_MS = 130;
const REPORT_MS = 100;

/**
 * A conversation written by hand: it shows each thing that the page can show, once. It is no evidence of what the
 * model does, and the page says so.
 */
export function exampleEvents(): TimedEvent[] {
  const events = [
    ...utterance(1000, 'count the animals'),
    floor(1200, 'speaking', 0.96),
    floor(2200, 'yielded', 0.93),
    floor(3400, 'silent', 0.97),

    // It counts while the user goes on, and waits in the pause.
    ...utterance(4000, 'today i saw a horse and a goat'),
    floor(4200, 'speaking', 0.98),
    ...interjection(5800, 'r1', 'one', 330),
    ...interjection(6700, 'r2', 'two', 310),
    floor(6800, 'holding', 0.81),
    ...utterance(9800, 'then a sheep <unk> to the <unk> with a rabbit'),
    floor(10_000, 'speaking', 0.97),
    ...interjection(11_000, 'r3', 'three', 380),
    ...interjection(13_200, 'r4', 'four', 360),
    floor(13_400, 'yielded', 0.94),
    floor(14_600, 'silent', 0.98),

    // Something long: agreed with, then interrupted.
    ...response(16_000, 'r5', 'proactive', {
      text: 'Let me describe a slow walk along the coast. The path leaves the village, climbs past old stone walls, crosses a small wooden bridge, and follows the cliff.',
      wordMs: 330,
      cutMs: 24_000,
    }),
    ...utterance(18_900, 'uh huh'),
    floor(19_200, 'backchannel', 0.88),
    { type: 'interruption', at: 19_200, kind: 'backchannel', participant: ME, taken: false },
    floor(19_800, 'silent', 0.95),
    ...utterance(23_200, 'wait stop'),
    floor(23_600, 'barge-in', 0.91),
    { type: 'interruption', at: 24_000, kind: 'barge-in', participant: ME, taken: true },
    floor(24_200, 'yielded', 0.92),
    floor(25_400, 'silent', 0.97),

    ...utterance(26_600, 'remind me in five seconds'),
    floor(26_800, 'speaking', 0.95),
    floor(28_400, 'yielded', 0.9),
    floor(29_600, 'silent', 0.98),
    { type: 'reminder.fired', at: 33_600, reminderId: 'reminder-1', dueMs: 33_600, text: 'remind' },
    ...response(33_600, 'r6', 'proactive', { text: 'Reminder.', wordMs: 620 }),
    floor(36_400, 'silent', 0.99),
  ] satisfies TimedEvent[];
  return events.sort((a, b) => a.at - b.at);
}

/** How long the example goes on. */
export const EXAMPLE_MS = 37_500;

function floor(at: number, value: Floor, confidence: number): TimedEvent {
  return { type: 'floor.changed', at, participant: ME, floor: value, confidence };
}

function utterance(fromMs: number, text: string): TimedEvent[] {
  let endMs = fromMs;
  return text.split(' ').map((word, index) => {
    endMs += word === '<unk>' ? 420 : 170 + word.length * 45;
    return {
      type: 'transcript.word',
      // Told at the end of the micro-turn after the one in which it ended.
      at: Math.ceil((endMs + 120) / 200) * 200 + 10,
      participant: ME,
      text: word,
      endMs,
      confidence: 0.72 + ((index * 7) % 25) / 100,
      final: true,
    };
  });
}

function interjection(at: number, responseId: string, text: string, wordMs: number): TimedEvent[] {
  return [
    { type: 'interruption', at, kind: 'interjection', participant: ME, taken: true },
    ...response(at, responseId, 'interjection', { text, wordMs }),
  ];
}

function response(
  at: number,
  responseId: string,
  kind: ResponseKind,
  { text, wordMs, cutMs = Infinity }: { readonly text: string; readonly wordMs: number; readonly cutMs?: number },
): TimedEvent[] {
  const words = text.split(' ').map((word, index) => ({ text: word, startMs: index * wordMs, endMs: (index + 1) * wordMs - 30 }));
  const lengthMs = words.length * wordMs;
  const textUpTo = (heardMs: number, heard: boolean) =>
    words
      .filter(({ endMs }) => endMs <= heardMs === heard)
      .map((word) => word.text)
      .join(' ');
  const madeMs = at + 40;
  const events: TimedEvent[] = [
    { type: 'response.started', at, responseId, kind, audience: 'room' },
    { type: 'response.text', at: madeMs, responseId, text, words },
  ];
  const endMs = Math.min(lengthMs, cutMs - madeMs - TO_THE_EAR_MS);
  for (let heardMs = REPORT_MS; heardMs < endMs; heardMs += REPORT_MS) {
    events.push({ type: 'response.heard', at: madeMs + TO_THE_EAR_MS + heardMs, responseId, heardMs, heardText: textUpTo(heardMs, true) });
  }
  if (cutMs === Infinity) {
    events.push({ type: 'response.completed', at: madeMs + TO_THE_EAR_MS + lengthMs, responseId, heardMs: lengthMs });
  } else {
    events.push({ type: 'response.cut', at: cutMs, responseId });
    events.push({
      type: 'response.interrupted',
      at: cutMs + 20,
      responseId,
      by: 'user',
      heardMs: endMs,
      heardText: textUpTo(endMs, true),
      unheardText: textUpTo(endMs, false),
    });
  }
  return events;
}
