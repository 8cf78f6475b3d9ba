// Records the call that "Watch a recorded example" replays: a synthesised voice talks with a running edge through this page.
//
//   npm start                                          (in another terminal)
//   node examples/demo/scripts/record-example.mjs http://127.0.0.1:7880
//
// Needs espeak-ng and a Chromium (Playwright's own, or the one that MICROTURN_CHROMIUM names).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';

const VOICE = 'en-us';
const RATE_HZ = 48_000;
const TARGET = fileURLToPath(new URL('../src/replay/recording.jsonl', import.meta.url));
const URL_OF_EDGE = process.argv[2] ?? 'http://127.0.0.1:7880';

/** What the caller does: says a text, waits for seconds, or presses "Say something long". */
const SCRIPT = [
  4,
  'count the animals',
  1.4,
  'today I saw a horse and a goat',
  3,
  'then a sheep ran to the river with a rabbit',
  2.6,
  { press: 'l' },
  3.4,
  'uh huh',
  3,
  'wait, stop',
  3,
];

/** One voice, at one pace, and the same every time. */
function speak(text) {
  const wav = execFileSync('espeak-ng', ['-v', VOICE, '-s', '150', '--stdout', text], { maxBuffer: 1 << 26 });
  const from = wav.readUInt32LE(24);
  const samples = new Int16Array(
    wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + 44 + 2 * Math.floor((wav.length - 44) / 2)),
  );
  return Float32Array.from({ length: Math.floor((samples.length * RATE_HZ) / from) }, (_, index) => {
    const at = (index * from) / RATE_HZ;
    const left = samples[Math.floor(at)] ?? 0;
    const right = samples[Math.floor(at) + 1] ?? left;
    return (0.8 * (left + (right - left) * (at % 1))) / 32_768;
  });
}

function toWav(pcm) {
  const wav = Buffer.alloc(44 + pcm.length * 2);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + pcm.length * 2, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(RATE_HZ, 24);
  wav.writeUInt32LE(RATE_HZ * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(pcm.length * 2, 40);
  pcm.forEach((sample, index) =>
    wav.writeInt16LE(Math.round(Math.max(-1, Math.min(1, sample)) * 32_767), 44 + index * 2),
  );
  return wav;
}

const pieces = [];
const presses = [];
let seconds = 0;
for (const step of SCRIPT) {
  if (typeof step === 'object') {
    presses.push({ key: step.press, atMs: seconds * 1000 });
    continue;
  }
  const piece = typeof step === 'string' ? speak(step) : new Float32Array(step * RATE_HZ);
  pieces.push(piece);
  seconds += piece.length / RATE_HZ;
}
const pcm = new Float32Array(pieces.reduce((length, piece) => length + piece.length, 0));
let at = 0;
for (const piece of pieces) {
  pcm.set(piece, at);
  at += piece.length;
}

const folder = mkdtempSync(join(tmpdir(), 'microturn-example-'));
const file = join(folder, 'caller.wav');
writeFileSync(file, toWav(pcm));
const browser = await chromium.launch({
  ...(process.env.MICROTURN_CHROMIUM && { executablePath: process.env.MICROTURN_CHROMIUM }),
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    '--autoplay-policy=no-user-gesture-required',
    `--use-file-for-fake-audio-capture=${file}%noloop`,
  ],
});
try {
  // Wide enough to hold the whole call, whose levels are read off the grid.
  const context = await browser.newContext({ viewport: { width: 3200, height: 900 }, permissions: ['microphone'] });
  const page = await context.newPage();
  const events = [];
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      const message = JSON.parse(String(payload));
      if ('seq' in message && message.type !== 'goodbye') events.push(message);
    }),
  );
  await page.goto(URL_OF_EDGE);
  await page.getByRole('button', { name: 'Start talking' }).click();
  const startedMs = performance.now();
  const until = (ms) => page.waitForTimeout(Math.max(0, ms - (performance.now() - startedMs)));
  for (const { key, atMs } of presses) {
    await until(atMs);
    await page.keyboard.press(key);
  }
  await until(seconds * 1000);

  const loudness = await page.evaluate(() =>
    [...document.querySelectorAll('.column')].map((column) => [
      Number(column.dataset.turn),
      Number(column.querySelector('.cell-you')?.style.getPropertyValue('--loudness') ?? 0),
    ]),
  );
  const started = events.find(({ type }) => type === 'session.started');
  const kept = events.filter(({ type }) => !['session.started', 'session.closed', 'session.usage'].includes(type));
  const recording = {
    model: started.model,
    voice: `espeak-ng ${VOICE}`,
    recordedOn: new Date().toISOString().slice(0, 10),
    participant: started.participant,
    microTurnMs: started.microTurnMs,
    durationMs: Math.ceil(kept.at(-1).at),
    // From the share of 60 dB that the grid draws, back to RMS.
    levels: loudness
      .filter(([, share]) => share > 0)
      .map(([turn, share]) => [turn, Number((10 ** ((share * 60 - 60) / 20)).toFixed(4))]),
    events: kept.map(({ seq: _seq, turn: _turn, ...event }) => event),
  };
  const round = (_key, value) => (typeof value === 'number' ? Number(value.toFixed(4)) : value);
  const { events: list, ...head } = recording;
  writeFileSync(TARGET, [head, ...list].map((line) => `${JSON.stringify(line, round)}\n`).join(''));
  process.stdout.write(`${kept.length} events, ${(recording.durationMs / 1000).toFixed(1)} s\n`);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
