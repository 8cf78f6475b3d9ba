import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../telemetry/index.js';
import { EmbeddedProvider } from './embedded-provider.js';
import { DeskStage, settle } from './fixtures/desk-stage.js';
import { nextPiece } from './speech-pieces.js';
import { DocumentSearch } from './tools/documents.js';

const MANUAL = `# The ferry

Boats leave from the old harbour. They run every day of the year.

## Tickets

A ticket costs nine euros, and children under six need none. Groups of more than ten people pay half.
It is sold on board. Dogs travel free of charge, but they must
stay on the lower deck.

| ticket | euros |
| ------ | ----- |
| single | 9     |
| return | 16    |

## Refunds

Refunds are paid within ten days, in 97 % of 1,204 cases within 3, at 12.5 ms p50 and 48.1 ms p99 on 2 cores.

Refunds of less than one euro are not paid.

## Lost property

- **Lost property** is kept in the cellar for a month. After that it is given to the town.
- Umbrellas: \`{kind, colour}\` in \`/srv/lost.json\`.

## Speed

p50 12, p95 40, p99 97; 12 of 14, then 3 of 9.

## Life jackets

A life jacket is under every seat.

## The morning boat

The morning boat leaves at seven. There is no bar on board.
`;

const answers: readonly (readonly [question: string, answer: string])[] = [
  ['how much is a ticket?', 'A ticket costs nine euros, and children under six need none.'],
  ['what does a ticket cost', 'A ticket costs nine euros, and children under six need none.'],
  ['do dogs travel free', 'Dogs travel free of charge, but they must stay on the lower deck.'],
  ['where is lost property', 'Lost property is kept in the cellar for a month. After that it is given to the town.'],
  ['hello, where is the lost property kept?', 'Lost property is kept in the cellar for a month.'],
  ['are refunds of one euro paid', 'Refunds of less than one euro are not paid.'],
  ['where are the life jackets', 'A life jacket is under every seat.'],
  ['when does the morning boat leave', 'The morning boat leaves at seven. There is no bar on board.'],
  ['what time does the morning boat leave', 'The morning boat leaves at seven.'],
];
const unanswered = [
  'tell me a joke',
  'what is the capital of France',
  'who was the first person on the moon',
  'what is the weather like tomorrow',
  'do you like music',
  'can you hear me',
  'I had a long day',
  'my dog ate my homework',
  'what should I cook tonight',
  'how do I bake bread',
  'who won the world cup',
  'how old is the queen',
  'is there life on mars',
  'what is the meaning of life',
  'let us talk about something else',
  'I am going to the shop now',
  'what is your name',
  'where do you live',
  'what is love',
  'I lost my keys',
  'I got up early in the morning',
  'what is the speed of light',
  'the quick brown fox',
  'so what',
  'what do you think about politics',
  'where is the toilet',
  'please call my mother',
  'what happened in 1989',
  'I need a taxi to the airport',
  'play some music',
  'turn off the light',
  'what is the best phone',
  'how tall is the eiffel tower',
  'how do planes fly',
  'why is the sky blue',
  'when was the war',
  'how do I fix a broken window',
  'where can I buy a new camera',
  'how many people live in Japan',
  'I would like to speak with a person',
  'how much memory does a computer need',
  'why did the call end',
  'do you remember the first question',
  'what was the last thing you said',
  'stop talking',
  'open the door',
  'who invented the telephone',
  'how do I open a bank account',
  'how long is a marathon',
  'can I pay by card',
  'what is a good name for a cat',
  'my microphone is broken',
  'what is machine learning',
  'how do you make sound',
];

const cannot =
  'I have no answer to that: without a language model I can only tell the time, work out sums, convert units and look up topics in the documents.';
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'microturn-manual-'));
  await writeFile(join(folder, 'manual.md'), MANUAL);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The documentation of this repository, which `npm start` answers from. */
const docs = fileURLToPath(new URL('../../../../docs', import.meta.url));

async function answer(question: string, documents = folder, timeZone = 'UTC'): Promise<string> {
  const search = await DocumentSearch.open(documents, silentLog);
  const provider = new EmbeddedProvider({ documents: search, wallMs: () => Date.UTC(2026, 10, 20, 17, 5), timeZone });
  const stage = new DeskStage({ provider });
  stage.desk.ask({ text: question, origin: 'text' });
  await settle();
  return stage.task().text;
}

