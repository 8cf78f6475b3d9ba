import type { Participant as WireParticipant } from '@microturn/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { createSession } from './create-session.js';
import type { InteractionSession } from './session.js';
import { scriptedTransport, settled, type ScriptedTransport } from './testing/index.js';

const person = (identity: string, fields: Partial<WireParticipant> = {}): WireParticipant => ({
  identity,
  attributes: {},
  away: false,
  speaking: false,
  tracks: [],
  ...fields,
});
const microphone = (muted: boolean) => ({ id: 'p1', source: 'microphone', kind: 'audio', muted }) as const;

let transport: ScriptedTransport;
let session: InteractionSession;
beforeEach(async () => {
  const participants = [person('ann', { name: 'Ann', attributes: { seat: 'A' } }), person('caller')];
  transport = scriptedTransport({ join: { participants } });
  session = createSession({ url: 'http://edge', token: 'token', transport });
  await session.connect();
});

const names = () => session.participants.value.map(({ name }) => name);

describe('participants', () => {
  it('are those whom the join found, this user first', () => {
    expect(session.participants.value).toEqual([
      { ...person('caller'), name: 'caller', isLocal: true },
      { ...person('ann'), name: 'Ann', attributes: { seat: 'A' }, isLocal: false },
    ]);
  });

  it('come, change, speak and leave', () => {
    const before = session.participants.value;
    transport.receive({ type: 'participant.joined', participant: person('bob') });
    transport.receive({ type: 'participant.updated', participant: person('bob', { tracks: [microphone(true)] }) });
    transport.receive({ type: 'speakers.changed', speakers: ['ann'] });
    expect(session.participants.value.map(({ speaking }) => speaking)).toEqual([false, true, false]);
    expect(session.participants.value[2]?.tracks).toEqual([microphone(true)]);
    // Who has not changed is the same object, and renders nothing anew.
    expect(session.participants.value[0]).toBe(before[0]);
    transport.receive({ type: 'participant.left', identity: 'ann' });
    expect(names()).toEqual(['caller', 'bob']);
  });

  it('are told before the call is up, and counted again when it is resumed', async () => {
    transport.receive({ type: 'participant.joined', participant: person('bob') });
    expect(names()).toEqual(['caller', 'Ann', 'bob']);
    transport.drop();
    await session.until(({ connection }) => connection.status === 'connected', { timeoutMs: 5000 });
    expect(names()).toEqual(['caller', 'Ann']);
  });

  it('are nobody outside a call', async () => {
    await session.disconnect();
    expect(session.participants.value).toEqual([]);
  });

  it('one that is muted by somebody else has the device muted, and says so', async () => {
    transport.receive({ type: 'track.muted', producerId: transport.published[0]!.producerId, source: 'microphone' });
    await settled();
    expect(session.microphone.state.value.status).toBe('muted');
    expect(transport.published[0]).toMatchObject({ muted: true, track: { enabled: false } });
    await session.microphone.setMuted(false);
    expect(transport.published[0]).toMatchObject({ muted: false, track: { enabled: true } });
  });

  it('may be muted and removed by one who administers the room', async () => {
    await session.muteParticipant('ann', 'p1');
    await session.removeParticipant('ann');
    expect(transport.sent.slice(-2)).toMatchObject([
      { type: 'participant.mute', participant: 'ann', producerId: 'p1' },
      { type: 'participant.remove', participant: 'ann' },
    ]);
  });
});
