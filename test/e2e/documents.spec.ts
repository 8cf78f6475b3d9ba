import { OpenAiServer, type ChatScript } from '@microturn/edge/testing';
import { expect, test, type Locator, type Page } from '@playwright/test';
import { mkdir, writeFile } from 'node:fs/promises';
import { speak } from '../fixtures/speech.js';
import { demoFolder } from '../support/demo.js';
import { EdgeProcess } from '../support/edge-process.js';
import { withPage } from '../support/open-page.js';
import { TemporaryFolder } from '../support/temporary-folder.js';
import { microphoneOnCue, sayTo } from '../support/voice-on-cue.js';

// The demo page, asked about a folder of documents while the talk goes on.

const voice = { accent: 'en-us', variant: 'john', rate: 150, pitch: 45 } as const;
const DOCUMENTS = {
  'museum.md':
    '# Opening hours\n\nThe museum opens at ten and closes at six.\n\n# Dogs\n\nDogs must wait outside.\n\n# Tickets\n\nA ticket costs nine euros.\n',
  'lost.md': '# Lost property\n\nThe office for lost property is in the cellar.\n',
};
const TYPED = { words: 'How much is a ticket?', answer: 'A ticket costs nine euros.' };
const SPOKEN = {
  words: 'what time does the museum open today',
  answer: 'The museum opens at ten and closes at six.',
};
/** To be counted, while it is looked up what was asked. */
const STORIES = [
  'Today I saw a cat and a small dog and then my horse ran to the river with a cow.',
  'I saw a goat near the house and then there was a lion and my duck came with a red fox.',
];
const WAIT = { timeout: 60_000 };

/** A language model that looks up what it is asked, and reads out the best passage when it is let. */
function librarian(): { chat: ChatScript; letAnswer: (words: string) => void } {
  const asked = [TYPED, SPOKEN].map(({ words }) => ({ words, ...deferred() }));
  const chat: ChatScript = async ({ messages }) => {
    const prompt = JSON.stringify(messages.find(({ role }) => role === 'user'))
      .split('now asks: ')
      .at(-1)!;
    const about = asked.find(({ words }) => prompt.startsWith(words));
    // What was said besides asks nothing.
    if (!about) return { text: '-' };
    const last = messages.at(-1)!;
    if (last.role !== 'tool') {
      return { toolCalls: [{ name: 'search_documents', arguments: { query: about.words } }] };
    }
    await about.settled;
    return { text: (JSON.parse(last.content) as { text: string }[])[0]!.text };
  };
  return { chat, letAnswer: (words) => asked.find((one) => one.words === words)!.settle() };
}

function deferred(): { settled: Promise<void>; settle: () => void } {
  let settle!: () => void;
  const settled = new Promise<void>((resolve) => (settle = resolve));
  return { settled, settle };
}

async function writeDocuments(folder: TemporaryFolder): Promise<string> {
  const documents = folder.file('documents');
  await mkdir(documents);
  for (const [name, text] of Object.entries(DOCUMENTS)) await writeFile(`${documents}/${name}`, text);
  return documents;
}

const taskAbout = (page: Page, words: string) =>
  page
    .getByRole('region', { name: /a question, or what it should do/ })
    .getByRole('listitem')
    .filter({ hasText: words });
const saidBy = (page: Page, side: 'you' | 'agent') =>
  page.getByRole('region', { name: 'What was said' }).first().locator(`[data-speaker=${side}]`);
const wordsOf = async (entries: Locator) => (await entries.allInnerTexts()).join(' ').split(/\s+/).length;

async function ask(page: Page, words: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Ask', exact: true }).fill(words);
  await page.getByRole('button', { name: 'Ask', exact: true }).click();
}

test.beforeEach(() => test.setTimeout(180_000));

