import { readdirSync } from 'node:fs';
import type { MicroturnError } from '@microturn/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { hasEspeak } from '../engine/fixtures/speech.js';
import { DownlinkRun } from '../media/testing/sent-packets.js';
import type { SpeechMessage } from '../media/types.js';
import { buildSherpaProcess, type BuiltProcess } from '../sherpa/fixtures/built-process.js';
import { writeTinyVoice } from '../sherpa/fixtures/tiny-models.js';
import { sherpaVoice } from '../sherpa/index.js';
import { seededRandom } from '../testing/seeded-random.js';
import { SpeechServer } from '../testing/speech-server.js';
import { FallbackVoice } from './fallback-voice.js';
import { openVoice, type VoiceSpec } from './open-voice.js';
import { RehearsingVoice } from './rehearsing-voice.js';
import { SpeechDesk } from './speech-desk.js';
import { ToneVoice } from './tone-voice.js';
import type { SpeechClause, Voice } from './types.js';

/** One sentence for a voice that streams, nine clauses for one that does not. */
const LONG = `${Array.from({ length: 9 }, () => 'hello world').join(', ')}.`;
const NEXT = 'world, hello.';
const STOPS = 24;
const CUTS = 6;
/** Every voice is sooner to begin and to end; what waits for a sound that does not come is later. */
const PROMPT_MS = 1400;
/** A fifth of what speech has. Less is Opus, in which a sound rings on. */
const SOUND_RMS = 0.02;

interface OpenVoice {
  readonly voice: Voice;
  /** What works for it outside this thread, and is of one sentence: requests, programs, pipes. */
  readonly atWork?: () => number;
  /** What is open beside it. */
  readonly close?: () => Promise<void>;
}

let sherpa: BuiltProcess;
beforeAll(async () => {
  sherpa = await buildSherpaProcess('stopping');
  await writeTinyVoice(sherpa.folder('voice'));
});
afterAll(() => sherpa.remove());

/** As a session has them, each behind what stands in for it. A provider without a line here is a type error. */
const voices: Readonly<Record<VoiceSpec['provider'], () => Promise<OpenVoice>>> = {
  flite: async () => ({ voice: await openVoice({ provider: 'flite' }) }),
  tones: async () => ({ voice: await openVoice({ provider: 'tones' }) }),
  'espeak-ng': async () => {
    const voice = await openVoice({ provider: 'espeak-ng' });
    const before = openFiles();
    return { voice, atWork: () => programs() + openFiles() - before };
  },
  'openai-compatible': async () => {
    const server = await SpeechServer.start({ speak: [{ speed: 20 }] });
    const voice = await openVoice({ provider: 'openai-compatible', baseUrl: server.url, model: 'tts', voice: 'alloy' });
    const atWork = () => server.spoken.filter(({ outcome }) => outcome === 'open').length;
    return { voice, atWork, close: () => server.close() };
  },
  // Its process stays. Where it would refuse, another voice would be heard.
  'sherpa-onnx': async () => {
    const voice = await sherpaVoice({ model: sherpa.folder('voice'), processUrl: sherpa.processUrl });
    return { voice: new FallbackVoice(new RehearsingVoice(voice), new ToneVoice()) };
  },
};

function programs(): number {
  return process.getActiveResourcesInfo().filter((type) => type === 'ProcessWrap').length;
}
function openFiles(): number {
  return readdirSync('/dev/fd').length;
}
/** Lets what is ready happen, `turns` times over. */
async function idle(turns: number): Promise<void> {
  for (; turns >= 1; turns--) await new Promise((resolve) => setImmediate(resolve));
}

/** A text that somebody has begun to listen to. */
class Listening {
  readonly #abort = new AbortController();
  readonly #clauses: AsyncIterator<SpeechClause>;

