import type { SessionEventOf } from '@microturn/protocol';
import { expect, it } from 'vitest';
import type { Decision } from '../engine/types.js';
import { silentLog } from '../telemetry/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import { RoomAudience } from './audience.js';
import type { SessionMedia } from './session-parts.js';
import { Session } from './session.js';

const MICRO_TURN_MS = 200;

/** A session in virtual time, whose engine decides nothing but that nobody talks. */
async function openSession() {
  const clock = new ManualClock();
  const used = { spent: { tokensIn: 0, tokensOut: 0, cost: 0 }, transcribed: { requests: 0, seconds: 0 } };
  const media: SessionMedia = { request: () => Promise.resolve(undefined as never) };
  let onDecision: (decision: Decision) => void = () => expect.unreachable('before there is a row');
  const session = await Session.open(
    {
      room: 'den',
      participant: 'ann',
      roomAudience: new RoomAudience(),
      audience: 'room',
      clock,
      media,
      engine: {
        info: { name: 'scripted', version: '1', microTurnMs: MICRO_TURN_MS, inputHz: 16_000, capabilities: [] },
        assertRoom: () => undefined,
        lease: (decided) => {
          onDecision = decided;
          return {
            id: 1,
            engine: 0,
            zeroMs: 0,
            get spent() {
              return used.spent;
            },
            get transcribed() {
              return used.transcribed;
            },
            release: () => undefined,
          };
        },
      },
      voice: { speak: () => Promise.resolve(), end: () => undefined, cancel: () => undefined },
      log: silentLog,
      onClosed: () => undefined,
    },
    'endpoint',
  );
  const usages: SessionEventOf<'session.usage'>[] = [];
  session.start((event) => {
    if (event.type === 'session.usage') usages.push(event);
  });
  let index = 0;
  const decide = (turns: number) => {
    for (let i = 0; i < turns; i++) {
      clock.advance(MICRO_TURN_MS);
      onDecision({
        lease: 1,
        index: index++,
        words: [],
        floor: 'silent',
        confidence: 1,
        say: '',
        acts: [],
        stepMs: 1,
        lagMs: 0,
      });
    }
  };
  return { session, used, usages, decide };
}

it('what a session has used is told once a minute, up to then, and once more at its end', async () => {
  const { session, used, usages, decide } = await openSession();
  decide(299);
  expect(usages).toEqual([]);
  used.spent = { tokensIn: 120, tokensOut: 8, cost: 0.02 };
  used.transcribed = { requests: 3, seconds: 4.5 };
  decide(1);
  expect(usages).toMatchObject([
    {
      at: 60_000,
      audioSeconds: 60,
      microTurns: 300,
      late: 0,
      tokensIn: 120,
      tokensOut: 8,
      cost: 0.02,
      transcriber: { requests: 3, seconds: 4.5 },
      voice: { characters: 0, seconds: 0 },
    },
  ]);
  session.say('good morning');
  decide(299);
  expect(usages).toHaveLength(1);
  decide(1);
  expect(usages.slice(1)).toMatchObject([
    { at: 120_000, audioSeconds: 120, microTurns: 600, tokensIn: 120, voice: { characters: 12, seconds: 0 } },
  ]);
  used.transcribed = { requests: 4, seconds: 6 };
  decide(5);
  session.close('client');
  expect(usages.slice(2)).toMatchObject([
    { at: 121_000, audioSeconds: 121, microTurns: 605, transcriber: { requests: 4, seconds: 6 } },
  ]);
});
