import { expect, test, type Locator, type Page } from '@playwright/test';
import { writeFile } from 'node:fs/promises';
import type { Pcm } from '../call/wav.js';
import { demoFolder } from '../support/demo.js';
import { EdgeProcess } from '../support/edge-process.js';
import { withPage } from '../support/open-page.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

// What there is to see of a call, on a telephone and at a desk, and where the keyboard is in it.

const WAIT = { timeout: 20_000 };
const PHONE = { width: 390, height: 844 };
const silence: Pcm = { samples: new Float32Array(16_000), rateHz: 16_000 };

async function startTalking(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Start talking' }).click();
  await expect(page.getByRole('button', { name: 'End', exact: true })).toBeVisible(WAIT);
}
const boxOf = async (locator: Locator) => (await locator.boundingBox())!;
const said = (page: Page) => page.getByRole('region', { name: 'What was said' });

test('on a telephone the first screen of a call has the transcript, and one row of buttons', async () => {
  await using edge = await EdgeProcess.start({ args: ['--demo', demoFolder()] });
  await withPage({ url: edge.url, microphone: silence }, async (page) => {
    await page.setViewportSize(PHONE);
    await startTalking(page);
    const bar = await boxOf(page.locator('.buttons'));
    expect(bar.height).toBeLessThan(80);
    expect(bar.y + bar.height).toBe(PHONE.height);
    expect(bar.y - (await boxOf(page.locator('.passages'))).y).toBeGreaterThan(120);
    const [text, button] = [page.getByLabel('Make it say'), page.getByRole('button', { name: 'Say', exact: true })];
    expect(Math.abs((await boxOf(text)).y - (await boxOf(button)).y)).toBeLessThan(4);

    // What the signs mean is there without a mouse.
    const meaning = page.getByText('you paused, and have not finished');
    await expect(meaning).toBeHidden();
    await page.locator('summary', { hasText: 'Colours and signs' }).press('Enter');
    await expect(meaning).toBeVisible();
    await expect(page.getByLabel('Loudspeaker')).toBeHidden();
    await page.locator('summary', { hasText: 'Devices' }).press('Enter');
    await expect(page.getByLabel('Loudspeaker')).toBeVisible();
    await page.screenshot({ path: test.info().outputPath('phone.png') });
  });
});

test('the keyboard stays on “Stop it”, and what is called off says so and stays after the call', async () => {
  await using edge = await EdgeProcess.start({ args: ['--demo', demoFolder()] });
  await withPage({ url: edge.url, microphone: silence }, async (page) => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await startTalking(page);
    await expect(said(page)).toHaveCount(1);
    const fold = 800 - (await boxOf(page.locator('footer'))).height;
    const passages = await boxOf(page.locator('.passages'));
    expect(fold - passages.y).toBeGreaterThan(120);

    const stop = page.getByRole('button', { name: 'Stop it' });
    await page.getByRole('button', { name: 'Say something long' }).press('Enter');
    await expect(stop).toBeEnabled(WAIT);
    await stop.press('Enter');
    await expect(stop).toBeDisabled(WAIT);
    await expect(stop).toBeFocused();
    await expect(said(page)).toContainText('speaks up');

    await page.getByLabel('Ask', { exact: true }).fill('what is 5 miles in km');
    await page.getByLabel('Ask', { exact: true }).press('Enter');
    const asked = page.getByRole('listitem').filter({ hasText: 'what is 5 miles in km' });
    await expect(asked).toContainText('being said', WAIT);
    await asked.getByRole('button', { name: 'Never mind' }).press('Enter');
    await expect(asked.getByRole('button')).toHaveCount(0, WAIT);
    await expect(asked).toBeFocused();
    await expect(said(page)).toContainText(/looked up “what is 5 miles in km”:.*called off; [\d.]+ s heard/, WAIT);
    await page.getByRole('button', { name: 'End', exact: true }).click();
    const after = page.getByRole('region', { name: 'What was looked up' });
    await expect(after).toContainText('called off');
    await expect(after.getByRole('button')).toHaveCount(0);
  });
});

test('what Nano does itself can be typed, and nothing is looked up for it', async () => {
  await using edge = await EdgeProcess.start({ args: ['--demo', demoFolder()] });
  await withPage({ url: edge.url, microphone: silence }, async (page) => {
    await startTalking(page);
    // Of what begins with the session Nano does not remind: nothing was before it.
    const turn = page.getByRole('slider', { name: 'Micro-turn' });
    await expect.poll(async () => Number(await turn.getAttribute('aria-valuenow')), WAIT).toBeGreaterThan(5);
    const field = page.getByLabel('Ask', { exact: true });
    // Ten, since it notes those: what is shorter it counts by itself, and misses now and then.
    await field.fill('Remind me in ten seconds.');
    await field.press('Enter');
    await expect(field).toHaveValue('');
    await expect(said(page)).toContainText('Remind me in ten seconds.', WAIT);
    await expect(said(page)).toContainText('Here is your reminder.', WAIT);
    await expect(page.locator('.tasks')).toHaveCount(0);
    await page.screenshot({ path: test.info().outputPath('typed.png') });
    await page.getByRole('button', { name: 'End', exact: true }).click();
  });
});

test('the keyboard keeps its place behind a button that goes away or does what it can do once', async () => {
  await using folder = await TemporaryFolder.create();
  await writeFile(folder.file('edge.yaml'), JSON.stringify({ background: false }));
  await using edge = await EdgeProcess.start({ args: ['--demo', demoFolder(), '--config', folder.file('edge.yaml')] });
  await withPage({ url: edge.url, microphone: silence }, async (page) => {
    await startTalking(page);
    for (const [label, name] of [
      ['Make it say', 'Say'],
      ['Ask', 'Ask'],
    ] as const) {
      const button = page.getByRole('button', { name, exact: true });
      await expect(button).toBeDisabled();
      await page.getByLabel(label, { exact: true }).fill('Good morning.');
      await button.press('Enter');
      await expect(button).toBeFocused();
    }
    // Nobody is there to be asked, and the page is told.
    await expect(page.getByLabel('Make it say')).toHaveValue('', WAIT);
    const dismiss = page.getByRole('button', { name: 'Dismiss' });
    await dismiss.press('Enter');
    await expect(dismiss).toHaveCount(0);
    await expect(page.locator('.notices')).toBeFocused();
    await expect(page.getByLabel('Ask', { exact: true })).toHaveValue('');
    await page.getByRole('button', { name: 'End', exact: true }).click();
  });
});

test('without an edge the grid draws no decisions, and the page says how long it tries', async () => {
  await using edge = await EdgeProcess.start({ args: ['--demo', demoFolder()] });
  const browserWillComplain = /ERR_CONNECTION_REFUSED|WebSocket/;
  await withPage({ url: edge.url, microphone: silence, expected: browserWillComplain }, async (page) => {
    await startTalking(page);
    await page.waitForTimeout(1_500);
    await edge.kill();
    await expect(page.getByRole('heading', { name: 'Reconnecting…' })).toBeVisible(WAIT);
    await expect(page.getByText('for up to two minutes')).toBeVisible();
    const label = page.locator('.floor-label', { hasText: 'no line' });
    await expect(label).toBeVisible(WAIT);
    await page.waitForTimeout(3_000);
    const lost = page.locator('.column[data-lost]');
    expect(await lost.count()).toBeGreaterThan(10);
    await expect(lost.locator('[data-floor]')).toHaveCount(0);
    await page.screenshot({ path: test.info().outputPath('no-line.png') });
    await page.getByRole('button', { name: 'End', exact: true }).click();
  });
});
