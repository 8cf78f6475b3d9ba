import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { MicroturnError } from '@microturn/protocol';
import { monotonicClock } from '../clock.js';
import type { FliteVoiceName } from './flite.js';
import type { VoiceReport, VoiceRequest, VoiceThreadData } from './messages.js';
import { openVoice } from './open-voice.js';
import { SpeechDesk } from './speech-desk.js';
import type { Voice } from './types.js';

/** Said once before the thread is ready, so that the first clause anybody hears does not pay for compilation. */
const FIRST_WORDS = 'one';

if (parentPort) await runVoiceThread(parentPort, workerData as VoiceThreadData);

async function runVoiceThread(
  main: MessagePort,
  { voice: name, speakers: specs, warm }: VoiceThreadData,
): Promise<void> {
  const report = (message: VoiceReport) => main.postMessage(message);
  let voice: Voice;
  const speakers = new Map<string, Voice>();
  try {
    voice = await openVoice(
      name === 'tones' ? { provider: 'tones' } : { provider: 'flite', name: name as FliteVoiceName },
    );
    for (const [speaker, spec] of Object.entries(specs)) speakers.set(speaker, await openVoice(spec));
    for await (const _ of voice.speak(FIRST_WORDS));
  } catch (error) {
    report({ type: 'failed', error: MicroturnError.from(error, 'voice/failed').toWire() });
    return;
  }

  let media: MessagePort | undefined;
  const desk = new SpeechDesk({
    voice,
    speakers,
    clock: monotonicClock,
    report,
    post: (speech) => {
      if (!media && speech.last) return;
      if (!media) throw new MicroturnError('voice/failed', 'no media thread is connected to the voice');
      media.postMessage(speech, [speech.pcm.buffer as ArrayBuffer]);
    },
  });

  main.on('message', (request: VoiceRequest) => {
    switch (request.type) {
      case 'connect':
        // Not before: until the media thread is up, the cores have it to start.
        if (!media) desk.warmUp(warm);
        media?.close();
        media = request.port;
        return;
      case 'speak':
        desk.speak(request);
        return;
      case 'end':
        desk.end(request.voice, request.responseId);
        return;
      case 'cancel':
        desk.cancel(request.responseId);
        return;
      case 'rehearse':
        desk.rehearse(request);
        return;
      case 'ping':
        report({ type: 'pong' });
        return;
      default:
        request satisfies never;
    }
  });
  report({ type: 'ready', name: voice.name });
}
