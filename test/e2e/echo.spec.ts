import { expect, test } from '@playwright/test';
import { join } from 'node:path';
import { Caller } from '../call/caller.js';
import { EdgeProcess } from '../support/edge-process.js';
import { root } from '../support/root.js';

// A page whose microphone hears the agent from the page's own loudspeaker, and that cancels nothing. At -20 dB the model is
// judged in virtual time (test/integration/echo): here a micro-turn begins at any moment, and a stop in thirty is the model's.

const LEVEL_DB = -30;
const SENTENCES = [
  'The library opens at nine in the morning, and it closes at six in the evening.',
  'There are two meetings on Monday, one with the designers and one with the sales team.',
  'Put the flour and the sugar into a bowl, and stir them with a large wooden spoon.',
];
/** Of the microphone's sound. A page that gets no CPU sends in heaps, and what the model then hears is no echo. */
const MOST_CONCEALED = 0.05;

/** In the page: what comes from other peers goes to the microphone as well, later and softer, with the noise of a room. */
function hearOwnLoudspeaker({ gain, delaySeconds }: { gain: number; delaySeconds: number }): void {
  const audio = new AudioContext({ sampleRate: 48_000 });
  const microphone = audio.createMediaStreamDestination();
  const room = audio.createBuffer(1, 48_000, 48_000);
  const samples = room.getChannelData(0);
  for (let i = 0; i < samples.length; i++) samples[i] = (Math.random() - 0.5) * 0.002;
  const noise = new AudioBufferSourceNode(audio, { buffer: room, loop: true });
  noise.connect(microphone);
  noise.start();
  const path = new DelayNode(audio, { delayTime: delaySeconds });
  path.connect(new GainNode(audio, { gain })).connect(microphone);
  navigator.mediaDevices.getUserMedia = async () => {
    await audio.resume();
    return microphone.stream;
  };
  window.RTCPeerConnection = new Proxy(RTCPeerConnection, {
    construct(Class, args: [RTCConfiguration]) {
      const connection = new Class(...args);
      connection.addEventListener('track', ({ track }) => {
        if (track.kind === 'audio') audio.createMediaStreamSource(new MediaStream([track])).connect(path);
      });
      return connection;
    },
  });
}

/** How the sentences of an agent end which hears itself, `delayMs` later, and how much of that was concealed. */
async function callThatEchoes(delayMs: number, args: readonly string[] = []) {
  await using edge = await EdgeProcess.start({ args });
  const options = { gain: 10 ** (LEVEL_DB / 20), delaySeconds: delayMs / 1000 };
  await using caller = await Caller.open({
    url: edge.url,
    microphone: { samples: new Float32Array(16_000), rateHz: 16_000 },
    record: false,
    initScript: `(${hearOwnLoudspeaker.toString()})(${JSON.stringify(options)})`,
  });
  const concealed = async () => (await edge.metrics()).get('microturn_uplink_concealed_seconds_total') ?? 0;
  const [fromS, fromMs] = [await concealed(), performance.now()];
  const ends: string[] = [];
  for (const sentence of SENTENCES) {
    const { responseId } = await caller.say(sentence);
    const { type } = await caller.until(
      'end of the response',
      (event) =>
        (event.type === 'response.completed' || event.type === 'response.interrupted') &&
        event.responseId === responseId,
    );
    ends.push(type);
  }
  return { ends, concealed: (1000 * ((await concealed()) - fromS)) / (performance.now() - fromMs) };
}

test('fault 44, the agent’s own voice in the microphone, at -30 dB: it says what it has to say', async () => {
  const { ends, concealed } = await callThatEchoes(120);
  console.log(`  fault 44: ${ends.join(', ')}; concealed ${concealed.toFixed(3)}`);
  test.skip(concealed > MOST_CONCEALED, `the page got too little CPU: ${(100 * concealed).toFixed(0)} % was concealed`);
  expect(ends).toEqual(SENTENCES.map(() => 'response.completed'));
});

test('fault 44, a model that is not told of the far end stops itself there: the echo is heard', async () => {
  const { ends } = await callThatEchoes(120, ['--bundle', join(root, 'models/nano/bootstrap')]);
  expect(ends).toContain('response.interrupted');
});
