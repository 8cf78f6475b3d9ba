import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadBundle, type Bundle } from '../../packages/edge/src/engine/bundle.js';
import { OnnxModel } from '../../packages/edge/src/engine/onnx-model.js';
import type { Decision } from '../../packages/edge/src/engine/types.js';
import { resample } from '../call/resample.js';
import { parseWav, toInt16 } from '../call/wav.js';
import { speak } from '../fixtures/speech.js';
import { SeededRandom } from '../support/random.js';
import { root } from '../support/root.js';
import { Streams, type Sound } from './bundle-listener.js';
import { SAMPLES_PER_TURN } from './test-sets.js';

const RATE_HZ = 16_000;
const SECONDS = 20;
/** Of the decisions after bad input, how many may differ from those of a fresh start on the same speech. */
const MOST_APART = 0.15;
const TALK = 'We went to the market today and bought bread and milk and a small cake for my mother.';

const random = new SeededRandom(11);
const sound = (sample: (i: number) => number) => Float32Array.from({ length: SECONDS * RATE_HZ }, (_, i) => sample(i));
const noise = (level: number) => () => (random.next() - 0.5) * 2 * level;

/** `pcm` again and again. */
function endless(pcm: Float32Array, seconds = SECONDS): Float32Array {
  return Float32Array.from({ length: seconds * RATE_HZ }, (_, i) => pcm[i % pcm.length]!);
}

/** Chords of four decaying notes on a beat. */
function music(): Float32Array {
  const beat = RATE_HZ * 0.4;
  const notes = Array.from({ length: 200 }, () => 220 * 2 ** (random.integer(0, 24) / 12));
  return sound((i) => {
    const [step, within] = [Math.floor(i / beat), (i % beat) / RATE_HZ];
    const tones = [0, 1, 2, 3].map((k) => Math.sin(2 * Math.PI * notes[(4 * step + k) % notes.length]! * within));
    return 0.06 * Math.exp(-4 * within) * tones.reduce((a, b) => a + b);
  });
}

/** What is left of `pcm` at 8 kHz. */
const telephone = (pcm: Float32Array) => resample(resample({ samples: pcm, rateHz: RATE_HZ }, 8_000), RATE_HZ).samples;

/** One packet of 20 ms in five is silence. */
function lossy(pcm: Float32Array): Float32Array {
  const lost = Array.from({ length: Math.ceil(pcm.length / 320) }, () => random.next() < 0.2);
  return pcm.map((x, i) => (lost[Math.floor(i / 320)] ? 0 : x));
}

const voice = { accent: 'en-us', variant: 'm3', rate: 160, pitch: 45 } as const;
const say = async (text: string) => resample(await speak(text, voice), RATE_HZ).samples;

async function german(text: string): Promise<Float32Array> {
  const { stdout } = await promisify(execFile)('espeak-ng', ['-v', 'de', '--stdout', text], { encoding: 'buffer' });
  return resample(parseWav(stdout), RATE_HZ).samples;
}

function session(...parts: Float32Array[]): Sound {
  const samples = parts.reduce((sum, { length }) => sum + length, 0);
  const turns = Math.ceil(samples / SAMPLES_PER_TURN);
  const mic = new Int16Array(turns * SAMPLES_PER_TURN);
  let at = 0;
  for (const part of parts) {
    mic.set(toInt16(part), at);
    at += part.length;
  }
  return { mic, ref: new Int16Array(mic.length), play: new Uint8Array(turns) };
}

let bundle: Bundle;
let talk: Float32Array;
let bad: Record<string, Float32Array>;
beforeAll(async () => {
  bundle = await loadBundle(join(root, 'models/nano/bundle'));
  talk = await say(TALK);
  const foreign = await german('Wir gingen heute auf den Markt und kauften Brot und Milch und einen kleinen Kuchen.');
  bad = {
    silence: sound(() => 0),
    noise: sound(noise(0.1)),
    'full scale noise': sound(noise(1)),
    clipping: endless(talk).map((x) => Math.max(-1, Math.min(1, 40 * x))),
    'the loudest square wave': sound((i) => (i % 64 < 32 ? 1 : -1)),
    music: music(),
    'another language': endless(foreign),
    'a telephone': telephone(endless(talk)),
    'every fifth packet lost': lossy(endless(talk)),
    'speech without an end': endless(talk),
  };
});

async function hear(sessions: readonly Sound[]): Promise<Decision[][]> {
  const model = await OnnxModel.load(bundle, { rows: sessions.length, laneSize: sessions.length });
  try {
    return await new Streams(model, sessions.length).hear(sessions);
  } finally {
    await model.close();
  }
}

/** How many decisions differ in the words heard or in whether the agent speaks. */
function apart(some: readonly Decision[], others: readonly Decision[]): number {
  const told = ({ words, say: said }: Decision) => `${words.map(({ text }) => text).join(' ')}|${said}`;
  return some.filter((decision, i) => told(decision) !== told(others[i]!)).length / some.length;
}

describe('the shipped bundle', () => {
  it('says nothing that nobody asked for, whatever it hears, and hears as before when that is over', async () => {
    const pause = new Float32Array(2 * RATE_HZ);
    const names = Object.keys(bad);
    const [fresh, ...after] = await hear([
      session(pause, talk, pause),
      ...names.map((name) => session(bad[name]!, pause, talk, pause)),
    ]);
    const counted = fresh!.length;
    for (const [i, decisions] of after.entries()) {
      const during = decisions.slice(0, -counted);
      expect(
        during.every(({ confidence }) => Number.isFinite(confidence)),
        names[i],
      ).toBe(true);
      expect(during.filter(({ say: said }) => said !== '').length, `${names[i]}: words of the agent`).toBe(0);
      expect(apart(decisions.slice(-counted), fresh!), `${names[i]}: what it hears afterwards`).toBeLessThan(
        MOST_APART,
      );
    }
  });

  it('hears in its fifth minute what it hears in its first', async () => {
    const minute = endless(Float32Array.from([...talk, ...new Float32Array(2 * RATE_HZ)]), 60);
    const [decisions] = await hear([session(...Array.from({ length: 5 }, () => minute))]);
    const turns = decisions!.length / 5;
    expect(apart(decisions!.slice(-turns), decisions!.slice(turns, 2 * turns))).toBeLessThan(MOST_APART);
  }, 240_000);
});
