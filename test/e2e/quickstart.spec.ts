import { expect, test } from '@playwright/test';
import { build } from 'esbuild';
import { join } from 'node:path';
import { launchChromium } from '../call/chromium.js';
import { EdgeProcess } from '../support/edge-process.js';
import { root } from '../support/root.js';

// The React quickstart, with a camera that the user allows, and does not.

const WAIT = { timeout: 30_000 };

test('the React quickstart shows the camera where it is allowed, and talks on where it is not, or not any more', async () => {
  await using edge = await EdgeProcess.start();
  const { outputFiles } = await build({
    entryPoints: [join(root, 'examples/react-quickstart/src/main.tsx')],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  const browser = await launchChromium({ asks: true });
  try {
    const context = await browser.newContext();
    // What is not named is refused.
    await context.grantPermissions(['microphone'], { origin: edge.url });
    const page = await context.newPage();
    // On the edge's own address, to which its dev server passes on what it does not know.
    await page.goto(`${edge.url}/healthz`);
    await page.setContent('<!doctype html><html lang="en"><body></body></html>');
    const users = await browser.newBrowserCDPSession();
    const { targetInfos } = await users.send('Target.getTargets');
    const { browserContextId } = targetInfos.find(({ url }) => url === page.url())!;
    const setCamera = (setting: 'granted' | 'denied') =>
      users.send('Browser.setPermission', {
        permission: { name: 'camera' },
        setting,
        origin: edge.url,
        ...(browserContextId !== undefined && { browserContextId }),
      });
    await page.addScriptTag({ content: outputFiles[0]!.text });
    const button = (name: string) => page.getByRole('button', { name });
    const problem = page.getByRole('alert');
    const self = page.getByLabel('You', { exact: true });
    const frames = () => self.evaluate((video: HTMLVideoElement) => video.getVideoPlaybackQuality().totalVideoFrames);

    await button('Talk').click();
    await expect(button('Hang up')).toBeVisible(WAIT);
    await button('Camera on').click();
    await expect(problem).toContainText('refused', WAIT);

    await setCamera('granted');
    await button('Camera on').click();
    await expect(button('Camera off')).toBeVisible(WAIT);
    await expect.poll(frames, WAIT).toBeGreaterThan(3);
    await expect(problem).toBeHidden();
    await page.screenshot({ path: test.info().outputPath('camera.png') });

    await setCamera('denied');
    await expect(problem).toContainText('the camera is not allowed any more', WAIT);
    await expect(self).toBeHidden();

    await setCamera('granted');
    await button('Camera on').click();
    await expect.poll(frames, WAIT).toBeGreaterThan(3);
    await button('Camera off').click();
    await expect(self).toBeHidden(WAIT);
    await button('Hang up').click();
    await expect(button('Talk')).toBeVisible(WAIT);
    await expect(button('Camera on')).toBeHidden();
  } finally {
    await browser.close();
  }
});
