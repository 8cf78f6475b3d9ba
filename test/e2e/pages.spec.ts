import { expect, test, type Page } from '@playwright/test';
import type { Pcm } from '../call/wav.js';
import { countingRecordings } from '../fixtures/recordings.js';
import { compose } from '../fixtures/speech.js';
import { demoFolder } from '../support/demo.js';
import { EdgeProcess } from '../support/edge-process.js';
import { withPage as openPage } from '../support/open-page.js';

// The pages that `npm start` serves, as a person uses them.

// Which number it says is the model's to get right, and counting.spec.ts's to judge.
const COUNT = /\b(?:one|two|three|four|five)\b/i;

let edge: EdgeProcess;
let recording: Pcm;
test.beforeAll(async () => {
  edge = await EdgeProcess.start({ args: ['--demo', demoFolder()] });
  // The microphone's file begins with the page, and a page that is slow to join would lose its beginning.
  recording = compose([8_000, (await countingRecordings(1))[0]!.pcm]);
});
test.afterAll(async () => {
  await edge?.stop();
});

const withPage = (path: string, use: (page: Page) => Promise<void>) =>
  openPage({ url: `${edge.url}${path}`, microphone: recording }, use);

test('the demo connects, its grid moves, and both sides of the conversation appear', async () => {
  await withPage('/', async (page) => {
    await expect(
      page
        .getByRole('listitem')
        .filter({ hasText: /count the animals/i })
        .first(),
    ).toBeVisible();
    await page.getByRole('button', { name: 'Start talking' }).click();
    await expect(page.getByRole('button', { name: 'End', exact: true })).toBeVisible({ timeout: 15_000 });

    const grid = page.getByRole('slider', { name: 'Micro-turn' });
    const turn = async () => Number(await grid.getAttribute('aria-valuenow'));
    await expect.poll(turn, { timeout: 10_000 }).toBeGreaterThan(5);
    const before = await turn();
    await page.waitForTimeout(2_000);
    // Five a second; a busy machine draws late, but what it draws is the session's clock.
    expect((await turn()) - before).toBeGreaterThan(6);

    const said = page.getByRole('region', { name: 'What was said' }).first();
    // Of a page that was slow to join the first words are missing.
    await expect(said).toContainText(/animals/i, { timeout: 30_000 });
    await expect(said).toContainText(COUNT, { timeout: 30_000 });

    await page.getByRole('button', { name: /Say something long/ }).click();
    const stop = page.getByRole('button', { name: /Stop it/ });
    await expect(stop).toBeEnabled({ timeout: 10_000 });
    await page.waitForTimeout(1_000);
    await page.keyboard.press('s');
    await expect(stop).toBeDisabled({ timeout: 5_000 });

    await page.getByRole('button', { name: 'End', exact: true }).click();
    await expect(page.getByRole('button', { name: 'Start talking' })).toBeVisible({ timeout: 5_000 });
  });
  await expect.poll(async () => (await edge.metrics()).get('microturn_sessions'), { timeout: 5_000 }).toBe(0);
});

test('the demo can be joined without a microphone, and its recorded example watched without an edge', async () => {
  await withPage('/?listen', async (page) => {
    await page.getByRole('button', { name: 'Join without a microphone' }).click();
    await page.getByLabel('Make it say').fill('Hello from the page.');
    await page.getByRole('button', { name: 'Say', exact: true }).click();
    const said = page.getByRole('region', { name: 'What was said' }).first();
    await expect(said).toContainText('Hello from the page.', { timeout: 10_000 });
    await expect(page.getByLabel('Make it say')).toHaveValue('');
    await page.getByLabel('Ask', { exact: true }).fill('what is 5 miles in km');
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await expect(said).toContainText('typed what is 5 miles in km', { timeout: 10_000 });
  });
  await withPage('/?scripted', async (page) => {
    const grid = page.getByRole('slider', { name: 'Micro-turn' });
    await expect
      .poll(async () => Number(await grid.getAttribute('aria-valuenow')), { timeout: 15_000 })
      .toBeGreaterThan(5);
  });
  expect((await edge.metrics()).get('microturn_joins_total{outcome="ok"}')).toBeLessThanOrEqual(2);
});

test('the page of one file and one script tag connects, and shows both sides', async () => {
  await withPage('/vanilla/', async (page) => {
    await page.getByRole('button', { name: 'Talk' }).click();
    await expect(page.getByRole('button', { name: 'Hang up' })).toBeVisible({ timeout: 15_000 });
    const transcript = page.getByRole('list', { name: 'Transcript' });
    await expect(transcript).toContainText(/You: .*animals/i, { timeout: 30_000 });
    await expect(transcript).toContainText(new RegExp(`Agent: ${COUNT.source}`, 'i'), { timeout: 30_000 });
    await page.getByRole('button', { name: 'Hang up' }).click();
    await expect(page.getByRole('button', { name: 'Talk' })).toBeVisible();
  });
});
