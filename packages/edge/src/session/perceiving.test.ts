import { MicroturnError, type SessionEvent } from '@microturn/protocol';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Background } from '../background/index.js';
import { HandProvider, settle } from '../background/fixtures/desk-stage.js';
import { parseConfig } from '../config.js';
import type { InteractionStream, ModelInfo, Perceived } from '../engine/types.js';
import { silentLog } from '../telemetry/index.js';
import { hum } from '../testing/interaction-model.contract.js';
import { ManualClock } from '../testing/manual-clock.js';
import { ScriptedModel, type ScriptedDecision } from '../testing/scripted-model.js';
import type { SpeakRequest } from '../voice/index.js';
import { RoomAudience } from './audience.js';
import type { EngineOutlet, SessionEngine, SessionMedia } from './session-parts.js';
import { Session } from './session.js';

const WORD_MS = 250;

/** A session with a model that reads: it decides by what it was told since its last decision. */
async function sessionWith(
  decide: (told: readonly Perceived[], index: number) => ScriptedDecision | undefined,
  delegates = true,
  more: Partial<ModelInfo> = {},
) {
  const clock = new ManualClock();
  let read = 0;
  const model: ScriptedModel = new ScriptedModel({
    clock,
    info: { acts: ['relay', 'delegate', 'backchannel', 'note', 'remind'], reads: { delegates, perTurn: 8 }, ...more },
    script: ({ index }) => {
      const told = model.perceived.slice(read).map(({ perceived }) => perceived);
      read = model.perceived.length;
      return decide(told, index);
    },
  });
  let stream: InteractionStream | undefined;
  let outlet: EngineOutlet | undefined;
  let replace: () => void = () => expect.unreachable('before there is a row');
  const engine: SessionEngine = {
    info: model.info,
    assertRoom: () => undefined,
    lease: (onDecision, _onFailed, onReset, given) => {
      outlet = given;
      const open = () => (stream = model.open(1, onDecision));
      replace = () => {
        stream!.close();
        open();
        onReset(new MicroturnError('engine/failed', 'as the test wants it'), {});
      };
      open();
      return {
        id: 1,
        engine: 0,
        zeroMs: 0,
        perceive: (perceived) => stream!.perceive(perceived),
        release: () => stream!.close(),
      };
    },
  };
  const provider = new HandProvider();
  const { background: config } = parseConfig({});
  if (!config) throw new Error('there is a background unless it is turned off');
  const background = await Background.open({
    config,
    languageModels: undefined,
    hooks: { provider },
    after: clock.after,
    log: silentLog,
    env: {},
  });
  const spoken: SpeakRequest[] = [];
  const events: SessionEvent[] = [];
  const session = await Session.open(
    {
      room: 'den',
      participant: 'ann',
      roomAudience: new RoomAudience(),
      audience: 'room',
      clock,
      media: {
        request: async (_method: string, { report }: { report?: { rtpTimestamp: number } }) =>
          report && { heard: [{ responseId: spoken.at(-1)!.responseId, heardMs: report.rtpTimestamp }] },
      } as unknown as SessionMedia,
      engine,
      voice: {
        speak: async (request) => {
          spoken.push(request);
          const words = request.text
            .split(' ')
            .map((text, i) => ({ text, startMs: i * WORD_MS, endMs: (i + 1) * WORD_MS }));
          request.onClause({ text: request.text, words, lengthMs: words.length * WORD_MS } as never);
          session.speechMoved('speech-started', request.responseId, clock.now());
        },
        end: (responseId) => session.speechMoved('speech-sent', responseId, clock.now()),
        cancel: () => undefined,
      },
      log: silentLog,
      background: background.openFor(model.info),
      onClosed: () => undefined,
    },
    'endpoint',
  );
  session.start((event) => events.push(event));
  onTestFinished(() => {
    session.close('over');
    return background.close();
  });
  let index = 0;
  return {
    session,
    provider,
    spoken,
    events,
    /** The model tells an utterance when all its words are known. */
    tellsHeard: (text: string) => outlet!.heard!({ words: text.split(' '), fromMs: clock.now() }),
    told: () => model.perceived.map(({ perceived }) => perceived),
    async turns(count: number) {
      for (let i = 0; i < count; i++) {
        clock.advance(200);
        stream!.push(hum(model, 1, index++, clock.now()));
        await settle();
      }
    },
    /** Another engine takes the row over; what came meanwhile is missed, and keeps its index. */
    replaceEngine(missed: number) {
      clock.advance(200 * missed);
      index += missed;
      replace();
    },
    async hear(heardMs: number) {
      await session.heard({ rtpTimestamp: heardMs, outputLatencyMs: 0, audience: 'room', state: 'playing' });
      await settle();
    },
  };
}

