import type { Bundle } from '../../packages/edge/src/engine/bundle.js';
import { OnnxModel } from '../../packages/edge/src/engine/onnx-model.js';
import type { Decision, InteractionModel } from '../../packages/edge/src/engine/types.js';
import { tellOffer } from '../../packages/edge/src/offer.js';
import { FliteVoice } from '../../packages/edge/src/voice/flite.js';
import type { Voice } from '../../packages/edge/src/voice/types.js';
import { marksOf, Streams, type Sound } from './bundle-listener.js';
import type { Figure } from './heard.js';
import { hearOwn, isHeard, quietRoom } from './quiet-room.js';
import { Tally } from './share.js';
import { SAMPLES_PER_TURN, TURN_SECONDS } from './test-sets.js';
import { BLIND } from './typed-blind.js';
import { OTHERS } from './typed-messages.js';

const LANE = 16;
const SAMPLE_HZ = SAMPLES_PER_TURN / TURN_SECONDS;
const TURNS = 170;
/** A result that the model says nothing to is said after so long in silence, as by the runtime's background. */
const MISSED_TURNS = 50;
/** Nothing here is a word that a model knows, but for a digit. */
const STRANGE = ['zorvath', 'quimble', 'brelto', 'q7a', 'hask 8', 'vendrick'];
const { other, blind } = OTHERS['question for somebody else']!;
const QUESTIONS = [...other, ...blind];

/** What happens in a room where nobody speaks: what is typed, and results of a background that a model may relay. */
export interface Scene {
  readonly name: string;
  readonly messages: 0 | 2;
  /** What is typed are names, codes and numbers, in words of somebody who had not seen the recipe's; not questions and strange words by turns. */
  readonly areNotes?: true;
  readonly results: 0 | 2;
}

export const scenes: readonly Scene[] = [
  { name: 'nothing', messages: 0, results: 0 },
  { name: 'questions typed', messages: 2, results: 0 },
  { name: 'notes typed', messages: 2, results: 0, areNotes: true },
  { name: 'results offered', messages: 0, results: 2 },
  { name: 'questions typed, results offered', messages: 2, results: 2 },
];

/** The sounds of a room: 16 kHz, 16 bit, of any length. */
export interface RoomSounds {
  /** Undefined: a microphone's last bits. */
  readonly mic: Int16Array | undefined;
  /** The first and the second result, as the agent's voice says them. */
  readonly answers: readonly Int16Array[];
}

/** One room. What the model makes of an offer is done to it as the runtime's background does it. */
export class UnaskedRoom {
  readonly sound: Sound;
  /** It was heard saying something that is no result. */
  speaks = false;
  /** Results that were said at its word. The rest was said because it said nothing. */
  relayed = 0;
  /** It fell silent while it said one. */
  stopped = false;
  readonly #typed: string[];
  readonly #answers: readonly Int16Array[];
  /** When the results that are not said yet came, or will come. */
  readonly #results: number[];
  #waitsSince: number | undefined;
  #saidUntil = 0;
  #toldAtMs: number | undefined;