  constructor(voice: Voice, onProblem: (error: MicroturnError) => void) {
    this.#clauses = voice.speak(LONG, { signal: this.#abort.signal, onProblem })[Symbol.asyncIterator]();
  }
  ask(): { answered: boolean; readonly answer: Promise<IteratorResult<SpeechClause>> } {
    const asked = { answered: false, answer: this.#clauses.next() };
    const onAnswer = () => (asked.answered = true);
    asked.answer.then(onAnswer, onAnswer);
    return asked;
  }
  async hear(clauses: number): Promise<void> {
    for (; clauses >= 1; clauses--) if ((await this.ask().answer).done) return;
  }
  stop(): void {
    this.#abort.abort();
  }
}

for (const [name, open] of Object.entries(voices)) {
  describe.skipIf(name === 'espeak-ng' && !hasEspeak)(`${name}, stopped`, () => {
    const problems: MicroturnError[] = [];
    const onProblem = (error: MicroturnError) => problems.push(error);
    let programsBefore: number;
    let opened: OpenVoice;
    let voice: Voice;
    beforeEach(async () => {
      problems.length = 0;
      programsBefore = programs();
      opened = await open();
      voice = opened.voice;
    });
    afterEach(async () => {
      await voice.close();
      await opened.close?.();
    });

    const nothingIsLeft = async () => {
      await expect.poll(() => opened.atWork?.() ?? 0, { interval: 2 }).toBe(0);
      expect(problems).toEqual([]);
    };
    const hear = async (text: string) => {
      const askedAtMs = performance.now();
      let firstMs: number | undefined;
      const clauses: SpeechClause[] = [];
      for await (const clause of voice.speak(text, { onProblem })) {
        firstMs ??= performance.now() - askedAtMs;
        clauses.push(clause);
      }
      const words = clauses.flatMap((clause) => clause.words.map((word) => word.text));
      return { firstMs, words, sound: joined(clauses) };
    };

    it('anywhere in an utterance, it gives nothing more, and what works for it ends', async () => {
      const random = seededRandom(1);
      for (let stop = 0; stop < STOPS; stop++) {
        const listening = new Listening(voice, onProblem);
        await listening.hear(random() * 4);
        // One listener waits for more, one asks for it too late, and one never asks again.
        const waiting = stop % 3 === 0 ? listening.ask() : undefined;
        await idle(1 + random() * 6);
        const unanswered = waiting?.answered === false;
        listening.stop();
        const stoppedAtMs = performance.now();
        if (unanswered) expect(await waiting!.answer).toEqual({ done: true, value: undefined });
        if (stop % 3 !== 2) expect(await listening.ask().answer).toEqual({ done: true, value: undefined });
        expect(performance.now() - stoppedAtMs).toBeLessThan(PROMPT_MS);
        await nothingIsLeft();
      }
    });

    it('it is not heard in what it says next, which does not wait', async () => {
      const random = seededRandom(2);
      const alone = await hear(NEXT);
      for (let stop = 0; stop < CUTS; stop++) {
        const listening = new Listening(voice, onProblem);
        await listening.hear(random() * 4);
        if (stop % 2 === 0) listening.ask();
        await idle(random() * 6);
        listening.stop();
        const next = await hear(NEXT);
        expect(next.firstMs).toBeLessThan(PROMPT_MS);
        expect(next.words).toEqual(alone.words);
        expect(next.sound.equals(alone.sound)).toBe(true);
      }
      await nothingIsLeft();
    });

    it('by a listener who leaves without a word, it leaves nothing behind either', async () => {
      for await (const _ of voice.speak(LONG, { onProblem })) break;
      await nothingIsLeft();
    });

    it('by being closed, it ends what it is saying, and every program', async () => {
      const listening = new Listening(voice, onProblem);
      await listening.hear(1);
      const rest = listening.hear(Infinity).catch(() => {});
      await voice.close();
      await rest;
      await expect.poll(programs).toBe(programsBefore);
    });

    it('by a cut, it is in no more than one packet, and the next response begins at once and is whole', async () => {
      const random = seededRandom(3);
      const alone = await new Line(voice).says(NEXT);
      for (let cut = 0; cut < CUTS; cut++) {
        const line = new Line(voice);
        const packets = await line.cut(random);
        expect(packets.filter(({ rms }) => rms > SOUND_RMS).length).toBeLessThanOrEqual(1);
        expect(packets.length).toBeLessThanOrEqual(2);
        expect((await line.says(NEXT)).equals(alone)).toBe(true);
      }
      await nothingIsLeft();
    });
  });
}

/** The way from a voice to packets, as its thread and the media thread have it; time stands still but for `pass`. */
class Line {
  readonly #run = new DownlinkRun();
  readonly #posted: SpeechMessage[] = [];
  readonly #desk: SpeechDesk;

  constructor(voice: Voice) {
    this.#desk = new SpeechDesk({
      voice,
      clock: this.#run.clock,
      report: () => {},
      post: (speech) => {
        this.#posted.push(speech);
        this.#run.downlink.say(speech);
      },
    });
  }

  /** Begins a long response, and cuts it while it is both made and sent. @returns what was sent from then on */
  async cut(random: () => number) {
    const { downlink, sent } = this.#run;
    this.#say('cut', LONG);
    const clauses = 1 + Math.floor(random() * 3);
    await vi.waitFor(() => expect(this.#of('cut').length).toBeGreaterThanOrEqual(clauses), { interval: 1 });
    this.#run.pass(random() * downlink.queuedMs);
    const before = sent.length;
    // The thread that sends is told first, and what the other one still makes comes after that.
    downlink.cut('cut');
    await idle(random() * 6);
    this.#run.pass(20);
    this.#desk.cancel('cut');
    this.#run.pass(200);
    return sent.slice(before);
  }

  /** All that is sent of a response. */
  async says(text: string): Promise<Buffer> {
    const nowMs = this.#run.clock.now();
    this.#say('next', text);
    await vi.waitFor(() => expect(this.#of('next').at(-1)?.last).toBe(true), { interval: 1 });
    this.#run.pass(5_000);
    const sound = joined(this.#of('next'));
    // No more than what was ahead of real time, and silence, is before it.
    expect(this.#run.started.at(-1)).toMatchObject({ responseId: 'next' });
    expect(this.#run.started.at(-1)!.atMs - nowMs).toBeLessThanOrEqual(40);
    expect(this.#run.ended).toMatchObject([{ responseId: 'next' }]);
    this.#desk.close();
    return sound;
  }

  #say(responseId: string, text: string): void {
    this.#desk.speak({ job: 1, voice: 'room:a', responseId, text, last: true, offsetMs: 0 });
  }
  #of(responseId: string): SpeechMessage[] {
    return this.#posted.filter((speech) => speech.responseId === responseId);
  }
}

/** As bytes, which are compared in no time. */
function joined(parts: readonly { readonly pcm: Float32Array }[]): Buffer {
  return Buffer.concat(parts.map(({ pcm }) => Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength)));
}
