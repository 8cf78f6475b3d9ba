import { MicroturnError, type AskResult } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import type { Decision, ModelInfo } from '../engine/index.js';
import { silentLog } from '../telemetry/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import type { SessionBackground } from './background.js';
import { RoomAudience } from './audience.js';
import type { SessionMedia, TypedText } from './session-parts.js';
import { Session } from './session.js';

interface Stage {
  /** The row takes what is typed. */
  readonly reads: boolean;
  readonly about?: AskResult | undefined;
  readonly model?: Partial<ModelInfo>;
  readonly isOff?: boolean;
}

/** A session whose background makes `about` of what is typed, or that has none. */
async function sessionWith({ reads, about, model, isOff = false }: Stage) {
  let decide: (decision: Decision) => void = () => expect.unreachable('before there is a row');
  const read: TypedText[] = [];
  const asked: string[] = [];
  const background = {
    keepsClip: false,
    followUp: () => about,
    ask: ({ text }: { text: string }) => {
      if (text === 'one too many') throw new MicroturnError('task/full');
      asked.push(text);
      return { taskId: 'task-1' };
    },
    onEvent: () => undefined,
    onDecision: () => undefined,
    close: () => undefined,
  } as unknown as SessionBackground;
  const media: SessionMedia = { request: () => Promise.resolve(undefined as never) };
  const clock = new ManualClock();
  const session = await Session.open(
    {
      room: 'den',
      participant: 'ann',
      roomAudience: new RoomAudience(),
      audience: 'room',
      clock,
      media,
      engine: {
        info: { name: 'scripted', version: '1', microTurnMs: 200, inputHz: 16_000, capabilities: [], ...model },
        assertRoom: () => undefined,
        lease: (onDecision) => {
          decide = onDecision;
          return {
            id: 1,
            engine: 0,
            zeroMs: 0,
            release: () => undefined,
            ...(reads && { typed: (typed: TypedText) => void read.push(typed) }),
          };
        },
      },
      voice: { speak: () => Promise.resolve(), end: () => undefined, cancel: () => undefined },
      log: silentLog,
      ...(!isOff && { background: () => background }),
      onClosed: () => undefined,
    },
    'endpoint',
  );
  const messages: string[] = [];
  const errors: string[] = [];
  session.start((event) => {
    if (event.type === 'transcript.typed') messages.push(event.text);
    if (event.type === 'error') errors.push(event.code);
  });
  let index = 0;
  const turns = (count: number) => {
    const decided = {
      lease: 1,
      floor: 'silent',
      confidence: 1,
      words: [],
      say: '',
      acts: [],
      stepMs: 1,
      lagMs: 1,
    } as const;
    for (let i = 0; i < count; i++) decide({ ...decided, index: index++ });
  };
  return { session, read, asked, messages, errors, turns };
}

const message = (text: string, sent = true): TypedText => ({ field: 'message', text, sent });

it('what the app says without a word in it is refused', async () => {
  const { session } = await sessionWith({ reads: false });
  expect(() => session.say(' \n')).toThrow(expect.objectContaining({ code: 'protocol/malformed' }));
});

describe('what is typed', () => {
  it('is answered by a model that reads', async () => {
    const { session, read, asked, messages } = await sessionWith({ reads: true });
    session.typed(message('hel', false));
    session.typed(message('hello'));
    expect(read).toEqual([message('hel', false), message('hello')]);
    expect(messages).toEqual(['hello']);
    expect(asked).toEqual([]);
  });

  it('goes to a task that it is about, and is not answered besides', async () => {
    const { session, read, asked } = await sessionWith({ reads: true, about: { taken: 'answer', taskId: 'task-1' } });
    session.typed(message('for four'));
    expect(read).toEqual([message('', false)]);
    expect(asked).toEqual([]);
  });

  it('is read as well where it is about the talk as a whole', async () => {
    const { session, read } = await sessionWith({ reads: true, about: { taken: 'subject' } });
    session.typed(message("let's talk about something else"));
    expect(read).toHaveLength(1);
  });

  it('is asked of the background where the model does not read: messages, and nothing before they are sent', async () => {
    const { session, asked } = await sessionWith({ reads: false });
    session.typed(message('how hi', false));
    session.typed(message(' '));
    session.typed(message('how high is it'));
    expect(asked).toEqual(['how high is it']);
  });

  it('is asked a little later of a model that may deal with it, and where it is refused then, the page is told', async () => {
    const model = { acts: ['handle'], reads: { delegates: false, perTurn: 8 } } as const;
    const { session, asked, messages, errors, turns } = await sessionWith({ reads: false, model });
    session.typed(message('how high is it'));
    session.typed(message('one too many'));
    expect(messages).toHaveLength(2);
    turns(2);
    expect([asked, errors]).toEqual([[], []]);
    turns(1);
    expect([asked, errors]).toEqual([['how high is it'], []]);
    turns(1);
    expect(errors).toEqual(['task/full']);

    const alone = await sessionWith({ reads: false, model, isOff: true });
    alone.session.typed(message('how high is it'));
    alone.turns(10);
    expect(alone.errors).toEqual(['task/off']);
    alone.session.typed(message('and how wide'));
    alone.session.close('over');
    alone.turns(10);
    expect(alone.errors).toHaveLength(1);
  });

  it('that is about a task is no question where the model does not read either', async () => {
    const { session, asked, messages } = await sessionWith({
      reads: false,
      about: { taken: 'cancel', taskId: 'task-1' },
    });
    session.typed(message('never mind'));
    expect(asked).toEqual([]);
    expect(messages).toEqual(['never mind']);
  });
});
