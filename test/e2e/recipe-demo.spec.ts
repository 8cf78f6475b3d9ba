import { expect, test } from '@playwright/test';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launchChromium } from '../call/chromium.js';
import { MICROPHONE_HZ, toMicrophone } from '../call/microphone-file.js';
import { encodeWav, toInt16 } from '../call/wav.js';
import { timed } from '../fixtures/questions.js';
import { compose, lengthMs, speak } from '../fixtures/speech.js';
import { LlmWorld } from '../support/llm-world.js';
import { root } from '../support/root.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const DEMO = join(root, 'examples/demo/dist');
/** To be looked at. */
const PICTURES = join(root, '.microturn/test/recipe-demo');
const SPEEDS = { transcribeMs: 60, firstTokenMs: 150, tokensPerSecond: 60, firstAudioMs: 80 };
const LEAD_MS = 3_000;
const ASKED = 'How do I get to the airport?';
const ANSWER = 'It is better to take the bus. It leaves every ten minutes.';

test('the demo talks with a recipe, shows its drafts and where the time went, and then with Nano alone', async () => {
  test.setTimeout(180_000);
  if (!existsSync(DEMO)) throw new Error('expected the demo to be built: run `npm run build` first');
  const question = await speak(ASKED, { accent: 'en-us', variant: 'm3', rate: 150, pitch: 50 });
  const microphone = compose([LEAD_MS, question, 6_000]);
  await mkdir(PICTURES, { recursive: true });
  await using folder = await TemporaryFolder.create();
  await using world = await LlmWorld.start({
    speeds: SPEEDS,
    voice: 'service',
    answer: () => ({ text: ANSWER }),
    recipe: { drafting: { enabled: true, everyMs: 500 } },
    args: ['--demo', DEMO],
  });
  world.listenTo(microphone, timed(ASKED, LEAD_MS, lengthMs(question)));
  await writeFile(
    folder.file('microphone.wav'),
    encodeWav([toInt16(toMicrophone(microphone, 4_000).samples)], MICROPHONE_HZ),
  );
  const browser = await launchChromium({ microphoneFile: folder.file('microphone.wav'), loop: true });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1700 } });
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${world.edge.url}/`);
    const agent = page.getByLabel('Talk with');
    await expect(agent.locator('option')).toHaveText(['test', 'Nano alone']);
    await page.screenshot({ path: join(PICTURES, 'before.png') });
    await page.getByRole('button', { name: 'Start talking' }).click();
    const end = page.getByRole('button', { name: 'End', exact: true });
    await expect(end).toBeVisible({ timeout: 20_000 });
    await expect(agent).toBeDisabled();

    const timing = page.getByRole('region', { name: 'How its answers come' });
    // The recording goes on from its beginning: an end that Nano takes for a pause is followed by others.
    await expect(timing.getByRole('list', { name: /From your last word/ })).toBeVisible({ timeout: 60_000 });
    for (const stage of ['floor', 'words', 'LLM', 'voice'])
      await expect(timing.getByText(stage, { exact: true }).first()).toBeVisible();
    // Of the last drafts one: what comes round again may be taken for more of what was said before.
    const draft = timing.getByRole('list', { name: /Drafts/ }).getByRole('listitem');
    await expect(draft.filter({ hasText: /how do i/i }).first()).toBeVisible({ timeout: 60_000 });
    await expect(timing).toContainText(/[1-9]\d* begun, \d+ said, \d+ dropped/);
    const said = page.getByRole('region', { name: 'What was said' }).first();
    await expect(said).toContainText(/it is better to take the bus/i, { timeout: 20_000 });
    await expect(said).toContainText(/how do i get to the airport/i, { timeout: 30_000 });
    // To its last word, by what the page played.
    await expect(said.locator('[data-look=heard]', { hasText: ANSWER }).first()).toBeVisible({ timeout: 60_000 });
    await page.screenshot({ path: join(PICTURES, 'recipe.png') });
    await end.click();

    await expect(agent).toBeEnabled({ timeout: 10_000 });
    const asked = world.openAi.chats.length;
    await agent.selectOption({ label: 'Nano alone' });
    await page.getByRole('button', { name: 'Start talking' }).click();
    await expect(end).toBeVisible({ timeout: 20_000 });
    const grid = page.getByRole('slider', { name: 'Micro-turn' });
    // Longer than the question: nobody but Nano hears it.
    await expect
      .poll(async () => Number(await grid.getAttribute('aria-valuenow')), { timeout: 60_000 })
      .toBeGreaterThan(60);
    await expect(timing).toBeHidden();
    expect(world.openAi.chats).toHaveLength(asked);
    await page.screenshot({ path: join(PICTURES, 'nano.png') });
    await end.click();
    expect(complaints).toEqual([]);
    expect(world.problems).toEqual([]);
  } finally {
    await browser.close();
  }
});
