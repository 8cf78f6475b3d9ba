import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { TRANSCRIBE_HZ, type Transcript } from '../transcribe/types.js';
import { rms } from '../voice/voice.contract.js';
import { buildSherpaProcess, type BuiltProcess } from './fixtures/built-process.js';
import { SOUND_MS, VOICE_HZ, writeTinyRecognizer, writeTinyVoice } from './fixtures/tiny-models.js';
import { findRecognizer, findVoice } from './model-folder.js';
import { SherpaTranscriber, type SherpaTranscriberOptions } from './sherpa-transcriber.js';
import { sherpaVoice } from './sherpa-voice.js';

const TURN_MS = 200;
let built: BuiltProcess;
const folder = (name: string) => built.folder(name);

beforeAll(async () => {
  built = await buildSherpaProcess('sherpa');
  await writeTinyRecognizer(folder('recognizer'));
  await writeTinyVoice(folder('voice'));
  await mkdir(folder('broken'), { recursive: true });
  for (const name of ['encoder.onnx', 'decoder.onnx', 'joiner.onnx', 'model.onnx', 'tokens.txt']) {
    await writeFile(join(folder('broken'), name), 'this is no model');
  }
});
afterAll(() => built.remove());

describe('a folder of a model', () => {
  it('is a transducer, a paraformer or one graph, in 8 bits where it is there twice', async () => {
    const make = async (name: string, files: readonly string[]) => {
      await mkdir(folder(name), { recursive: true });
      for (const file of files) await writeFile(join(folder(name), file), '');
      return folder(name);
    };
    const transducer = await make('t', [
      'encoder-9.onnx',
      'encoder-9.int8.onnx',
      'decoder-9.onnx',
      'joiner-9.onnx',
      'tokens.txt',
    ]);
    expect(findRecognizer(transducer, 'nemo-ctc', 2).modelConfig).toMatchObject({
      transducer: { encoder: join(transducer, 'encoder-9.int8.onnx'), decoder: join(transducer, 'decoder-9.onnx') },
      numThreads: 2,
    });
    const paraformer = await make('p', ['encoder.onnx', 'decoder.onnx', 'tokens.txt']);
    expect(findRecognizer(paraformer, 'nemo-ctc', 1).modelConfig.paraformer).toBeDefined();
    const ctc = await make('c', ['model.onnx', 'tokens.txt']);
    expect(findRecognizer(ctc, 'nemo-ctc', 1).modelConfig.nemoCtc).toEqual({ model: join(ctc, 'model.onnx') });
    expect(findRecognizer(ctc, 'zipformer2-ctc', 1).modelConfig.zipformer2Ctc).toBeDefined();
    expect(findVoice(ctc, 1).model.vits).toEqual({ model: join(ctc, 'model.onnx'), tokens: join(ctc, 'tokens.txt') });
    const kokoro = await make('k', ['model.onnx', 'voices.bin', 'tokens.txt', 'espeak-ng-data']);
    expect(findVoice(kokoro, 1).model.kokoro).toMatchObject({ dataDir: join(kokoro, 'espeak-ng-data') });
    const empty = await make('e', ['tokens.txt']);
    expect(() => findRecognizer(empty, 'nemo-ctc', 1)).toThrow(/it has no a graph|it has no/);
    expect(() => findVoice(folder('nowhere'), 1)).toThrow(/no such folder/);
    expect(() => findVoice(folder('nowhere'), 1)).toThrow(expect.objectContaining({ code: 'edge/config' }));
  });

  it('needs the package, and says how to install it', () => {
    const from = pathToFileURL(join(tmpdir(), 'elsewhere.js')).href;
    const missing = () => new SherpaTranscriber({ model: folder('recognizer'), from });
    expect(missing).toThrow(expect.objectContaining({ code: 'edge/config' }));
    expect(missing).toThrow(/npm install sherpa-onnx-node@/);
  });

  it('is of the version that is installed here', () => {
    const { version } = createRequire(import.meta.url)('sherpa-onnx-node/package.json') as { version: string };
    expect(version).toBe('1.13.8');
  });
});

