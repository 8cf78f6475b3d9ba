import { expect, test } from '@playwright/test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Caller } from '../call/caller.js';
import { compose, speak, type EspeakVoice } from '../fixtures/speech.js';
import { EdgeProcess } from '../support/edge-process.js';
import { SocketClient } from '../support/socket-client.js';

const VOICE: EspeakVoice = { accent: 'en-us', variant: 'f2', rate: 140, pitch: 50 };
const GARBAGE_MS = 4_000;

/**
 * Puts bytes of no meaning in the place of the Opus packets that the microphone sends, while `window.garbage` says so: the
 * encryption is right, and so is the RTP around them.
 */
function sendGarbage(): void {
  const program = `
    let on = false;
    onmessage = ({ data }) => { on = data; };
    let count = 0;
    const make = () => {
      const length = [0, 1, 2, 3, 20, 200, 1200][count++ % 7];
      return crypto.getRandomValues(new Uint8Array(length)).buffer;
    };
    onrtctransform = ({ transformer: { readable, writable } }) => readable.pipeThrough(new TransformStream({
      transform(frame, controller) {
        if (on) frame.data = make();
        controller.enqueue(frame);
      },
    })).pipeTo(writable);
  `;
  const worker = new Worker(URL.createObjectURL(new Blob([program])));
  const addTransceiver = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function patched(this: RTCPeerConnection, ...args) {
    const transceiver = addTransceiver.apply(this, args);
    transceiver.sender.transform = new RTCRtpScriptTransform(worker);
    return transceiver;
  };
  Object.assign(window, { garbage: (on: boolean) => worker.postMessage(on) });
}

test('fault 16, garbage in the place of Opus reaches nobody else, and what comes after it is understood', async () => {
  await using edge = await EdgeProcess.start();
  using other = await SocketClient.join(edge.webSocketUrl, await edge.token({ room: 'other' }));
  const microphone = compose([
    2_000,
    await speak('Count the animals.', VOICE),
    1_000 + GARBAGE_MS + 1_000,
    await speak('Today I saw a horse and a small goat.', VOICE),
  ]);
  await using caller = await Caller.open({
    url: edge.url,
    room: 'garbage',
    microphone,
    initScript: `(${sendGarbage.toString()})()`,
  });
  await caller.until('word', (event) => event.type === 'transcript.word' && event.text === 'animals');

  await caller.page.evaluate(() => (window as unknown as { garbage(on: boolean): void }).garbage(true));
  await sleep(GARBAGE_MS);
  await caller.page.evaluate(() => (window as unknown as { garbage(on: boolean): void }).garbage(false));

  const word = (text: string) =>
    caller.until(`word ${text}`, (event) => event.type === 'transcript.word' && event.text === text);
  await word('horse');
  await word('goat');
  expect(caller.eventsOf('error')).toEqual([]);
  expect(edge.alive).toBe(true);
  expect(other.closed).toBeUndefined();
  expect(other.events.filter(({ type }) => type === 'error')).toEqual([]);
  expect(other.events.map(({ seq }) => seq)).toEqual(other.events.map((_, i) => i + 1));
  expect(other.events.filter(({ type }) => type === 'stats').length).toBeGreaterThan(GARBAGE_MS / 1_000 - 1);
});