describe('without a language model', () => {
  it.each(answers)('%s → %s', async (question, expected) => {
    const [quote, source] = (await answer(question)).split('\n');
    expect(quote).toContain(expected);
    expect(quote!.match(/[.!?](?= |$)/g)!.length).toBeLessThanOrEqual(2);
    expect(source).toMatch(/^That is from manual\.md, under .+\.$/);
  });

  it.each(unanswered)('%s → says what it can do, in one sentence', async (question) => {
    expect(await answer(question)).toBe(cannot);
  });

  it.each([
    'how fast is it, by p50 and p99',
    'how soon are refunds paid, in ms',
    'what is in lost json',
    'return ticket price table',
  ])('%s → reads out no figures, tables or code', async (question) =>
    expect(await answer(question)).not.toMatch(/\d|[|{}]/),
  );

  it.each([
    ['hello there', /^Hello! I can tell the time, .*\.$/],
    ['Good morning!', /^Hello! /],
    ['hi', /^Hello! /],
    ['hey, how are you?', /^I am well, thank you\.$/],
    ['thank you very much', /^You are welcome\.$/],
    ['goodbye', /^Goodbye\.$/],
    ['which model are you', /^I can tell the time, .*\.$/],
    ['who are you', /^I can tell the time, .*\.$/],
    ['hello, what is 3 plus 4?', /^3 plus 4 is 7\.$/],
    ['hi there, what time is it', /^It is 17:05 /],
  ])('%s → %s', async (said, expected) => expect(await answer(said)).toMatch(expected));

  it.each([
    ['what time is it?', 'America/New_York', 'It is 12:05 on Friday, 20 November 2026 in New York.'],
    ['what time is it?', 'UTC', 'It is 17:05 on Friday, 20 November 2026 in UTC.'],
    ['what time is it in Tokyo?', 'America/New_York', 'It is 02:05 on Saturday, 21 November 2026 in Tokyo.'],
  ])('%s, asked of an edge in %s → %s', async (question, timeZone, expected) =>
    expect(await answer(question, folder, timeZone)).toBe(expected),
  );

  it.each([
    [
      'When is a result said?',
      'A result is said when the floor is free, which is when neither the user nor the agent is speaking.',
      'background.md',
    ],
    [
      'What is Microturn?',
      'Microturn is a server and a client library for live conversation in any web app: it listens while it talks, stops when you cut in, and knows which of its words you really heard.',
      'architecture.md',
    ],
    [
      'What is a micro-turn?',
      'A micro-turn is a stretch of 200 ms: the model receives what was heard in it, and decides whether to listen, speak, wait or stop.',
      'architecture.md',
    ],
    [
      'What is Nano?',
      'Nano is the small model that ships with Microturn, for trying it out and for holding the floor of a larger one.',
      'architecture.md',
    ],
    [
      'What is a bundle?',
      'A bundle is a model and its manifest, in a folder that the engine loads.',
      'architecture.md',
    ],
    [
      'what is the bundle',
      'A bundle is a model and its manifest, in a folder that the engine loads.',
      'architecture.md',
    ],
    [
      'What is a recipe?',
      'A recipe is a bundle for the floor, with a transcriber, a language model and a voice behind it.',
      'architecture.md',
    ],
    [
      'How do I use it with React?',
      'In React, Microturn is a SessionProvider around the components that talk, and hooks in them, such as useTranscript and useSay.',
      'architecture.md',
    ],
    [
      'How do I use Microturn with React?',
      'In React, Microturn is a SessionProvider around the components that talk, and hooks in them, such as useTranscript and useSay.',
      'architecture.md',
    ],
    [
      'How do I put an LLM behind it?',
      'To put an LLM behind Microturn, give the edge its address, the name of the model, and a key where one is needed.',
      'recipes.md',
    ],
  ])('of this repository: %s → %s', async (question, expected, file) => {
    const [quote, source] = (await answer(question, docs)).split('\n');
    expect(quote).toBe(expected);
    expect(source).toContain(`That is from ${file}, under `);
  });

  it('is said in pieces that are whole sentences', async () => {
    const text = await answer('do dogs travel free');
    const { spoken } = nextPiece(text, 0, true)!;
    expect(spoken).toBe('Dogs travel free of charge, but they must stay on the lower deck.');
  });

  it('says nothing out of the documentation of this repository to what that does not cover', async () => {
    const search = await DocumentSearch.open(docs, silentLog);
    const quoted = unanswered.flatMap((question) => search.quote(question) ?? []);
    expect(quoted).toEqual([]);
    expect(search.quote('how do I rotate a key')?.text).toMatch(/^To rotate a key and keep the calls: /);
  });
});
