import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { loadBundle } from '../../packages/edge/src/engine/bundle.js';
import { OnnxModel } from '../../packages/edge/src/engine/onnx-model.js';
import { Streams } from '../eval/bundle-listener.js';
import { askedIn, quietRoom } from '../eval/quiet-room.js';
import { root } from '../support/root.js';

const TYPED_TURN = 5;
const TURNS = 16;

const instructions = [
  'Count the animals.',
  'please count all the animals for me',
  'Translate to Spanish',
  'translate what I say into Spanish, please',
  'Remind me in ten seconds.',
  'remind me in 5 minutes',
  'remind me every 4 seconds',
  'stop',
  'Stop talking, please.',
  'never mind',
  'Louder, please.',
  'can you speak slower',
  'say that again',
  'go on',
  'what comes after six?',
];
const questions = [
  'What is the capital of France?',
  'how high is the Eiffel tower',
  'hello',
  'Who are you?',
  '5 miles to km',
  'what time is it',
  'When is a result said?',
  'tell me a joke',
  'I like cats and dogs.',
  'how do I stop the timer?',
  'Can you count?',
  'what animals live in the zoo',
  'thanks',
  'Write an email to my mother about the party next Sunday, and ask her what she wants to have for dinner.',
  'is it going to rain tomorrow',
  'search for a red car',
  'how do you say dog in Spanish?',
  'what is 12 times 13',
  'Why is the sky blue?',
  'how many people live in London',
];

/** Those that somebody else was asked, each typed into a room where nobody speaks. */
let asked: ReadonlySet<string>;
beforeAll(async () => {
  const texts = [...instructions, ...questions];
  const rooms = texts.map((text) => quietRoom(TURNS, { [TYPED_TURN]: text }));
  const model = await OnnxModel.load(await loadBundle(join(root, 'models/nano/bundle')), {
    rows: rooms.length,
    laneSize: 8,
  });
  const decided = await new Streams(model, rooms.length).hear(rooms);
  await model.close();
  const { perTurn } = model.info.reads!;
  asked = new Set(rooms.flatMap((room, i) => askedIn(room, decided[i]!, perTurn)));
}, 60_000);

it('Nano follows most of the instructions that are typed, and nobody else is asked', () => {
  const missed = instructions.filter((text) => asked.has(text));
  expect(missed.length, missed.join('; ')).toBeLessThanOrEqual(1);
});

it('of what is no instruction somebody else is asked', () => {
  const taken = questions.filter((text) => !asked.has(text));
  expect(taken.length, taken.join('; ')).toBeLessThanOrEqual(2);
});
