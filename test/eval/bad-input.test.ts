import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadBundle, type Bundle } from '../../packages/edge/src/engine/bundle.js';
import { OnnxModel } from '../../packages/edge/src/engine/onnx-model.js';
import type { Decision } from '../../packages/edge/src/engine/types.js';
import { resample } from '../call/resample.js';
import { parseWav, toInt16 } from '../call/wav.js';
import { speak, type EspeakVoice } from '../fixtures/speech.js';
import { SeededRandom } from '../support/random.js';
import { root } from '../support/root.js';
import { Streams, type Sound } from './bundle-listener.js';
import { SAMPLES_PER_TURN } from './test-sets.js';

const RATE_HZ = 16_000;
const SECONDS = 20;
/** Of the decisions after bad input, how many may differ from those of a fresh start on the same speech. */
const MOST_APART = 0.15;
/** Micro-turns of speech in which it stops an agent that talks. */
const MOST_TURNS_TO_STOP = 3;
const TALK = 'We went to the market today and bought bread and milk and a small cake for my mother.';
const ANSWER = 'Here is what I found about the weather in the north of the country for the next few days.';

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
const other = { accent: 'en-gb-x-rp', variant: 'f2', rate: 170, pitch: 55 } as const;
const say = async (text: string, as: EspeakVoice = voice) => resample(await speak(text, as), RATE_HZ).samples;

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

/** What may be decided in 20 s that nobody asked for. `acts` are all of them, `ends` the beginnings of `yielded` and `barge-in`. */
interface Bound {
  readonly acts: number;
  readonly ends: number;
  /** Beginnings of a stop while the agent talks: the least and the most. */
  readonly stops: readonly [number, number];
}

const NOTHING: Bound = { acts: 0, ends: 0, stops: [0, 0] };
/** A bar of music may pass for somebody. Nano 0.15.0: none of these. */
const MUSIC: Bound = { acts: 1, ends: 1, stops: [0, 1] };
/**
 * To a backchannel in ten seconds nobody objects, and each sentence, of four to five seconds, may have been the last. Whoever talks
 * over an agent stops it, and not twice in a second. Nano 0.15.0: 0 or 1 act, 0 to 3 ends, and 2 to 9 stops where the agent talks on.
 */
const TALKING: Bound = { acts: 2, ends: 5, stops: [1, 20] };
/** A known limit: whoever talks over an agent with a clipping microphone does not stop it. Nano 0.15.0: no stop in 20 s. */
const DISTORTED: Bound = { ...TALKING, stops: [0, 20] };

const bounds: Record<string, Bound> = {
  silence: NOTHING,
  noise: NOTHING,
  'full scale noise': NOTHING,
  clipping: DISTORTED,
  'the loudest square wave': NOTHING,
  music: MUSIC,
  'another language': TALKING,
  'a telephone': TALKING,
  'every fifth packet lost': TALKING,
  'speech without an end': TALKING,
};
const names = Object.keys(bounds);

