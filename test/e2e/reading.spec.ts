import { expect, test } from '@playwright/test';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launchChromium } from '../call/chromium.js';
import { MICROPHONE_HZ, toMicrophone } from '../call/microphone-file.js';
import { encodeWav, toInt16 } from '../call/wav.js';
import { speak } from '../fixtures/speech.js';
import { EdgeProcess } from '../support/edge-process.js';
import { root } from '../support/root.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const FIRST = 'Today I saw a horse and a small goat.';
const TASKS = 20;
/** Until the page listens to what is read. */
const LEAD_MS = 12_000;

test('somebody reads twenty sentences to the demo, and is told how well they were heard', async () => {
  test.setTimeout(4 * 60_000);
  await using folder = await TemporaryFolder.create();
  const pcm = await speak(FIRST, { accent: 'en-us', variant: 'm3', rate: 150, pitch: 45 });
  const microphoneFile = folder.file('microphone.wav');
  await writeFile(microphoneFile, encodeWav([toInt16(toMicrophone(pcm, LEAD_MS).samples)], MICROPHONE_HZ));
  const edge = await EdgeProcess.start({ args: ['--demo', join(root, 'examples/demo/dist')] });
  const browser = await launchChromium({ microphoneFile });
  try {
    const page = await browser.newPage();
    await page.goto(edge.url);
    const panel = page.getByRole('region', { name: 'How well does it hear you?' });
    await expect(panel).toContainText('Start talking first.');
    await page.getByRole('button', { name: 'Start talking' }).click();
    const done = panel.getByRole('button', { name: 'Done' });
    const start = panel.getByRole('button', { name: 'Start reading' });
    await expect(start).toBeEnabled({ timeout: 15_000 });
    await start.focus();
    await page.keyboard.press('Enter');
    await expect(done).toBeFocused();
    await expect(panel).toContainText(`1 of ${TASKS}.`);
    await expect(panel).toContainText(FIRST);

    const said = page.getByRole('region', { name: 'What was said' }).first();
    await expect(said).toContainText(/goat/i, { timeout: LEAD_MS + 15_000 });
    await expect(panel.getByText('It hears:')).toContainText(/horse.*goat/);
    await done.click();
    await expect(panel.getByRole('status')).toHaveText(/^1: \d of \d words wrong/);
    const result = panel.getByRole('definition');
    const [, wrong, known] = /(\d+) of (\d+)/.exec(await result.first().innerText())!;
    console.log(`  “${FIRST}”: ${wrong} of ${known} wrong`);
    // One voice, and one sentence: most of it.
    expect(Number(known)).toBeGreaterThanOrEqual(7);
    expect(Number(wrong)).toBeLessThanOrEqual(Number(known) / 2);

    for (let task = 2; task <= TASKS; task++) {
      await expect(panel).toContainText(`${task} of ${TASKS}.`);
      await (task % 2 ? done : panel.getByRole('button', { name: 'Skip' })).press('Enter');
    }
    await expect(panel.getByLabel('Result')).toBeFocused();
    // Nobody spoke any more, which says nothing about the ears.
    await expect(result.first()).toHaveText(`${wrong} of ${known} that it knows`);
    await expect(result.nth(2)).toHaveText('0 of 0');
    await expect(result.last()).toHaveText(`${TASKS - 1} of ${TASKS}`);
    await page.screenshot({ path: test.info().outputPath('read.png'), fullPage: true });

    const again = panel.getByRole('button', { name: 'Read again' });
    await again.press('Enter');
    await panel.getByRole('button', { name: 'Stop reading' }).press('Enter');
    await expect(again).toBeFocused();
    await again.press('Enter');
    await expect(done).toBeFocused();
    await page.getByRole('button', { name: 'End', exact: true }).click();
    await expect(done).toBeHidden();
    await expect(again).toBeDisabled();
    await expect(panel).toContainText('Start talking first.');
    // To listen only, there is no microphone to read to.
    await page.goto(`${edge.url}/?listen`);
    await expect(page.getByRole('button', { name: 'Join without a microphone' })).toBeVisible();
    await expect(panel).toBeHidden();
  } finally {
    await browser.close();
    await edge.stop();
  }
});
