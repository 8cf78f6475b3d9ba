import type { SessionEvent } from '@microturn/protocol';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { silentLog } from '../telemetry/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import { RoomAudience } from './audience.js';
import { Session } from './session.js';

let spoken: string[];
let cancelled: string[];
let session: Session;
let told: SessionEvent[];
/** What the socket does when it is given an event. */
let onEvent: (event: SessionEvent) => void;

beforeEach(async () => {
  [spoken, cancelled, told, onEvent] = [[], [], [], () => undefined];
  session = await Session.open(
    {
      room: 'den',
      participant: 'ann',
      roomAudience: new RoomAudience(),
      audience: 'room',
      clock: new ManualClock(),
      media: { request: () => Promise.resolve(undefined as never) },
      engine: {
        info: { name: 'scripted', version: '1', microTurnMs: 200, inputHz: 16_000, capabilities: [] },
        assertRoom: () => undefined,
        lease: () => ({ id: 1, engine: 0, zeroMs: 0, release: () => undefined }),
      },
      voice: {
        speak: ({ responseId }) => {
          spoken.push(responseId);
          return new Promise(() => undefined);
        },
        end: () => undefined,
        cancel: (responseId) => void cancelled.push(responseId),
      },
      log: silentLog,
      onClosed: () => undefined,
    },
    'endpoint',
  );
  session.start(listener);
});

const listener = (event: SessionEvent) => {
  told.push(event);
  onEvent(event);
};
const types = () => told.map(({ type }) => type);

it('a socket that ends while it is given what it missed carries nothing on, and the next one is given all of it', () => {
  session.say('one');
  session.suspend();
  const { seq } = session;
  told = [];
  onEvent = ({ seq: at }) => at === 2 && session.suspend();
  session.resume(0, listener);
  expect(told.map((event) => event.seq)).toEqual([1, 2]);
  session.say('anybody there');
  expect([told.length, spoken.length]).toEqual([2, 1]);
  [told, onEvent] = [[], () => undefined];
  session.resume(0, listener);
  expect(told.map((event) => event.seq)).toEqual(told.map((_, i) => i + 1));
  expect(told.length).toBeGreaterThan(seq);
  expect(types().filter((type) => type === 'session.resumed')).toHaveLength(1);
});

it('an event is written as JSON once, for the journal and for its socket', () => {
  const stringify = vi.spyOn(JSON, 'stringify');
  onTestFinished(() => stringify.mockRestore());
  session.suspend();
  const sent: [SessionEvent, string][] = [];
  session.resume(session.seq, (event, json) => void sent.push([event, json]));
  stringify.mockClear();
  session.say('one');
  const written = stringify.mock.calls.map(([value]) => (value as SessionEvent).seq);
  expect(written).toEqual(session.eventsAfter(sent[0]![0].seq).map(({ seq }) => seq));
  stringify.mockRestore();
  expect(sent.length).toBeGreaterThan(1);
  for (const [event, json] of sent) expect(json).toBe(JSON.stringify(event));
});

describe('a socket that ends in the middle of what it is told', () => {
  it.each(['suspended', 'closed'] as const)('by which its session is %s: what had begun is not spoken', (how) => {
    onEvent = ({ type }) => {
      if (type !== 'response.started') return;
      if (how === 'suspended') session.suspend();
      else session.close('left');
    };
    const { responseId } = session.say('a long text that nobody hears');
    expect(spoken).toEqual([]);
    // Nor is it on its way any more, for whoever comes back.
    expect(
      session.eventsAfter(0).filter((event) => 'responseId' in event && event.responseId === responseId),
    ).toMatchObject([{ type: 'response.started' }, { type: 'response.interrupted', heardMs: 0 }]);
    if (how === 'closed') {
      expect(types().at(-1)).toBe('session.closed');
      return;
    }
    onEvent = () => undefined;
    session.resume(session.seq, listener);
    const again = session.say('where was I');
    expect([spoken, cancelled]).toEqual([[again.responseId], [responseId]]);
  });
});
