import { MicroturnError } from '@microturn/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionBackground } from '../session/index.js';
import { answerInCall, type CallRequest } from './answer-in-call.js';
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

describe('one whose token has canPublishData: false', () => {
  const requests = [
    { type: 'say', id: 2, text: 'hello all' },
    { type: 'typing', field: 'message', text: 'hello', sent: true },
    { type: 'task.ask', id: 3, text: 'how high is it' },
    { type: 'image.show', id: 7, name: 'screen', images: [] },
    { type: 'response.interrupt', id: 4, audience: 'room' },
  ] satisfies CallRequest[];
  const others = [
    { type: 'typing', field: 'message', text: 'hel', sent: false },
    { type: 'heard', rtpTimestamp: 1, outputLatencyMs: 0, audience: 'room', state: 'playing' },
    { type: 'ping', id: 5 },
    { type: 'subscribe', id: 6, rtpCapabilities: {} },
  ] satisfies CallRequest[];
  const answers = async (grant: { canPublish?: boolean; canPublishData?: boolean }) => {
    const { call } = await world.join(new Socket(), { background, grant });
    const answer = (message: CallRequest) => answerInCall(message, { call, media: world.parts.media, refused: [] });
    const outcome = (message: CallRequest) =>
      answer(message).then(
        () => 'done',
        (error: MicroturnError) => error.code,
      );
    return [await Promise.all(requests.map(outcome)), await Promise.all(others.map(outcome))];
  };

  it('listens, and has no word', async () => {
    expect(await answers({ canPublish: false, canPublishData: false })).toEqual([
      Array(5).fill('auth/forbidden'),
      Array(4).fill('done'),
    ]);
    expect(world.spoken).toEqual([]);
  });

  it('is no other: a token that does not say so is as good as before', async () => {
    expect(await answers({ canPublish: false })).toEqual([
      // Nano sees nothing: there is no LLM that a picture could be shown to.
      ['done', 'done', 'done', 'protocol/state', 'done'],
      Array(4).fill('done'),
    ]);
  });
});