describe('a model that reads', () => {
  it('is told of a message that was sent, and of none that still stands in its field', async () => {
    const { session, told } = await sessionWith(() => undefined);
    session.typed({ field: 'message', text: 'count the', sent: false });
    session.typed({ field: 'message', text: 'count the animals', sent: true });
    expect(told()).toEqual([{ type: 'typed', text: 'count the animals' }]);
  });

  it('reads a message that is a question as well, where it does nothing about it', async () => {
    const { session, told, provider, turns, events } = await sessionWith(() => undefined, false, { acts: ['handle'] });
    session.typed({ field: 'message', text: 'how high is the tower', sent: true });
    await turns(4);
    expect(told()).toEqual([{ type: 'typed', text: 'how high is the tower' }]);
    expect(provider.runs.map(({ brief }) => brief.task)).toMatchObject([
      { prompt: 'how high is the tower', origin: 'text' },
    ]);
    expect(events.filter(({ type }) => type === 'transcript.typed')).toHaveLength(1);
  });

  it.each(['note', 'handle'] as const)('answers a message itself by %s: nobody else is asked', async (act) => {
    const decide = (_told: readonly Perceived[], index: number) => (index === 8 ? { acts: [act] } : undefined);
    const { session, provider, turns, events } = await sessionWith(decide, false, { acts: ['note', 'handle'] });
    await turns(7);
    session.typed({ field: 'message', text: 'remind me in ten seconds', sent: true });
    await turns(20);
    expect(provider.runs).toEqual([]);
    expect(events.filter(({ type }) => type.startsWith('task.'))).toEqual([]);
  });

  it('is told “never mind” where no task is meant: it may be about a reminder', async () => {
    const { session, told, provider, turns } = await sessionWith(() => undefined, false, {
      acts: ['handle', 'cancel'],
    });
    session.typed({ field: 'message', text: 'Never mind.', sent: true });
    await turns(10);
    expect(told()).toEqual([{ type: 'typed', text: 'Never mind.' }]);
    expect(provider.runs).toEqual([]);
  });

  it('delegates what was typed, hears of the result, and has it said at its word', async () => {
    const { session, turns, hear, provider, spoken, told, events } = await sessionWith((told, index) => {
      if (told.some((one) => one.type === 'typed')) return { acts: ['delegate'] };
      // It waits for a better moment, though the floor is free.
      return index === 12 ? { floor: 'yielded', acts: ['relay'] } : undefined;
    });
    session.typed({ field: 'message', text: 'how high is the tower', sent: true });
    await turns(2);
    const { io, done } = provider.of('how high is the tower');
    io.delta('Three hundred metres. ');
    done();
    await turns(10);
    expect(told().filter((one) => one.type === 'mark')).toEqual([{ type: 'mark', mark: 'result' }]);
    expect(spoken).toEqual([]);
    await turns(2);
    expect(spoken.map(({ text }) => text)).toEqual(['Three hundred metres.']);
    expect(events.find(({ type }) => type === 'response.started')).toMatchObject({ kind: 'relay', taskId: 'task-1' });

    await hear(2 * WORD_MS);
    await hear(3 * WORD_MS);
    expect(told().filter((one) => one.type === 'heard')).toEqual([
      { type: 'heard', text: 'Three hundred' },
      { type: 'heard', text: 'metres.' },
    ]);
  });

  it('says "mm-hm" under somebody who goes on talking: a response that is no turn', async () => {
    const { turns, spoken, events } = await sessionWith((_told, index) =>
      index === 1 ? { floor: 'holding', acts: ['backchannel'], say: 'Mm-hm.' } : { floor: 'speaking' },
    );
    await turns(3);
    expect(spoken.map(({ text }) => text)).toEqual(['Mm-hm.']);
    expect(events.find(({ type }) => type === 'response.started')).toMatchObject({ kind: 'backchannel' });
    expect(events.filter(({ type }) => type === 'interruption')).toEqual([]);
  });
});

