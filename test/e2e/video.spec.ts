import { expect, test, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { build } from 'esbuild';
import { TrackSource } from 'livekit-server-sdk';
import { join } from 'node:path';
import { launchChromium } from '../call/chromium.js';
import { EdgeProcess } from '../support/edge-process.js';
import { root } from '../support/root.js';

// Two people in a room of a real edge: what one films is what the other sees.

const WAIT = { timeout: 30_000 };
/** Of the tab whose picture is shared. */
const SHARED = 'a tab to share';
/** Closes a socket without leaving the call. */
const BROKEN = 4000;

let edge: EdgeProcess;
let browser: Browser;
let script: string;
test.beforeAll(async () => {
  const bundled = build({
    entryPoints: [join(root, 'test/e2e/page/video-page.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
  });
  [edge, browser] = await Promise.all([
    EdgeProcess.start(),
    launchChromium({ asks: true, switches: [`--auto-select-tab-capture-source-by-title=${SHARED}`] }),
  ]);
  script = (await bundled).outputFiles[0]!.text;
});
test.afterAll(async () => {
  await browser?.close();
  await edge?.stop();
});

interface Person {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Breaks the sockets that are open. */
  dropSockets(): Promise<void>;
}

async function open(
  identity: string,
  { looksAt, sources, in: place = browser }: { looksAt?: string; sources?: TrackSource[]; in?: Browser } = {},
): Promise<Person> {
  const context = await place.newContext({ permissions: ['camera'] });
  const page = await context.newPage();
  const sockets = new Set<{ close(options: { code: number }): Promise<void> }>();
  await page.routeWebSocket(/v1\/connect/, (socket) => {
    const server = socket.connectToServer();
    sockets.add(server).add(socket);
  });
  await page.goto(`${edge.url}/healthz`);
  await page.addScriptTag({ content: script });
  const grant = {
    ...{ roomJoin: true, room: 'den', canPublish: true, canSubscribe: true },
    ...(sources && { canPublishSources: sources }),
  };
  const token = await edge.token({ identity, grant });
  await page.evaluate((options) => window.look(options), { url: edge.url, token, ...(looksAt && { looksAt }) });
  const dropSockets = async () => {
    const open = [...sockets];
    sockets.clear();
    await Promise.all(open.map((socket) => socket.close({ code: BROKEN })));
  };
  return { page, context, dropSockets };
}

async function enter(...args: Parameters<typeof open>): Promise<Person> {
  const person = await open(...args);
  // A machine that is busy with other things may have the edge let nobody in for a while.
  await expect(() => person.page.evaluate(() => window.video.session.connect())).toPass({ timeout: 90_000 });
  return person;
}

const seen = (page: Page, source: 'camera' | 'screen' = 'camera') =>
  page.evaluate((name) => window.video[name].seen, source);
const tracksOf = (page: Page, participant: string) => page.evaluate((name) => window.video.tracksOf(name), participant);
const status = (page: Page, source: 'camera' | 'screen' = 'camera') =>
  page.evaluate((name) => window.video.session[name].state.value.status, source);

/** More pictures come, and they are not the same picture again and again. */
async function expectMotion(page: Page, source?: 'camera' | 'screen'): Promise<void> {
  const before = await seen(page, source);
  await expect.poll(async () => (await seen(page, source)).frames - before.frames, WAIT).toBeGreaterThan(20);
  const after = await seen(page, source);
  expect(after.moved - before.moved).toBeGreaterThan(5);
  expect(after.empty).toBe(false);
}

test('one turns the camera on and off, shares a screen, and loses the socket: the other sees just that', async () => {
  const [ann, bob] = await Promise.all([enter('ann'), enter('bob', { looksAt: 'ann' })]);

  await test.step('a camera that is on is seen, moving, as large as it was asked for', async () => {
    expect((await seen(bob.page)).empty).toBe(true);
    const onAt = performance.now();
    await ann.page.evaluate(() => window.video.session.camera.enable());
    await expect.poll(async () => (await seen(bob.page)).frames, { ...WAIT, intervals: [20] }).toBeGreaterThan(0);
    console.log(`  first frame ${Math.round(performance.now() - onAt)} ms after the camera was asked for`);
    await expectMotion(bob.page);
    await expect.poll(async () => (await seen(bob.page)).width, WAIT).toBe(640);
    expect((await seen(bob.page)).height).toBe(360);
    expect(await tracksOf(bob.page, 'ann')).toEqual(['camera']);
    // And she sees herself, without the network.
    await expectMotion(ann.page);
  });

  await test.step('one who comes later sees it, too', async () => {
    const cyd = await enter('cyd', { looksAt: 'ann' });
    await expectMotion(cyd.page);
    await cyd.page.evaluate(() => window.video.session.close());
    expect((await seen(cyd.page)).empty).toBe(true);
    await cyd.context.close();
  });

  await test.step('muted there is nothing to see, and then there is again', async () => {
    await ann.page.evaluate(() => window.video.session.camera.setMuted(true));
    await expect.poll(async () => (await seen(bob.page)).empty, WAIT).toBe(true);
    expect(await tracksOf(bob.page, 'ann')).toEqual(['camera muted']);
    await ann.page.evaluate(() => window.video.session.camera.setMuted(false));
    await expectMotion(bob.page);
  });

  await test.step('a socket that drops, and is resumed, keeps the camera', async () => {
    const track = await ann.page.evaluateHandle(() => window.video.session.camera.track.value);
    await ann.dropSockets();
    await expect.poll(async () => (await seen(bob.page)).empty, WAIT).toBe(true);
    await expect.poll(async () => (await seen(bob.page)).empty, WAIT).toBe(false);
    await expectMotion(bob.page);
    const same = await ann.page.evaluate((one) => one === window.video.session.camera.track.value, track);
    expect([same, await status(ann.page)]).toEqual([true, 'live']);
    // So does one who was looking.
    await bob.dropSockets();
    await expect.poll(async () => (await seen(bob.page)).empty, WAIT).toBe(true);
    await expectMotion(bob.page);
  });

  await test.step('a screen is shared beside it, and ends with what is shared', async () => {
    const shared = await ann.context.newPage();
    await shared.setContent(`<title>${SHARED}</title><h1>0</h1><script>
      setInterval(() => { document.querySelector('h1').textContent++; document.body.style.background = Math.random() < 0.5 ? 'teal' : 'plum' }, 60);
    </script>`);
    await ann.page.bringToFront();
    await ann.page.evaluate(() => window.video.session.screen.enable());
    await shared.bringToFront();
    await expectMotion(bob.page, 'screen');
    await expectMotion(bob.page);
    expect((await tracksOf(bob.page, 'ann')).sort()).toEqual(['camera', 'screen']);
    await shared.close();
    await expect.poll(() => status(ann.page, 'screen'), WAIT).toBe('off');
    await expect.poll(async () => (await seen(bob.page, 'screen')).empty, WAIT).toBe(true);
    expect(await tracksOf(bob.page, 'ann')).toEqual(['camera']);
  });

  await test.step('a camera that is off is let go of, and gone', async () => {
    const state = await ann.page.evaluate(async () => {
      const { camera } = window.video.session;
      const track = camera.track.value!;
      await camera.disable();
      return [track.readyState, camera.state.value.status];
    });
    expect(state).toEqual(['ended', 'off']);
    await expect.poll(async () => (await seen(bob.page)).empty, WAIT).toBe(true);
    await expect.poll(() => tracksOf(bob.page, 'ann'), WAIT).toEqual([]);
    await ann.page.evaluate(() => window.video.session.camera.enable());
    await expectMotion(bob.page);
  });

  await test.step('who leaves is seen no more, and their camera is off', async () => {
    await ann.page.evaluate(() => window.video.session.disconnect());
    await expect.poll(async () => (await seen(bob.page)).empty, WAIT).toBe(true);
    expect(await status(ann.page)).toBe('off');
  });
  for (const { page, context } of [ann, bob]) {
    // A machine that is busy with other things may be late.
    expect(await page.evaluate(() => window.video.errors.filter((code) => code !== 'engine/late'))).toEqual([]);
    await context.close();
  }
});

test('a token without the grant is told at once, and the user is not asked; a camera that is on already is let go of', async () => {
  // Again where a machine that is busy with other things has the edge let nobody in.
  await expect(async () => {
    const ann = await open('ann', { sources: [TrackSource.MICROPHONE, TrackSource.SCREEN_SHARE] });
    const outcome = await ann.page.evaluate(async () => {
      const { session } = window.video;
      await session.camera.enable();
      const before = session.camera.track.value!;
      await session.connect();
      const failed = () => session.camera.state.value.status === 'failed';
      while (!failed()) await new Promise((resolve) => setTimeout(resolve, 10));
      const { asked, errors } = window.video;
      const again = await session.camera.enable().catch((error: { code: string; hint: string }) => error);
      const { code, hint } = again as { code: string; hint: string };
      const asks = [asked, window.video.asked];
      return { light: before.readyState, errors, code, hint, asks, connection: session.connection.value.status };
    });
    expect(outcome).toMatchObject({
      light: 'ended',
      errors: ['auth/forbidden'],
      code: 'auth/forbidden',
      asks: [1, 1],
      connection: 'connected',
    });
    expect(outcome.hint).toContain('grant');
    await ann.context.close();
  }).toPass({ timeout: 90_000 });
});

for (const { what, switches, code } of [
  {
    what: 'a user who refuses the camera',
    switches: ['--use-fake-ui-for-media-stream=deny'],
    code: 'media/permission',
  },
  {
    what: 'a machine without a camera',
    switches: ['--use-fake-device-for-media-stream=device-count=0'],
    code: 'media/not-found',
  },
]) {
  test(`${what} is told why, and the call goes on`, async () => {
    const other = await launchChromium({ switches });
    try {
      const { page } = await enter('ann', { in: other });
      const outcome = await page.evaluate(async () => {
        const { session } = window.video;
        const error = await session.camera.enable().catch((reason: { code: string }) => reason);
        const { status, error: shown } = session.camera.state.value;
        return {
          code: (error as { code: string }).code,
          shown: shown?.code,
          status,
          call: session.connection.value.status,
        };
      });
      expect(outcome).toEqual({ code, shown: code, status: 'failed', call: 'connected' });
    } finally {
      await other.close();
    }
  });
}
