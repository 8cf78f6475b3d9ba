import { OpenAiServer, type ChatScript } from '@microturn/edge/testing';
import { expect, test } from '@playwright/test';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launchChromium } from '../call/chromium.js';
import { EdgeProcess } from '../support/edge-process.js';
import { root } from '../support/root.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const DEMO = join(root, 'examples/demo/dist');
const LONG =
  'The first part of it takes rather long to say aloud. The second part comes after that one. The third part is here as well. ' +
  'The fourth part is not the last of them. The fifth part goes on for some time. The sixth part is the end of it.';
const WAIT = { timeout: 60_000 };

const show = (surfaceId: string, path: string, value: unknown) => ({
  name: 'show_surface',
  arguments: { surfaceId, patch: [{ op: 'add', path, value }] },
});
const bern = { to: 'Bern', departs: '14:02', minutes: 56 };
const basel = { to: 'Basel', departs: '14:07', minutes: 53 };
const words = [{ text: 'Der', of: 'the' }, { text: 'erste', of: 'first' }, { text: 'Teil', of: 'part' }, { text: ',' }];
/** Draws a table, adds to it and draws something else, and says that it is there. */
const script: ChatScript = ({ messages }) => {
  const drawn = messages.filter(({ role }) => role === 'tool').length;
  if (drawn === 0) return { toolCalls: [show('trains', '', { title: 'The next trains', rows: [bern] })], delayMs: 500 };
  if (drawn === 1) return { toolCalls: [show('trains', '/rows/-', basel), show('translation', '/words', words)] };
  return { text: 'They are on your screen.' };
};

test('a background model draws on the page while the agent talks, and the talk goes on', async () => {
  test.setTimeout(180_000);
  const server = await OpenAiServer.start({ chat: script });
  await using folder = await TemporaryFolder.create();
  const models = { scripted: { provider: 'openai-compatible', baseUrl: server.url, model: 'm' } };
  await writeFile(folder.file('edge.yaml'), JSON.stringify({ llm: { models }, background: { surfaces: true } }));
  await using edge = await EdgeProcess.start({ args: ['--config', folder.file('edge.yaml'), '--demo', DEMO] });
  const browser = await launchChromium({});
  try {
    const page = await browser.newPage();
    await page.goto(`${edge.url}/?listen`);
    await page.getByRole('button', { name: 'Join without a microphone' }).click();
    await page.getByLabel('Make it say').fill(LONG);
    await page.getByRole('button', { name: 'Say', exact: true }).click();
    const said = page.getByRole('region', { name: 'What was said' }).first();
    await expect(said).toContainText('The first part', WAIT);

    await page.getByLabel('Ask', { exact: true }).fill('when do the next trains go');
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    const table = page.getByRole('table', { name: 'The next trains' });
    await expect(table.getByRole('row')).toHaveText(
      [/to\s*departs\s*minutes/, /Bern\s*14:02\s*56/, /Basel\s*14:07\s*53/],
      WAIT,
    );
    await expect(page.getByRole('article', { name: 'translation' })).toContainText('Der erste Teil,');
    // It is still speaking when all of it is there, …
    const talk = said.locator('.entry').filter({ hasText: 'The first part' });
    expect(await talk.getAttribute('data-status')).toBe('speaking');
    await page.screenshot({ path: test.info().outputPath('surfaces.png'), fullPage: true });
    // … speaks to its end, and then says what the model found.
    await expect(said).toContainText('They are on your screen', WAIT);
    await expect(talk).toHaveAttribute('data-status', 'completed');
    expect(server.problems).toEqual([]);
  } finally {
    await browser.close();
    await server.close();
  }
});
