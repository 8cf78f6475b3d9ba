import type { Page } from 'playwright';
import { MICROPHONE_HZ, toMicrophone } from '../call/microphone-file.js';
import { encodeWav, toInt16, type Pcm } from '../call/wav.js';

/**
 * For a page, before anything of its own: its microphone hears what a test says to it, when the test says it, and silence
 * otherwise. So a test can answer what it has heard, however long the machine took.
 */
export const microphoneOnCue = `{
  let room;
  const openRoom = () => {
    if (room) return room;
    const context = new AudioContext({ sampleRate: ${MICROPHONE_HZ} });
    return (room = { context, air: context.createMediaStreamDestination() });
  };
  navigator.mediaDevices.getUserMedia = async () => openRoom().air.stream.clone();
  window.sayToMicrophone = async (wav) => {
    const { context, air } = openRoom();
    const source = context.createBufferSource();
    source.buffer = await context.decodeAudioData(Uint8Array.from(atob(wav), (char) => char.charCodeAt(0)).buffer);
    source.connect(air);
    await new Promise((resolve) => {
      source.onended = resolve;
      source.start();
    });
  };
}`;

/** Resolves when it is said. */
export async function sayTo(page: Page, speech: Pcm): Promise<void> {
  const wav = Buffer.from(encodeWav([toInt16(toMicrophone(speech, 0).samples)], MICROPHONE_HZ)).toString('base64');
  await page.evaluate(
    (bytes) => (window as unknown as { sayToMicrophone(wav: string): Promise<void> }).sayToMicrophone(bytes),
    wav,
  );
}
