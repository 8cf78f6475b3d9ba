import type { Act } from '../engine/types.js';

/** How something is said. */
export interface Manner {
  /** Against the voice's own level. */
  readonly gainDb: number;
  /** Against its own pace: 2 takes half the time. */
  readonly rate: number;
}

export const plainly: Manner = { gainDb: 0, rate: 1 };

/** One "louder" is clearly heard; two are all that the level leaves before speech is limited. */
const GAIN_STEP_DB = 6;
const GAIN_DB = { least: -18, most: 12 };
const RATE_STEP = 1.2;
/** What stays easy to follow. */
const RATE = { least: 0.55, most: 1.75 };
/** Up to here samples are as they are; what is above is bent, so that a loud voice does not crackle. */
const KNEE = 0.8;

/** `manner` after the user has asked for another one; as it was after any other act. */
export function inManner(manner: Manner, act: Act): Manner {
  const gain = (stepDb: number) => Math.min(GAIN_DB.most, Math.max(GAIN_DB.least, manner.gainDb + stepDb));
  const rate = (factor: number) => Math.min(RATE.most, Math.max(RATE.least, manner.rate * factor));
  switch (act) {
    case 'louder':
      return { ...manner, gainDb: gain(GAIN_STEP_DB) };
    case 'quieter':
      return { ...manner, gainDb: gain(-GAIN_STEP_DB) };
    case 'faster':
      return { ...manner, rate: rate(RATE_STEP) };
    case 'slower':
      return { ...manner, rate: rate(1 / RATE_STEP) };
    default:
      return manner;
  }
}

/** Multiplies `pcm`, in [-1, 1], by `gain` in place; it stays in that range. */
export function amplify(pcm: Float32Array, gain: number): void {
  for (let i = 0; i < pcm.length; i++) pcm[i] = limited(pcm[i]! * gain);
}

function limited(sample: number): number {
  const level = Math.abs(sample);
  return level <= KNEE ? sample : Math.sign(sample) * (KNEE + (1 - KNEE) * Math.tanh((level - KNEE) / (1 - KNEE)));
}
