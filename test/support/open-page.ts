import { expect } from '@playwright/test';
import { writeFile } from 'node:fs/promises';
import type { Page } from 'playwright';
import { launchChromium } from '../call/chromium.js';
import { MICROPHONE_HZ, toMicrophone } from '../call/microphone-file.js';
import { encodeWav, toInt16, type Pcm } from '../call/wav.js';
import { TemporaryFolder } from './temporary-folder.js';

export interface PageOptions {
  readonly url: string;
  /** What its microphone hears, from when it is opened. */
  readonly microphone?: Pcm | undefined;
  /** Runs before anything of the page's own. */
  readonly initScript?: string | undefined;
  /** What its console may say. */
  readonly expected?: RegExp | undefined;
}

/**
 * Opens a page in a browser of its own.
 * @throws {Error} what `use` throws, or where the page complained of something
 */
export async function withPage(
  { url, microphone, initScript, expected }: PageOptions,
  use: (page: Page) => Promise<void>,
): Promise<void> {
  await using folder = await TemporaryFolder.create();
  const microphoneFile = microphone && folder.file('microphone.wav');
  if (microphone && microphoneFile) {
    await writeFile(microphoneFile, encodeWav([toInt16(toMicrophone(microphone, 4_000).samples)], MICROPHONE_HZ));
  }
  const browser = await launchChromium({ microphoneFile });
  try {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() !== 'error' || expected?.test(message.text())) return;
      // A page without an icon is asked for one all the same.
      if (!message.location().url.endsWith('/favicon.ico')) complaints.push(message.text());
    });
    if (initScript !== undefined) await page.addInitScript(initScript);
    await page.goto(url);
    await use(page);
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
  }
}
