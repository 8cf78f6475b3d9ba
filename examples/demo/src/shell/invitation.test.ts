import { describe, expect, it } from 'vitest';
import { invitationIn } from './invitation.js';

describe('the address', () => {
  it('says which room, and under what name', () => {
    expect(invitationIn('?room=the+kitchen&name=Ann&listen')).toEqual({ room: 'the kitchen', participantName: 'Ann' });
  });

  it('leaves open what it does not say', () => {
    expect(invitationIn('?room=&listen')).toEqual({});
  });
});
