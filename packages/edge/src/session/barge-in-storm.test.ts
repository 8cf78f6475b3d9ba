import type { SessionEvent, SessionEventOf, SessionEventType } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../engine/types.js';
import { VirtualCall } from '../media/testing/virtual-call.js';
import type { HeardReport } from '../media/types.js';
import { silentLog } from '../telemetry/log.js';
import type { SpeakRequest } from '../voice/index.js';
import { RoomAudience } from './audience.js';
import { Session } from './session.js';

const STORM_MS = 60_000;
const EVERY_MS = 300;
const STEP_MS = 10;
const WORD_MS = 300;
const RATE_HZ = 24_000;
/** Responses sound by turns like this, so that the sound of one is not taken for another's. */
const TONES_HZ = [300, 900] as const;
const HEARD_TOLERANCE_MS = 40;
/** After a cut the client plays nothing for so long, whatever begins: what was on its way is over then. */
const STALE_MS = 80;

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A session over the real media path in virtual time, with a client that obeys its events, and a voice of tones. */
class Storm {
  readonly events: (SessionEvent & { readonly receivedMs: number })[] = [];
  readonly call: VirtualCall;
  readonly session: Promise<Session>;
  #decide: (decision: Decision) => void = () => undefined;
  readonly #tones = new Map<string, number>();
  #mutedAtMs = -Infinity;
  #unmuteAtMs = Infinity;

  constructor() {
    this.call = new VirtualCall(STORM_MS + 10_000, {
      onReport: (report) => void this.#heard(report),
      onStarted: (responseId, atMs) => void this.#moved('speech-started', responseId, atMs),
      onSent: (responseId, atMs) => void this.#moved('speech-sent', responseId, atMs),
    });
    this.session = this.#open();
  }

  ofType<T extends SessionEventType>(type: T): (SessionEventOf<T> & { readonly receivedMs: number })[] {
    return this.events.filter((event) => event.type === type) as never;
  }

  decide(index: number, decision: Partial<Decision>): void {
    const silence = { lease: 1, index, words: [], floor: 'silent', confidence: 1, say: '', acts: [] } as const;
    this.#decide({ ...silence, stepMs: 1, lagMs: 1, ...decision });
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.call.pass(STEP_MS);
      if (this.call.nowMs >= this.#unmuteAtMs) this.call.unmute();
      await settled();
    }
  }

  /** The client plays nothing more, and says so. */
  mute(): void {
    this.#mutedAtMs = this.call.nowMs;
    this.#unmuteAtMs = Infinity;
    this.call.mute();
  }

  /** What was played from the start of a response to that of the next: how long it sounded, and in which tones. */
  playedOf(responseId: string): { ms: number; tonesHz: number[] } {
    const starts = this.ofType('response.started');
    const at = starts.findIndex((event) => event.responseId === responseId);
    const toMs = starts[at + 1]?.receivedMs ?? this.call.nowMs;
    let ms = 0;
    const tones = new Set<number>();
    for (let frameMs = starts[at]!.receivedMs; frameMs < toMs; frameMs += 10) {
      const frame = this.call.loudspeaker.subarray(frameMs * 16, Math.min(frameMs + 10, toMs) * 16);
      const loud = frame.reduce((sum, x) => sum + (Math.abs(x) > 0.01 ? 1 : 0), 0);
      ms += Math.round((loud / frame.length) * 10) >= 5 ? 10 : 0;
      if (loud < frame.length * 0.8) continue;
      const crossings = frame.filter((x, i) => i > 0 && x >= 0 !== frame[i - 1]! >= 0).length;
      tones.add(crossings > 12 ? TONES_HZ[1] : TONES_HZ[0]);
    }
    return { ms, tonesHz: [...tones] };
  }

  toneOf(responseId: string): number {
    return this.#tones.get(responseId) ?? NaN;
  }

  async #open(): Promise<Session> {
    const { call } = this;
    const session = await Session.open(
      {
        room: 'den',
        participant: 'ann',
        roomAudience: new RoomAudience(),
        audience: 'room',
        clock: call.clock,
        log: silentLog,
        onClosed: () => undefined,
        media: {
          request: async (method, params) => {
            await Promise.resolve();
            const { responseId, report } = params as unknown as { responseId: string; report: HeardReport };
            if (method === 'speech.cut') {
              call.listener.cut(responseId, call.clock.now());
              return { sentMs: call.downlink.cut(responseId) } as never;
            }
            if (method === 'heard') return { heard: call.listener.report(report, call.clock.now()) } as never;
            return undefined as never;
          },
        },
        engine: {
          info: { name: 'scripted', version: '1', microTurnMs: 200, inputHz: 16_000, capabilities: [] },
          assertRoom: () => undefined,
          lease: (onDecision) => {
            this.#decide = onDecision;
            return { id: 1, engine: 0, zeroMs: call.clock.now(), release: () => undefined };
          },
        },
        voice: {
          speak: (request) => this.#speak(request),
          end: (responseId) =>
            void call.downlink.say({ responseId, pcm: new Float32Array(0), rateHz: RATE_HZ, last: true }),
          cancel: () => undefined,
        },
      },
      'endpoint',
    );
    session.start((event) => this.#onEvent(event));
    return session;
  }