describe('a model that tells utterances when all their words are known', () => {
  it('has what a task asks answered by them', async () => {
    const talk = await sessionWith(() => undefined, true, { acts: [], tellsUtterances: true });
    talk.session.ask({ text: 'send it' });
    await talk.turns(1);
    const approved = talk.provider.of('send it').io.approve('send_mail', {});
    await talk.turns(6);
    expect(talk.spoken.map(({ text }) => text)).toEqual(['May I use send mail?']);
    talk.tellsHeard('yes but not yet');
    talk.tellsHeard('yes please');
    await expect(approved).resolves.toBe(true);
  });
});

describe('a model that notes', () => {
  const word = (text: string, endMs: number) => ({ text, endMs, confidence: 1 });
  const request = { 5: { words: [word('in', 900), word('thirty', 1100)] }, 6: { words: [word('seconds', 1300)], acts: ['note'] } } as const; // prettier-ignore

  /** One that decides as scripted by index, and remembers in which micro-turn it knew which age. */
  async function noting(script: Readonly<Record<number, ScriptedDecision>>) {
    const ages: string[] = [];
    const stage = await sessionWith((told, index) => {
      for (const one of told) if (one.type === 'age') ages.push(`${one.text}: ${one.seconds}@${index}`);
      return script[index];
    });
    return { ...stage, ages };
  }

  it('is not heard to remind of what it has cancelled', async () => {
    const remind = { acts: ['remind'], say: 'Here it is.' } as const;
    const { turns, spoken, events } = await noting({ ...request, 20: { acts: ['cancel'] }, 40: remind });
    await turns(60);
    expect(spoken).toEqual([]);
    expect(events.filter(({ type }) => type === 'reminder.fired')).toEqual([]);
  });

  it('knows how old what it noted is in the micro-turns in which it is, until it has said the reminder', async () => {
    const { turns, ages, events } = await noting({ ...request, 156: { acts: ['remind'], say: 'Here it is.' } });
    await turns(320);
    expect(ages).toEqual([
      'in thirty seconds: 10@56',
      'in thirty seconds: 20@106',
      'in thirty seconds: 30@156',
    ]); // prettier-ignore
    expect(events.filter(({ type }) => type === 'reminder.fired')).toHaveLength(1);
    expect(new Set(events.map(({ type }) => type))).not.toContain('error');
  });

  it('notes what was typed from the micro-turn in which it was told', async () => {
    const { session, turns, ages } = await noting({ 8: { acts: ['note'] } });
    await turns(7);
    session.typed({ field: 'message', text: 'Remind me in a minute.', sent: true });
    await turns(60);
    expect(ages).toEqual(['remind me in a minute: 10@57']);
  });

  it('is told on by the session after its engine was replaced, and its client was away', async () => {
    const { session, turns, ages, replaceEngine, events } = await noting(request);
    await turns(20);
    session.suspend();
    replaceEngine(40); // the first age is due in one of those that are missed
    await turns(60);
    session.resume(session.seq, () => undefined);
    await turns(40);
    expect(ages).toEqual([
      'in thirty seconds: 10@61',
      'in thirty seconds: 20@106',
      'in thirty seconds: 30@156',
    ]); // prettier-ignore
    expect(events.filter(({ type }) => type === 'error')).toEqual([]);
  });
});
