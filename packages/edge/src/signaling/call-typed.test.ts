import { MicroturnError } from '@microturn/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionBackground } from '../session/index.js';
import { Socket, World } from './testing/call-world.js';

let world: World;
let full: boolean;
const takesOrRefuses = () => {
  if (full) throw new MicroturnError('task/full');
  return { taken: 'question', taskId: 'task-1' } as const;
};
const asked = {
  keepsClip: false,
  followUp: () => undefined,
  ask: takesOrRefuses,
  typed: takesOrRefuses,
  onEvent: () => undefined,
  close: () => undefined,
} as unknown as SessionBackground;
const background = () => () => asked;
beforeEach(() => {
  world = new World();
  full = false;
});

const message = (text: string) => ({ field: 'message', text, sent: true });
const typed = ({ events }: Socket) =>
  events.flatMap((event) => (event.type === 'transcript.typed' ? [[event.participant, event.text]] : []));

describe('what a participant types and sends', () => {
  it('is told to them, as what they say is, and to nobody else in the room', async () => {
    const [ann, bob] = [new Socket(), new Socket()];
    const { call } = await world.join(ann, { background });
    await world.join(bob, { identity: 'bob', background });
    call.session.typed(message('how high is the tower'));
    call.session.typed({ ...message('and how'), sent: false });
    call.session.ask({ text: 'how old is it' });
    expect(typed(ann)).toEqual([
      ['ann', 'how high is the tower'],
      ['ann', 'how old is it'],
    ]);
    expect(typed(bob)).toEqual([]);
  });

  it('is not told where it was refused, or empty', async () => {
    const ann = new Socket();
    const { call } = await world.join(ann, { background });
    call.session.typed(message(' '));
    full = true;
    const refused = expect.objectContaining({ code: 'task/full' }) as Error;
    expect(() => call.session.typed(message('one more'))).toThrow(refused);
    expect(() => call.session.ask({ text: 'one more' })).toThrow(refused);
    expect(typed(ann)).toEqual([]);
  });

  it('comes once, also where the socket dropped before it came', async () => {
    const before = new Socket();
    const { call, joined } = await world.join(before, { background });
    call.session.typed(message('first'));
    const lastSeq = before.seqs.at(-1)!;
    call.detach(before);
    call.session.typed(message('second'));
    const after = new Socket();
    await world.join(after, { resume: { resumeToken: joined.resumeToken, lastSeq } });
    expect([typed(before), typed(after)]).toEqual([[['ann', 'first']], [['ann', 'second']]]);
  });
});