let bundle: Bundle;
let agent: Int16Array;
let talk: Float32Array;
let bad: Record<string, Float32Array>;
beforeAll(async () => {
  bundle = await loadBundle(join(root, 'models/nano/bundle'));
  talk = await say(TALK);
  agent = toInt16(endless(await say(ANSWER, other), 2 * SECONDS));
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

/** As it is, while the agent talks all the time. */
function overAgent(sound: Sound): Sound {
  return { ...sound, ref: agent.subarray(0, sound.mic.length), play: new Uint8Array(sound.play.length).fill(1) };
}

async function hear(sessions: readonly Sound[]): Promise<Decision[][]> {
  const model = await OnnxModel.load(bundle, { rows: sessions.length, laneSize: sessions.length });
  try {
    return await new Streams(model, sessions.length).hear(sessions);
  } finally {
    await model.close();
  }
}

/** How often `holds` begins to be so. */
const beginnings = (decisions: readonly Decision[], holds: (decision: Decision) => boolean) =>
  decisions.filter((decision, i) => holds(decision) && !(i > 0 && holds(decisions[i - 1]!))).length;
const ends = (decisions: readonly Decision[]) =>
  (['yielded', 'barge-in'] as const).reduce(
    (sum, which) => sum + beginnings(decisions, ({ floor }) => floor === which),
    0,
  );
const stops = ({ acts }: Decision) => acts.includes('stop');

/** Whether a pause is held or ends a turn is a near thing: what is compared is that nobody speaks. */
const QUIET: ReadonlySet<string> = new Set(['silent', 'holding', 'yielded']);

function told({ words, say: said, acts, floor }: Decision): string {
  const heard = words.map(({ text }) => text).join(' ');
  return [heard, said, acts.join(' '), QUIET.has(floor) ? 'quiet' : floor].join('|');
}

/** The share of decisions that differ in the words heard, in what the agent says and does, or in whose floor it is. */
function apart(some: readonly Decision[], others: readonly Decision[]): number {
  return some.filter((decision, i) => told(decision) !== told(others[i]!)).length / some.length;
}

describe('the shipped bundle', () => {
  it('does nothing that nobody asked for, whatever it hears, and hears as before when that is over', async () => {
    const pause = new Float32Array(2 * RATE_HZ);
    const [fresh, ...after] = await hear([
      session(pause, talk, pause),
      ...names.map((name) => session(bad[name]!, pause, talk, pause)),
    ]);
    const counted = fresh!.length;
    const found = after.map((decisions, i) => {
      const during = decisions.slice(0, -counted);
      return {
        name: names[i]!,
        numbers: during.every(({ confidence }) => Number.isFinite(confidence)),
        words: during.filter(({ say: said, acts }) => said !== '' && acts.length === 0).length,
        acts: during.flatMap(({ acts }) => acts),
        ends: ends(during),
        apart: apart(decisions.slice(-counted), fresh!),
      };
    });
    const isBad = ({ name, numbers, words, acts, ends, apart }: (typeof found)[number]) =>
      !numbers || words > 0 || acts.length > bounds[name]!.acts || ends > bounds[name]!.ends || apart >= MOST_APART;
    expect(found.filter(isBad), JSON.stringify(found)).toEqual([]);
  }, 240_000);

  it('stops an agent that talks for speech alone, and for speech at once when bad input is over', async () => {
    const pause = new Float32Array(2 * RATE_HZ);
    const heard = await hear(names.map((name) => overAgent(session(bad[name]!, pause, talk))));
    const duringTurns = (SECONDS * RATE_HZ) / SAMPLES_PER_TURN;
    const spoken = duringTurns + pause.length / SAMPLES_PER_TURN;
    const found = heard.map((decisions, i) => ({
      name: names[i]!,
      stops: beginnings(decisions.slice(0, duringTurns), stops),
      inThePause: decisions.slice(duringTurns + 1, spoken).filter(stops).length,
      turnsToStop: decisions.slice(spoken).findIndex(stops) + 1,
    }));
    const isBad = ({ name, stops, inThePause, turnsToStop }: (typeof found)[number]) => {
      const [least, most] = bounds[name]!.stops;
      return stops < least || stops > most || inThePause > 0 || turnsToStop === 0 || turnsToStop > MOST_TURNS_TO_STOP;
    };
    expect(found.filter(isBad), JSON.stringify(found)).toEqual([]);
  }, 240_000);

  it('hears in its fifth minute what it hears in its first', async () => {
    const minute = endless(Float32Array.from([...talk, ...new Float32Array(2 * RATE_HZ)]), 60);
    const [decisions] = await hear([session(...Array.from({ length: 5 }, () => minute))]);
    const turns = decisions!.length / 5;
    expect(apart(decisions!.slice(-turns), decisions!.slice(turns, 2 * turns))).toBeLessThan(MOST_APART);
  }, 240_000);
});