describe('the transcriber, with the real library and a model of three tokens', () => {
  const open = (options: Partial<SherpaTranscriberOptions> = {}) => {
    const transcriber = new SherpaTranscriber({
      model: folder('recognizer'),
      processUrl: built.processUrl,
      ...options,
    });
    onTestFinished(() => transcriber.close());
    return transcriber;
  };
  /** Loud and quiet micro-turns. */
  const sound = (letter: string) =>
    Int16Array.from({ length: (TURN_MS * TRANSCRIBE_HZ) / 1000 }, (_, i) =>
      letter === '.' ? 0 : 9000 * Math.sin(i * i * 0.37),
    );
  const hear = (transcriber: SherpaTranscriber, letters: string, fromMs = 0) =>
    new Promise<{ last: Transcript; all: Transcript[] }>((resolve, reject) => {
      const all: Transcript[] = [];
      const toMs = fromMs + letters.length * TURN_MS;
      const onTranscript = (transcript: Transcript) => {
        all.push(transcript);
        if (transcript.coveredMs >= toMs) resolve({ last: transcript, all });
      };
      const one = transcriber.start(fromMs, { onTranscript, onFailed: reject });
      [...letters].forEach((letter, i) => one.push(sound(letter), fromMs + (i + 1) * TURN_MS));
      one.settle();
    });

  it('makes words of sound as it comes, and all of them where they are wanted', async () => {
    const { last, all } = await hear(open(), '..SSS...SSS..', 1000);
    expect(last).toEqual({ words: ['hi', 'bye', 'hi', 'bye'], stable: 4, coveredMs: 3600 });
    const growing = all.slice(0, -1);
    expect(growing.some(({ words }) => words.length === 1)).toBe(true);
    // What may still be a part of a word is not called stable, and the newest sound not understood.
    expect(growing.every(({ words, stable }) => stable === Math.max(0, words.length - 1))).toBe(true);
    expect(growing.every(({ coveredMs }) => coveredMs <= 3200)).toBe(true);
  });

  it('tells what it was sent: every sound once, and how often its words were wanted', async () => {
    const sent = { requests: 0, seconds: 0 };
    const transcriber = open();
    await new Promise<void>((resolve, reject) => {
      const one = transcriber.start(0, {
        onSent: ({ requests, seconds }) => {
          sent.requests += requests;
          sent.seconds += seconds;
        },
        onTranscript: ({ coveredMs }) => coveredMs >= 3 * TURN_MS && resolve(),
        onFailed: reject,
      });
      for (let i = 1; i <= 3; i++) one.push(sound('S'), i * TURN_MS);
      one.settle();
    });
    expect(sent.requests).toBe(1);
    expect(sent.seconds).toBeCloseTo((3 * TURN_MS) / 1000, 6);
  });

  it('hears several at once, each by itself', async () => {
    const transcriber = open();
    const heard = await Promise.all([
      hear(transcriber, 'SS..'),
      hear(transcriber, '....'),
      hear(transcriber, 'SS..SS..'),
    ]);
    expect(heard.map(({ last }) => last.words.join(' '))).toEqual(['hi bye', '', 'hi bye hi bye']);
  });

  it('says nothing more of an utterance that is closed', async () => {
    const transcriber = open();
    let told = 0;
    const one = transcriber.start(0, { onTranscript: () => told++, onFailed: () => told++ });
    one.push(sound('S'), TURN_MS);
    one.close();
    one.push(sound('S'), 2 * TURN_MS);
    one.settle();
    await hear(transcriber, 'SS..');
    expect(told).toBe(0);
  });

  it('fails with a code where the model is none, and not the process of the edge', async () => {
    await expect(hear(open({ model: folder('broken') }), 'SS')).rejects.toMatchObject({ code: 'transcriber/failed' });
  });

  it('starts again after its process has died, and gives up where that goes on', async () => {
    const broken = open({ model: folder('broken') });
    for (let i = 0; i < 4; i++) await expect(hear(broken, 'S')).rejects.toMatchObject({ code: 'transcriber/failed' });
    await expect(hear(broken, 'S')).rejects.toThrow('it ended too often');
  });

  it('refuses more sound than it can hear', async () => {
    const failed = new Promise<{ code: string }>((resolve) => {
      const one = open().start(0, { onTranscript() {}, onFailed: resolve });
      // The process has not even begun.
      for (let i = 1; i <= 102; i++) one.push(sound('.'), i * TURN_MS);
    });
    expect(await failed).toMatchObject({
      code: 'transcriber/failed',
      message: expect.stringContaining('slower than speech'),
    });
  });
});

