import { expect, test } from '@playwright/test';
import { Caller } from '../call/caller.js';
import type { PageMessage } from '../call/page/page-messages.js';
import { EdgeProcess } from '../support/edge-process.js';

let edge: EdgeProcess;
test.beforeAll(async () => {
  edge = await EdgeProcess.start();
});
test.afterAll(() => edge.stop());

test('where the browser plays nothing before the user acts, nothing counts as heard, and a click unlocks the sound', async () => {
  const blocked: boolean[] = [];
  const onMessage = (message: PageMessage) => {
    if (message.type === 'speaker') blocked.push(message.blocked);
  };
  // Without a microphone: a page that records is allowed to play.
  await using caller = await Caller.open({ url: edge.url, autoplay: false, record: false, onMessage });
  await expect.poll(() => blocked.at(-1)).toBe(true);

  const end = async () => {
    const { responseId } = await caller.say('Can you hear me now?');
    const event = await caller.until(
      'end of the response',
      (one) =>
        (one.type === 'response.completed' || one.type === 'response.interrupted') && one.responseId === responseId,
    );
    return event.type === 'response.completed' || event.type === 'response.interrupted' ? event.heardMs : undefined;
  };
  expect(await end()).toBe(0);

  await caller.page.getByRole('button', { name: 'Unlock' }).click();
  await expect.poll(() => blocked.at(-1)).toBe(false);
  // Said again where the machine was too busy to play it in time.
  await expect.poll(end, { timeout: 60_000 }).toBeGreaterThan(700);
});
