import type { SessionEvent } from '@microturn/protocol';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Background } from '../background/index.js';
import { HandProvider, settle } from '../background/fixtures/desk-stage.js';
import { parseConfig } from '../config.js';
import type { InteractionStream, Perceived } from '../engine/types.js';
import { silentLog } from '../telemetry/index.js';
import { hum } from '../testing/interaction-model.contract.js';
import { ManualClock } from '../testing/manual-clock.js';
import { ScriptedModel, type ScriptedDecision } from '../testing/scripted-model.js';
import type { SpeakRequest } from '../voice/index.js';
import { RoomAudience } from './audience.js';
import type { SessionEngine, SessionMedia } from './session-parts.js';
import { Session } from './session.js';

const WORD_MS = 250;

/** A session with a model that reads: it decides by what it was told since its last decision. */
async function sessionWith(
  decide: (told: readonly Perceived[], index: number) => ScriptedDecision | undefined,
  delegates = true,
) {
  const clock = new ManualClock();
  let read = 0;
  const model: ScriptedModel = new ScriptedModel({
    clock,
    info: { acts: ['relay', 'delegate', 'backchannel'], reads: { delegates } },
    script: ({ index }) => {
      const told = model.perceived.slice(read).map(({ perceived }) => perceived);
      read = model.perceived.length;
      return decide(told, index);
    },
  });
  let stream: InteractionStream | undefined;
  const engine: SessionEngine = {
    info: model.info,
    assertRoom: () => undefined,
    lease: (onDecision) => {
      const opened = (stream = model.open(1, onDecision));
      return { id: 1, engine: 0, zeroMs: 0, perceive: opened.perceive, release: () => opened.close() };
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
    told: () => model.perceived.map(({ perceived }) => perceived),
    async turns(count: number) {
      for (let i = 0; i < count; i++) {
        clock.advance(200);
        stream!.push(hum(model, 1, index++, clock.now()));
        await settle();
      }
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

  it('reads a message that is asked of the background as well, where it has not learnt to delegate those', async () => {
    const { session, told, provider, turns } = await sessionWith(() => undefined, false);
    session.typed({ field: 'message', text: 'how high is the tower', sent: true });
    await turns(2);
    expect(told()).toEqual([{ type: 'typed', text: 'how high is the tower' }]);
    expect(provider.runs).toHaveLength(1);
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