test('the demo looks up what is typed and what is said, while the talk goes on, and says what it found', async () => {
  const say = async (page: Page, text: string) => sayTo(page, await speak(text, voice));
  const { chat, letAnswer } = librarian();
  let transcript = '';
  const server = await OpenAiServer.start({ chat, transcribe: () => transcript });
  await using folder = await TemporaryFolder.create();
  const llm = { models: { librarian: { provider: 'openai-compatible', baseUrl: server.url, model: 'm' } } };
  const background = { documents: await writeDocuments(folder), transcriber: { baseUrl: server.url, model: 'w' } };
  await writeFile(folder.file('edge.yaml'), JSON.stringify({ llm, background }));
  const edge = await EdgeProcess.start({ args: ['--demo', demoFolder(), '--config', folder.file('edge.yaml')] });

  /** It is being looked up, the talk goes on meanwhile, and then the answer is there and is said. */
  async function expectAnswer(page: Page, { words, answer }: typeof TYPED, goOn: () => Promise<void>): Promise<void> {
    const task = taskAbout(page, words);
    await expect(task).toContainText('looking: search documents', WAIT);
    await goOn();
    await expect(task).toContainText('looking');
    letAnswer(words);
    await expect(task).toContainText(answer, WAIT);
    await expect(task).toHaveAttribute('data-status', 'woven', WAIT);
    // Not struck out: it was heard.
    const relay = saidBy(page, 'agent').and(page.locator('[data-kind=relay]')).locator('[data-look=heard]');
    await expect(relay.filter({ hasText: answer })).toBeVisible(WAIT);
  }

  /** The user tells a story, and is heard. */
  async function tell(page: Page, story: string): Promise<void> {
    const before = await wordsOf(saidBy(page, 'you'));
    await say(page, story);
    await expect.poll(() => wordsOf(saidBy(page, 'you')), WAIT).toBeGreaterThan(before + 5);
  }

  try {
    await withPage({ url: edge.url, initScript: microphoneOnCue }, async (page) => {
      await page.getByRole('button', { name: 'Start talking' }).click();
      await expect(page.getByRole('button', { name: 'End', exact: true })).toBeVisible(WAIT);
      await say(page, 'Count the animals.');
      await expect(saidBy(page, 'you').first()).toContainText(/count the animals/i, WAIT);

      await ask(page, TYPED.words);
      await expectAnswer(page, TYPED, async () => {
        await tell(page, STORIES[0]!);
        // It counts, as it was asked to.
        await expect(
          saidBy(page, 'agent')
            .filter({ hasText: /one|two|three|four/ })
            .first(),
        ).toBeVisible(WAIT);
      });

      transcript = SPOKEN.words;
      await say(page, SPOKEN.words);
      await expect(taskAbout(page, SPOKEN.words)).toBeVisible(WAIT);
      transcript = '';
      await expectAnswer(page, SPOKEN, () => tell(page, STORIES[1]!));
      await page.screenshot({ path: test.info().outputPath('answered.png'), fullPage: true });
    });
    expect(server.problems).toEqual([]);
  } finally {
    letAnswer(TYPED.words);
    letAnswer(SPOKEN.words);
    await edge.stop();
    await server.close();
  }
});

test('without a language model the demo finds the passage itself, and says where it is from', async () => {
  await using folder = await TemporaryFolder.create();
  const documents = await writeDocuments(folder);
  const edge = await EdgeProcess.start({ args: ['--demo', demoFolder(), '--documents', documents] });
  try {
    await withPage({ url: `${edge.url}/?listen` }, async (page) => {
      await page.getByRole('button', { name: 'Join without a microphone' }).click();
      await ask(page, 'where is lost property?');
      const task = taskAbout(page, 'where is lost property?');
      await expect(task).toHaveAttribute('data-status', 'woven', WAIT);
      await expect(task).toContainText('That is from lost.md, under Lost property.');
      const relay = saidBy(page, 'agent').filter({ hasText: 'The office for lost property is in the cellar.' });
      await expect(relay).toHaveAttribute('data-status', 'completed', WAIT);
      await page.screenshot({ path: test.info().outputPath('found.png'), fullPage: true });
    });
  } finally {
    await edge.stop();
  }
});