  /** The client: it mutes at a cut, says so, and plays again with the next response. */
  #onEvent(event: SessionEvent): void {
    this.events.push({ ...event, receivedMs: Math.round(this.call.nowMs) });
    if (event.type === 'response.started') this.#unmuteAtMs = Math.max(this.call.nowMs, this.#mutedAtMs + STALE_MS);
    else if (event.type === 'response.cut') this.mute();
  }

  async #speak({ responseId, text, last = false, onClause }: SpeakRequest): Promise<void> {
    await Promise.resolve();
    const hz = this.#tones.get(responseId) ?? TONES_HZ[this.#tones.size % 2]!;
    this.#tones.set(responseId, hz);
    const words = text.split(' ').map((word, i) => ({ text: word, startMs: i * WORD_MS, endMs: (i + 1) * WORD_MS }));
    const lengthMs = words.length * WORD_MS;
    const pcm = Float32Array.from(
      { length: (lengthMs * RATE_HZ) / 1000 },
      (_, i) => 0.3 * Math.sin((2 * Math.PI * hz * i) / RATE_HZ),
    );
    this.call.downlink.say({ responseId, pcm, rateHz: RATE_HZ, last });
    onClause({ text, words, lengthMs, offsetMs: 0 });
  }

  async #heard(report: HeardReport): Promise<void> {
    await (await this.session).heard(report);
  }

  async #moved(type: 'speech-started' | 'speech-sent', responseId: string, atMs: number): Promise<void> {
    (await this.session).speechMoved(type, responseId, atMs);
  }
}

/** Nothing is stuck, nothing old was played, and what the events say was heard is what was played. */
async function expectSound(storm: Storm, text: string, by: 'user' | 'client'): Promise<void> {
  storm.call.unmute();
  const started = storm.ofType('response.started');
  const ended = storm.ofType('response.interrupted');
  expect(started.length).toBeGreaterThan(STORM_MS / 1000);
  expect(ended.map(({ responseId }) => responseId)).toEqual(started.map(({ responseId }) => responseId));
  for (const { responseId, heardMs, heardText, unheardText, ...end } of ended) {
    const played = storm.playedOf(responseId);
    expect(end.by).toBe(by);
    expect(Math.abs(heardMs - played.ms), `${responseId}: told ${heardMs}, played ${played.ms}`).toBeLessThanOrEqual(
      HEARD_TOLERANCE_MS,
    );
    if (played.ms > 20) expect(played.tonesHz).toEqual([storm.toneOf(responseId)]);
    expect([heardText, unheardText].filter(Boolean).join(' ')).toBe(text);
  }
  expect(storm.call.downlink.queuedMs).toBe(0);

  const { responseId } = (await storm.session).say('still there');
  await storm.pass(2_000);
  expect(storm.events.at(-1)).toMatchObject({ type: 'response.completed', responseId });
  expect(storm.playedOf(responseId).ms).toBeGreaterThan(560);
}

describe('fault 43, a barge-in every 300 ms for a minute', () => {
  it('by the user, whom the model lets take the floor every time', async () => {
    const storm = new Storm();
    await storm.session;
    for (let index = 0; index * 200 < STORM_MS; index++) {
      await storm.pass(200);
      const onset = Math.floor((index * 200) / EVERY_MS) !== Math.floor(((index + 1) * 200) / EVERY_MS);
      if (onset) storm.decide(index, { floor: 'barge-in', acts: ['stop'] });
      else storm.decide(index, { floor: 'yielded', say: 'one two three' });
    }
    await storm.pass(2_000);
    await expectSound(storm, 'one two three', 'user');
  });

  it('by the app, which speaks again at once', async () => {
    const storm = new Storm();
    const session = await storm.session;
    for (let i = 0; i * EVERY_MS < STORM_MS; i++) {
      session.say('one two three');
      await storm.pass(EVERY_MS);
      storm.mute();
      await storm.pass(20);
      await session.interrupt(undefined);
    }
    await storm.pass(1_000);
    await expectSound(storm, 'one two three', 'client');
  });
});
