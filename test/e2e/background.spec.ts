import { OpenAiServer } from '@microturn/edge/testing';
import { expect, test } from '@playwright/test';
import { writeFile } from 'node:fs/promises';
import { Caller } from '../call/caller.js';
import type { Pcm } from '../call/wav.js';
import { speak } from '../fixtures/speech.js';
import { EdgeProcess } from '../support/edge-process.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const voice = { accent: 'en-us', variant: 'm3', rate: 150, pitch: 45 } as const;
const questions = [
  'how high is the famous tower in the city of paris',
  'and when was that tower built by its engineers',
];
const answers = [
  'The tower is three hundred and thirty metres high.',
  'It was built in two years, up to eighteen eighty nine.',
];

/** Both questions, the second while the first is being worked on. */
async function twoQuestions(): Promise<Pcm> {
  const [first, second] = (await Promise.all(questions.map((text) => speak(text, voice)))) as [Pcm, Pcm];
  const { rateHz } = first;
  const pause = Math.round(1.6 * rateHz);
  const samples = new Float32Array(first.samples.length + pause + second.samples.length);
  samples.set(first.samples);
  samples.set(second.samples, first.samples.length + pause);
  return { samples, rateHz };
}

test('asks, goes on talking, asks a second thing, and is answered on both', async () => {
  test.setTimeout(120_000);
  let transcribed = 0;
  const server = await OpenAiServer.start({
    transcribe: () => questions[transcribed++] ?? '',
    chat: ({ messages }) => {
      const second = JSON.stringify(messages.at(-1)).includes(`now asks: ${questions[1]}`);
      return { text: answers[second ? 1 : 0]!, delayMs: second ? 300 : 4000, tokensPerSecond: 10 };
    },
  });
  await using folder = await TemporaryFolder.create();
  const config = folder.file('microturn.yaml');
  await writeFile(
    config,
    JSON.stringify({
      llm: { models: { scripted: { provider: 'openai-compatible', baseUrl: server.url, model: 'm' } } },
      background: { transcriber: { baseUrl: server.url, model: 'w' } },
    }),
  );
  const edge = await EdgeProcess.start({ args: ['--config', config] });
  try {
    await using caller = await Caller.open({ url: edge.url, microphone: await twoQuestions(), record: false });
    const wovenOf = () =>
      caller.eventsOf('task.woven').filter(({ title }) => questions.some((q) => q.startsWith(title.slice(0, 20))));
    await expect.poll(() => wovenOf().length, { timeout: 60_000 }).toBe(2);

    const relays = caller.eventsOf('response.started').filter(({ kind }) => kind === 'relay');
    const heardOf = (taskId: string) =>
      relays
        .filter((relay) => relay.taskId === taskId)
        .map(
          ({ responseId }) =>
            caller.eventsOf('response.heard').findLast((one) => one.responseId === responseId)?.heardText ?? '',
        )
        .join(' ');
    for (const [i, question] of questions.entries()) {
      const { taskId } = wovenOf().find(({ title }) => question.startsWith(title.slice(0, 20)))!;
      expect(heardOf(taskId).replaceAll(/[^\w ]/g, '')).toContain(answers[i]!.split(' ').slice(0, 4).join(' '));
    }
    // The second was asked before the first was answered.
    const created = caller.eventsOf('task.created').map(({ at }) => at);
    const firstDone = caller.eventsOf('task.completed').find(({ text }) => text === answers[0])!;
    expect(created[1]!).toBeLessThan(firstDone.at);
    expect(caller.eventsOf('session.usage').every(({ late }) => late === 0)).toBe(true);
    expect(server.problems).toEqual([]);
  } finally {
    await edge.stop();
    await server.close();
  }
});
