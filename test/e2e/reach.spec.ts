import { expect, test } from '@playwright/test';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launchChromium } from '../call/chromium.js';
import { MICROPHONE_HZ, toMicrophone } from '../call/microphone-file.js';
import { encodeWav, toInt16 } from '../call/wav.js';
import { compose, speak } from '../fixtures/speech.js';
import { EdgeProcess } from '../support/edge-process.js';
import { ownAddress } from '../support/own-address.js';
import { root } from '../support/root.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const VOICE = { accent: 'en-us', variant: 'f2', rate: 140, pitch: 50 } as const;

test('over HTTPS with its own certificate, a page on the network has a microphone, and the call works', async () => {
  const address = ownAddress();
  test.skip(address === undefined, 'this machine is on no network');
  await using folder = await TemporaryFolder.create();
  await using edge = await EdgeProcess.start({
    args: ['--https', '--state-folder', folder.path, '--demo', join(root, 'examples/demo/dist')],
  });
  const microphone = compose([1_000, await speak('Count the animals. I saw a horse.', VOICE)]);
  const file = folder.file('microphone.wav');
  await writeFile(file, encodeWav([toInt16(toMicrophone(microphone, 2_000).samples)], MICROPHONE_HZ));
  const browser = await launchChromium({ microphoneFile: file });
  try {
    const strict = await browser.newPage();
    const url = edge.url.replace('localhost', address!);
    await expect(strict.goto(`${url}/vanilla/`)).rejects.toThrow('ERR_CERT_AUTHORITY_INVALID');

    // As somebody who has read the warning, and goes on.
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    const sockets: string[] = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    await page.goto(`${url}/vanilla/`);
    expect(await page.evaluate(() => window.isSecureContext)).toBe(true);
    await page.getByRole('button', { name: 'Talk' }).click();
    await expect(page.getByRole('button', { name: 'Hang up' })).toBeVisible({ timeout: 15_000 });
    await expect(page.getByRole('list', { name: 'Transcript' })).toContainText(/You: .*count the animals/i, {
      timeout: 20_000,
    });
    expect(sockets).toEqual([`${url.replace('https', 'wss')}/v1/connect`]);
  } finally {
    await browser.close();
  }
});
