// Runs recorded sessions through any bundle, micro-turn by micro-turn, all sessions in one batch, states fed back.
//
//   node run_bundle.mjs BUNDLE INPUT OUTPUT
//
// INPUT:  meta.json { sessions, turns, textTokens }, sound.i16 [sessions, 2, samples], play.f32 [sessions, turns],
//         text.i32 [sessions, turns, textTokens]
// OUTPUT: words.f32, floor.f32, say.f32, act.f32 for the roles that the bundle has, [sessions, turns, ...shape of one row],
//         and timing.json { medianMs, rows }
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import ort from 'onnxruntime-node';

const [bundleFolder, input, output] = process.argv.slice(2);
const manifest = JSON.parse(readFileSync(join(bundleFolder, 'bundle.json'), 'utf8'));
const { sessions, turns, textTokens } = JSON.parse(readFileSync(join(input, 'meta.json'), 'utf8'));
const typed = (name, Type) => {
  const bytes = readFileSync(join(input, name));
  return new Type(bytes.buffer, bytes.byteOffset, bytes.byteLength / Type.BYTES_PER_ELEMENT);
};
const sound = typed('sound.i16', Int16Array);
const play = typed('play.f32', Float32Array);
const text = typed('text.i32', Int32Array);

const model = await ort.InferenceSession.create(join(bundleFolder, manifest.graph.file), {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
});
const samples = manifest.inputs.pcm.shape[1];
const rowShape = (entry) => entry.shape.map((size) => (size === manifest.graph.batch ? sessions : size));
const length = (shape) => shape.reduce((product, size) => product * size, 1);
const zeros = (entry) => new ort.Tensor('float32', new Float32Array(length(rowShape(entry))), rowShape(entry));

/** One stream (0: microphone, 1: reference) of micro-turn `turn`, [sessions, samples]. */
function pcm(stream, turn) {
  const values = new Float32Array(sessions * samples);
  for (let row = 0; row < sessions; row++) {
    const start = ((row * 2 + stream) * turns + turn) * samples;
    for (let i = 0; i < samples; i++) values[row * samples + i] = sound[start + i] / 32_767;
  }
  return new ort.Tensor('float32', values, [sessions, samples]);
}

/** What `inputs.text` of the bundle takes, from as many tokens as it has room for; those that it has no class for are left out. */
function tokens(turn, room) {
  const values = new Int32Array(sessions * room);
  const known = manifest.outputs.words.classes.length;
  for (let row = 0; row < sessions; row++)
    for (let i = 0; i < Math.min(room, textTokens); i++) {
      const token = text[(row * turns + turn) * textTokens + i];
      values[row * room + i] = token < known ? token : 0;
    }
  return new ort.Tensor('int32', values, [sessions, room]);
}

const feeds = {
  pcm: (turn) => pcm(0, turn),
  ref: (turn) => pcm(1, turn),
  play: (turn) =>
    new ort.Tensor(
      'float32',
      Float32Array.from({ length: sessions }, (_, row) => play[row * turns + turn]),
      [sessions, 1],
    ),
  text: (turn, entry) => tokens(turn, entry.shape[1]),
  lost: (turn, entry) => zeros(entry),
  said: (turn, entry) => new ort.Tensor('int32', new Int32Array(length(rowShape(entry))), rowShape(entry)),
  reset: (turn, entry) =>
    new ort.Tensor('float32', new Float32Array(sessions).fill(turn === 0 ? 1 : 0), rowShape(entry)),
};

const roles = ['words', 'floor', 'say', 'act'].filter((role) => manifest.outputs[role]);
const results = Object.fromEntries(
  roles.map((role) => [role, new Float32Array(turns * length(rowShape(manifest.outputs[role])))]),
);
const states = Object.fromEntries(manifest.states.map((state) => [state.input, zeros(state)]));
const times = [];
for (let turn = 0; turn < turns; turn++) {
  const step = { ...states };
  for (const [role, entry] of Object.entries(manifest.inputs)) step[entry.tensor] = feeds[role](turn, entry);
  const started = performance.now();
  const next = await model.run(step);
  times.push(performance.now() - started);
  for (const state of manifest.states) states[state.input] = next[state.output];
  for (const role of roles) {
    const { data } = next[manifest.outputs[role].tensor];
    const perRow = data.length / sessions;
    for (let row = 0; row < sessions; row++)
      results[role].set(data.subarray(row * perRow, (row + 1) * perRow), (row * turns + turn) * perRow);
  }
}
for (const role of roles) {
  const file = openSync(join(output, `${role}.f32`), 'w');
  const bytes = Buffer.from(results[role].buffer);
  for (let offset = 0; offset < bytes.length;) offset += writeSync(file, bytes, offset);
  closeSync(file);
}
times.sort((a, b) => a - b);
writeFileSync(join(output, 'timing.json'), JSON.stringify({ medianMs: times[times.length >> 1], rows: sessions }));