  /** @param place another number has other words, at other moments */
  constructor({ messages, results, areNotes }: Scene, { mic, answers }: RoomSounds, place: number) {
    const text = (which: 0 | 1) => {
      if (areNotes) return BLIND.notes[(2 * place + which) % BLIND.notes.length]!;
      const texts = (place + which) % 2 ? QUESTIONS : STRANGE;
      return texts[Math.floor(place / 2) % texts.length]!;
    };
    const typed = messages ? { [5 + (place % 5)]: text(0), [14 + (place % 7)]: text(1) } : {};
    const sound = quietRoom(TURNS, typed, mic);
    this.#typed = [...sound.typed!];
    this.sound = { ...sound, typed: this.#typed };
    this.#answers = answers;
    const first = 10 + ((3 * place) % 11);
    this.#results = results ? [first, first + 5 + ((7 * place) % 30)] : [];
  }

  /** @param mark what stands for a result in what a model reads */
  heed(decision: Decision, mark: string): void {
    const { index, say, acts } = decision;
    if (say !== '' || acts.some(isHeard)) {
      this.speaks = true;
      hearOwn(this.sound, decision);
    }
    const isSaid = index < this.#saidUntil;
    if (isSaid && acts.includes('stop')) this.#stop(index + 1);
    const waits = !isSaid && this.#results[0] !== undefined && this.#results[0] <= index;
    const isFree = say === '' && waits;
    if (isFree) {
      this.#waitsSince ??= index;
      const relays = acts.includes('relay');
      if (relays) this.relayed++;
      if (relays || index - this.#waitsSince >= MISSED_TURNS) this.#relay(index + 1);
    }
    this.#tell(index + 1, waits, isFree, mark);
  }

  #relay(from: number): void {
    const answer = this.#answers[this.#answers.length - this.#results.length]!;
    this.#results.shift();
    this.#waitsSince = undefined;
    this.#saidUntil = Math.min(TURNS, from + Math.ceil(answer.length / SAMPLES_PER_TURN));
    this.sound.play.fill(1, from, this.#saidUntil);
    this.sound.ref.set(answer.subarray(0, (this.#saidUntil - from) * SAMPLES_PER_TURN), from * SAMPLES_PER_TURN);
  }

  #stop(from: number): void {
    this.stopped = true;
    this.sound.play.fill(0, from, this.#saidUntil);
    this.sound.ref.fill(0, from * SAMPLES_PER_TURN, this.#saidUntil * SAMPLES_PER_TURN);
    this.#saidUntil = from;
  }

  /** What the model reads of results in micro-turn `turn`. */
  #tell(turn: number, waits: boolean, isFree: boolean, mark: string): void {
    const waiting = isFree ? 'waits' : 'held';
    const state = turn < this.#saidUntil ? 'taken' : waits ? waiting : 'void';
    const { toldAtMs, tell } = tellOffer(this.#toldAtMs, state, turn * TURN_SECONDS * 1000);
    this.#toldAtMs = toldAtMs;
    if (!tell || turn >= TURNS) return;
    this.#typed[turn] = `${this.#typed[turn]} ${tell === 'offered' ? mark : '<dropped>'}`.trim();
  }
}

/**
 * Whether a bundle talks where nobody asked it anything, and whether it relays what it is offered: one that is never heard is
 * right in the one and wrong in the other.
 * @param sounds one room of each scene for each of them; where nothing happens, for each microphone that there is among them
 */
export async function unasked(bundle: Bundle, suite: string, sounds: readonly RoomSounds[]): Promise<Figure[]> {
  const marks = marksOf(bundle);
  const mark = [...marks].find(([, stands]) => stands === 'result')?.[0];
  const figures: Figure[] = [];
  for (const scene of scenes) {
    if (!mark && (scene.messages || scene.results)) continue; // it does not read
    // Where nothing happens, rooms that sound the same are one.
    const isEmpty = scene.messages + scene.results === 0;
    const distinct = isEmpty ? [...new Map(sounds.map((some) => [some.mic, some])).values()] : sounds;
    const rooms = distinct.map((some, place) => new UnaskedRoom(scene, some, place));
    const model = await OnnxModel.load(bundle, { rows: rooms.length, laneSize: Math.min(LANE, rooms.length) });
    try {
      await live(model, rooms, marks, mark ?? '');
    } finally {
      await model.close();
    }
    figures.push(...told(suite, scene, rooms));
  }
  return figures;
}

async function live(
  model: InteractionModel,
  rooms: readonly UnaskedRoom[],
  marks: ReturnType<typeof marksOf>,
  mark: string,
): Promise<void> {
  const streams = new Streams(model, rooms.length, marks, (place, decision) => rooms[place]!.heed(decision, mark));
  await streams.hear(rooms.map(({ sound }) => sound));
}

/** By scene. */
export function told(suite: string, { name, results }: Scene, rooms: readonly UnaskedRoom[]): Figure[] {
  const [speaks, stopped, relayed] = [new Tally(), new Tally(), new Tally()];
  for (const room of rooms) {
    speaks.add(room.speaks);
    stopped.add(room.stopped);
    for (let result = 0; result < results; result++) relayed.add(result < room.relayed, room);
  }
  const said = {
    suite,
    measure: `${name}: it says something`,
    unit: 'share',
    better: 'lower',
    ...speaks.share,
  } as const;
  if (results === 0) return [said];
  return [
    said,
    { suite, measure: `${name}: relayed at its word`, unit: 'share', better: 'higher', ...relayed.share },
    { suite, measure: `${name}: stopped by its own voice`, unit: 'share', better: 'lower', ...stopped.share },
  ];
}

/** What a background says, numbers among it: a model hears them in the voice that the edge ships. */
const ANSWERS = [
  'The next bus leaves at ten past eight, from the other side of the road.',
  'It will be seven degrees and cloudy tomorrow, with a little rain in the evening.',
  'I found five places near you, and two of them are open now.',
  'Yes, you can, but keep it in the fridge and eat it within three days.',
  'Thirty four times twelve is four hundred and eight.',
  'She wrote it in the spring, and it was printed a year later.',
  'This is for number seven, and for nobody else.',
  'One of them is a cat, the other is a dog, and nobody knows about the third.',
];

/** @returns 16 kHz, 16 bit, one for each answer */
export async function spokenAnswers(): Promise<Int16Array[]> {
  const voice = await FliteVoice.open();
  try {
    const spoken: Int16Array[] = [];
    for (const answer of ANSWERS) spoken.push(await spokenBy(voice, answer));
    return spoken;
  } finally {
    await voice.close();
  }
}

async function spokenBy(voice: Voice, text: string): Promise<Int16Array> {
  const samples: number[] = [];
  for await (const { pcm, rateHz, pauseMs } of voice.speak(text)) {
    if (rateHz !== SAMPLE_HZ) throw new Error(`${voice.name} speaks at ${rateHz} Hz, not at ${SAMPLE_HZ}`);
    for (const sample of pcm) samples.push(Math.round(32_767 * sample));
    for (let i = 0; i < (pauseMs / 1000) * SAMPLE_HZ; i++) samples.push(0);
  }
  return Int16Array.from(samples);
}