describe('the voice, with the real library and a model that hums', () => {
  const open = async (model = 'voice') => {
    const voice = await sherpaVoice({ model: folder(model), processUrl: built.processUrl });
    onTestFinished(() => voice.close());
    return voice;
  };
  const say = async (text: string, voice: Awaited<ReturnType<typeof open>>, signal?: AbortSignal) => {
    const clauses = [];
    for await (const clause of voice.speak(text, signal ? { signal } : {})) clauses.push(clause);
    return clauses;
  };

  it('says a text, sentence by sentence, with its words placed in the sound', async () => {
    const clauses = await say('Hello world. World!', await open());
    expect(
      clauses
        .map(({ text }) => text)
        .filter(Boolean)
        .join(' '),
    ).toBe('Hello world. World!');
    const lengthMs = clauses.reduce((sum, { pcm, rateHz }) => sum + (pcm.length * 1000) / rateHz, 0);
    expect(lengthMs).toBeGreaterThan(7 * SOUND_MS);
    expect(clauses.every(({ rateHz }) => rateHz === VOICE_HZ)).toBe(true);
    expect(rms(clauses[0]!.pcm)).toBeGreaterThan(0.1);
  });

  it('says what several want at the same time, one after the other', async () => {
    const voice = await open();
    const said = await Promise.all(['Hello.', 'World.', 'Hello world.'].map((text) => say(text, voice)));
    expect(
      said.map((clauses) =>
        clauses
          .map(({ text }) => text)
          .filter(Boolean)
          .join(' '),
      ),
    ).toEqual(['Hello.', 'World.', 'Hello world.']);
  });

  it('stops within a stretch', async () => {
    const voice = await open();
    const abort = new AbortController();
    let clauses = 0;
    for await (const _ of voice.speak('Hello world hello world hello world.', { signal: abort.signal })) {
      clauses++;
      abort.abort();
    }
    expect(clauses).toBe(1);
    expect((await say('World.', voice)).length).toBeGreaterThan(0);
  });

  it('may be stopped more often than it lets wait, by listeners who never ask again', async () => {
    const voice = await open();
    for (let stop = 0; stop < 70; stop++) {
      const abort = new AbortController();
      await voice.speak('Hello world.', { signal: abort.signal })[Symbol.asyncIterator]().next();
      abort.abort();
    }
    expect((await say('World.', voice)).length).toBeGreaterThan(0);
  });

  it('is not waited for where it is being started again, longer than for any sound', async () => {
    // Once it has started, and ended when it was asked for something: from then on it is never ready.
    const [processUrl, mark] = [pathToFileURL(folder('once.mjs')), JSON.stringify(folder('started'))];
    await writeFile(
      processUrl,
      `import { existsSync, writeFileSync } from 'node:fs';
       const again = existsSync(${mark});
       writeFileSync(${mark}, '');
       process.on('message', ({ type }) => type === 'say' && !again && process.exit(3));
       if (!again) process.send({ type: 'ready', rateHz: 16000 });`,
    );
    const voice = await sherpaVoice({ model: folder('voice'), processUrl, firstAudioMs: 400 });
    onTestFinished(() => voice.close());
    await expect(say('Hello.', voice)).rejects.toThrow('ended (3)');
    await expect(say('Hello.', voice)).rejects.toThrow('no sound within 400 ms');
    const abort = new AbortController();
    const stopped = say('Hello.', voice, abort.signal);
    abort.abort();
    expect(await stopped).toEqual([]);
  });

  it.each([
    ['no folder', 'nowhere', /no such folder/],
    ['a graph that is none', 'broken', /ended/],
  ])('refuses %s when it is opened, with a code', async (_, model, message) => {
    const refused = open(model);
    await expect(refused).rejects.toMatchObject({ code: 'edge/config' });
    await expect(refused).rejects.toThrow(message);
  });
});
