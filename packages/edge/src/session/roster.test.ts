import type { ParticipantTrack, RosterMessage } from '@microturn/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { Roster } from './roster.js';

const microphone: ParticipantTrack = { id: 'm', source: 'microphone', kind: 'audio', muted: false };
const camera: ParticipantTrack = { id: 'c', source: 'camera', kind: 'video', muted: false };

let roster: Roster;
let told: Record<string, RosterMessage[]>;
beforeEach(() => {
  roster = new Roster();
  told = {};
});

function come(identity: string, { hidden = false, attributes = {} } = {}) {
  const seat = roster.join({ identity, name: `${identity}!`, attributes, hidden });
  const seen = seat.listen((message) => (told[identity] ??= []).push(message));
  return { seat, seen: seen.map((participant) => participant.identity) };
}
const types = (identity: string) => (told[identity] ?? []).map(({ type }) => type);
const lastOf = (identity: string) => told[identity]?.at(-1);

describe('a roster', () => {
  it('tells the others who comes and goes, and the newcomer who is there', () => {
    expect(come('ann').seen).toEqual(['ann']);
    const bob = come('bob', { attributes: { seat: 'B' } });
    expect(bob.seen).toEqual(['ann', 'bob']);
    expect(told['ann']).toEqual([
      {
        type: 'participant.joined',
        participant: {
          identity: 'bob',
          name: 'bob!',
          attributes: { seat: 'B' },
          away: false,
          speaking: false,
          tracks: [],
        },
      },
    ]);
    expect(told['bob']).toBeUndefined();
    bob.seat.leave();
    bob.seat.leave();
    expect(types('ann')).toEqual(['participant.joined', 'participant.left']);
    expect(roster.participants.map(({ identity }) => identity)).toEqual(['ann']);
  });

  it('tells everybody, oneself too, of tracks and mutes, and of each only once', () => {
    const { seat } = come('ann');
    come('bob');
    seat.publish(microphone);
    seat.setMuted('m', true);
    seat.setMuted('m', true);
    seat.setMuted('unknown', true);
    seat.unpublish('unknown');
    expect(types('bob')).toEqual(['participant.updated', 'participant.updated']);
    expect(lastOf('ann')).toMatchObject({ participant: { tracks: [{ id: 'm', muted: true }] } });
  });

  it('keeps a place for one whose connection is lost, without tracks', () => {
    const { seat } = come('ann');
    come('bob');
    seat.publish(microphone);
    const heard = told['ann']!.length;
    seat.goAway();
    expect(lastOf('bob')).toMatchObject({ participant: { identity: 'ann', away: true, tracks: [] } });
    come('cyd');
    expect(told['ann']).toHaveLength(heard);
    const back = seat.listen((message) => told['ann']!.push(message));
    expect(back.map(({ identity, away }) => [identity, away])).toEqual([
      ['ann', false],
      ['bob', false],
      ['cyd', false],
    ]);
    expect(lastOf('bob')).toMatchObject({ participant: { identity: 'ann', away: false } });
    expect(told['ann']).toHaveLength(heard);
  });

  it('shows a hidden one to themselves alone', () => {
    come('ann');
    const spy = come('spy', { hidden: true });
    expect(spy.seen).toEqual(['ann', 'spy']);
    spy.seat.publish(microphone);
    roster.setSpeakers(['spy']);
    spy.seat.leave();
    expect(types('ann')).toEqual([]);
    expect(types('spy')).toEqual(['participant.updated']);
    expect(roster.participants).toHaveLength(1);
  });

  it('says who speaks where it changed, and only of those who can be heard', () => {
    const ann = come('ann');
    const bob = come('bob');
    ann.seat.publish(microphone);
    bob.seat.publish(camera);
    told = {};
    roster.setSpeakers(['nobody', 'bob', 'ann']);
    roster.setSpeakers(['ann', 'bob']);
    expect(told['bob']).toEqual([{ type: 'speakers.changed', speakers: ['ann'] }]);
    expect(come('cyd').seen).toHaveLength(3);
    ann.seat.setMuted('m', true);
    expect(told['bob']!.slice(-2)).toMatchObject([
      { type: 'speakers.changed', speakers: [] },
      { type: 'participant.updated', participant: { speaking: false } },
    ]);
  });
});
