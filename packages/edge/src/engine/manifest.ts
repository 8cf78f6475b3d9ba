import { floors, samplesPerTurn, type Floor } from '@microturn/protocol';
import * as v from 'valibot';
import { acts, marks, type InputRole } from './types.js';

// docs/bundle.md has a page on every field: keep the two together.

/** Values of one tensor in one row: larger ones are refused before anything is allocated for them. */
const MAX_ROW_ELEMENTS = 1 << 22;
const MAX_FILE_BYTES = 1 << 30;

const Name = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
const Text = v.pipe(v.string(), v.minLength(1), v.maxLength(512));
const Count = v.pipe(v.number(), v.integer(), v.minValue(1));
/** More would not fit into what is kept of a row. */
const MOST_SPAN_SLOTS = 5;

const Ms = v.pipe(v.number(), v.finite(), v.minValue(0));
const Share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const Classes = v.pipe(v.array(Name), v.minLength(2), v.maxLength(1 << 18));

/** The batch dimension by its name, then the shape of one row. */
const Shape = v.pipe(
  v.tupleWithRest([Name], Count),
  v.maxLength(8),
  v.check((shape) => rowElements(shape) <= MAX_ROW_ELEMENTS, `more than ${MAX_ROW_ELEMENTS} values in one row`),
);
export type Shape = v.InferOutput<typeof Shape>;

const Tensor = v.object({ tensor: Name, shape: Shape });
/** A role of token ids, and what they stand for; without `classes` it is fed nothing. */
const Tokens = v.object({
  ...Tensor.entries,
  /** Those of an output, or names of its own. The first stands for nothing. */
  classes: v.optional(v.union([v.picklist(['words', 'say']), Classes])),
  /** The class of a word that has none; without it such a word is left out. */
  unknown: v.optional(Name),
  /** Forms that are written with other classes, separated by spaces. */
  aliases: v.optional(v.record(v.string(), Text), {}),
  marks: v.optional(v.partial(v.object(v.entriesFromList(marks, Name))), {}),
  delegates: v.optional(v.boolean(), false),
});
/** `probabilities` are taken as they are; `logits` go through a softmax first. */
const Values = v.picklist(['probabilities', 'logits']);

/** Roles of token ids; all others are float32. */
export const int32Roles: ReadonlySet<InputRole> = new Set(['said', 'text']);

const Manifest = v.object({
  format: v.literal('microturn-bundle/1'),
  name: Name,
  version: Name,
  licence: Name,
  microTurnMs: v.pipe(v.number(), v.integer(), v.minValue(20), v.maxValue(2000)),
  inputHz: v.pipe(v.number(), v.integer(), v.minValue(8000), v.maxValue(48_000)),
  capabilities: v.array(Name),
  graph: v.object({ file: Name, batch: Name }),
  files: v.record(
    v.string(),
    v.object({
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal digits')),
      bytes: v.pipe(Count, v.maxValue(MAX_FILE_BYTES)),
    }),
  ),
  inputs: v.object({
    pcm: Tensor,
    ref: v.optional(Tensor),
    lost: v.optional(Tensor),
    play: v.optional(v.object({ ...Tensor.entries, ownTurns: v.optional(v.object({ gapMs: Ms })) })),
    said: v.optional(Tokens),
    text: v.optional(Tokens),
    frame: v.optional(Tensor),
    has_frame: v.optional(Tensor),
    active: v.optional(Tensor),
    reset: v.optional(Tensor),
  }),
  outputs: v.object({
    words: v.optional(
      v.object({
        ...Tensor.entries,
        values: Values,
        classes: Classes,
        blank: Name,
        unknown: v.optional(Name),
        slotMs: Count,
      }),
    ),
    floor: v.optional(
      v.object({ ...Tensor.entries, values: Values, classes: v.pipe(v.array(v.picklist(floors)), v.minLength(2)) }),
    ),
    say: v.optional(
      v.object({
        ...Tensor.entries,
        values: Values,
        classes: Classes,
        silent: Name,
        acts: v.optional(v.record(v.string(), v.object({ act: v.picklist(acts), text: v.optional(Text) })), {}),
        /** Classes that are shown on a surface of the page, and not spoken. */
        shows: v.optional(v.record(v.string(), v.object({ surface: Name, text: Text, of: v.optional(Text) })), {}),
      }),
    ),
    act: v.optional(
      v.object({
        ...Tensor.entries,
        values: Values,
        classes: v.pipe(v.array(v.picklist(['none', ...acts])), v.minLength(2)),
        /** What is said with an act that comes without a word. */
        says: v.optional(v.partial(v.object(v.entriesFromList(acts, Text))), {}),
      }),
    ),
    audio: v.optional(v.object({ ...Tensor.entries, hz: Count })),
  }),
  states: v.array(v.object({ input: Name, output: Name, shape: Shape })),
  decoding: v.object({
    words: v.optional(v.object({ threshold: Share, repeatMs: Ms, delayMs: Ms, spanMs: v.optional(Ms) })),
    floor: v.optional(
      v.object({
        thresholds: v.optional(v.record(v.string(), Share), {}),
      }),
      {},
    ),
    say: v.optional(v.object({ threshold: Share, repeatMs: v.optional(Ms, 0) }), { threshold: 0, repeatMs: 0 }),
    act: v.optional(v.object({ threshold: Share, thresholds: v.optional(v.record(v.string(), Share), {}) }), {
      threshold: 0,
    }),
    relay: v.optional(v.strictObject({ floors: v.pipe(v.array(v.picklist(floors)), v.minLength(1)), quietMs: Ms })),
    delegate: v.optional(v.strictObject({ minSpeechMs: Ms, pauseMs: Ms })),
    stop: v.array(v.union([v.strictObject({ act: v.literal('stop') }), v.strictObject({ floor: v.picklist(floors) })])),
  }),
});

/** bundle.json, checked. Fields that this build does not know are dropped. */
export type Manifest = v.InferOutput<typeof Manifest>;
export type Outputs = Manifest['outputs'];

/** Values of one row of a tensor. */
export function rowElements(shape: readonly [string, ...number[]]): number {
  return shape.slice(1).reduce<number>((product, dimension) => product * Number(dimension), 1);
}

/**
 * Checks a parsed bundle.json, each field and then what the fields say of each other.
 * @throws {Error} that names the field; the caller knows the file
 */
export function parseManifest(value: unknown): Manifest {
  const parsed = v.safeParse(Manifest, value);
  if (!parsed.success) {
    const issue = parsed.issues[0];
    const path = v.getDotPath(issue);
    throw new Error(path ? `${path}: ${issue.message}` : issue.message);
  }
  const manifest = parsed.output;
  const problem = contradiction(manifest);
  if (problem) throw new Error(problem);
  return manifest;
}

/** The classes of a role of token ids; undefined where nothing is fed to it. */
export function tokenClasses({ inputs, outputs }: Manifest, role: 'said' | 'text'): readonly string[] | undefined {
  const classes = inputs[role]?.classes;
  return typeof classes === 'string' ? outputs[classes]?.classes : classes;
}

/** What is wrong with the fields that say what a role of token ids is fed. */
function unreadable(manifest: Manifest, role: 'said' | 'text'): string | undefined {
  const input = manifest.inputs[role];
  if (!input?.classes) return undefined;
  const { shape, unknown, aliases, marks } = input;
  if (shape.length !== 2) return `shape: expected ["${manifest.graph.batch}", tokens], got ${JSON.stringify(shape)}`;
  const classes = tokenClasses(manifest, role);
  if (!classes) return `classes: there is no outputs.${String(input.classes)}`;
  const { words, say } = manifest.outputs;
  const nothing = input.classes === 'words' ? words?.blank : input.classes === 'say' ? say?.silent : classes[0];
  if (classes[0] !== nothing) return `classes: the first stands for nothing, and is ${classes[0]}, not ${nothing}`;
  for (const [form, written] of Object.entries(aliases)) {
    const stranger = written.split(' ').find((name) => !classes.includes(name));
    if (stranger !== undefined) return `aliases.${form}: ${JSON.stringify(stranger)} is not among the classes`;
  }
  const named = [['unknown', unknown], ...Object.entries(marks).map(([mark, name]) => [`marks.${mark}`, name])];
  for (const [field, name] of named) {
    if (name !== undefined && !classes.includes(name)) return `${field}: ${name} is not among the classes`;
  }
  return undefined;
}

/** The first thing in which two fields disagree, as `path: what, expected, got`. */
function contradiction(manifest: Manifest): string | undefined {
  const { graph, files, inputs, outputs, states, decoding, microTurnMs, inputHz } = manifest;
  if (!Object.hasOwn(files, graph.file)) return `graph.file: ${graph.file} is not listed in files`;

  const samples = (microTurnMs * inputHz) / 1000;
  if (!Number.isInteger(samples)) return `inputHz: a micro-turn must hold a whole number of samples, got ${samples}`;
  for (const role of ['pcm', 'ref'] as const) {
    const shape = inputs[role]?.shape;
    if (shape && (shape.length !== 2 || shape[1] !== samplesPerTurn(microTurnMs, inputHz))) {
      return `inputs.${role}.shape: expected ["${graph.batch}", ${samples}], got ${JSON.stringify(shape)}`;
    }
  }
  for (const role of ['lost', 'play', 'has_frame', 'active', 'reset'] as const) {
    const shape = inputs[role]?.shape;
    if (shape && rowElements(shape) !== 1) {
      return `inputs.${role}.shape: expected ["${graph.batch}", 1], got ${JSON.stringify(shape)}`;
    }
  }

  const { words, floor, say, act } = outputs;
  for (const [role, output] of Object.entries({ words, floor, say, act })) {
    if (!output) continue;
    const classes = output.shape.at(-1);
    if (classes !== output.classes.length) {
      return `outputs.${role}.classes: expected ${String(classes)}, the last dimension of the shape, got ${output.classes.length}`;
    }
    const ranks = role === 'words' ? [3] : role === 'say' ? [2, 3] : [2];
    if (!ranks.includes(output.shape.length)) {
      return `outputs.${role}.shape: expected ${ranks.join(' or ')} dimensions, got ${output.shape.length}`;
    }
  }
  if (words) {
    if (!words.classes.includes(words.blank)) return `outputs.words.blank: ${words.blank} is not among the classes`;
    if (words.unknown !== undefined && !words.classes.includes(words.unknown)) {
      return `outputs.words.unknown: ${words.unknown} is not among the classes`;
    }
    const slots = Number(words.shape[1]);
    if (slots * words.slotMs !== microTurnMs) {
      return `outputs.words.slotMs: ${slots} slots must fill ${microTurnMs} ms, got ${slots * words.slotMs}`;
    }
    if (!decoding.words) return 'decoding.words: missing, and outputs.words needs it';
    const spanSlots = (decoding.words.spanMs ?? words.slotMs) / words.slotMs;
    if (!Number.isInteger(spanSlots) || spanSlots < 1 || spanSlots > MOST_SPAN_SLOTS) {
      return `decoding.words.spanMs: expected 1 to ${MOST_SPAN_SLOTS} slots of ${words.slotMs} ms, got ${decoding.words.spanMs}`;
    }
  }
  if (say) {
    if (!say.classes.includes(say.silent)) return `outputs.say.silent: ${say.silent} is not among the classes`;
    const stranger = Object.keys(say.acts).find((name) => !say.classes.includes(name));
    if (stranger !== undefined) return `outputs.say.acts.${stranger}: not among the classes`;
    const unshown = Object.keys(say.shows).find((name) => !say.classes.includes(name));
    if (unshown !== undefined) return `outputs.say.shows.${unshown}: not among the classes`;
  }
  for (const role of ['said', 'text'] as const) {
    const problem = unreadable(manifest, role);
    if (problem) return `inputs.${role}.${problem}`;
  }
  const unknownFloor = Object.keys(decoding.floor.thresholds).find((name) => !floors.includes(name as Floor));
  if (unknownFloor !== undefined) return `decoding.floor.thresholds.${unknownFloor}: not a floor`;
  const unknownAct = Object.keys(decoding.act.thresholds).find((name) => !acts.includes(name as (typeof acts)[number]));
  if (unknownAct !== undefined) return `decoding.act.thresholds.${unknownAct}: not an act`;

  const tensors = [
    ...Object.entries(inputs).flatMap(([role, input]) => (input ? [{ at: `inputs.${role}`, ...input }] : [])),
    ...states.map((state, i) => ({ at: `states.${i}`, tensor: state.input, shape: state.shape })),
  ];
  const fetched = [
    ...Object.entries(outputs).flatMap(([role, output]) => (output ? [{ at: `outputs.${role}`, ...output }] : [])),
    ...states.map((state, i) => ({ at: `states.${i}`, tensor: state.output, shape: state.shape })),
  ];
  for (const side of [tensors, fetched]) {
    const seen = new Set<string>();
    for (const { at, tensor, shape } of side) {
      if (shape[0] !== graph.batch)
        return `${at}.shape: expected to start with "${graph.batch}", got ${JSON.stringify(shape)}`;
      if (seen.has(tensor)) return `${at}: the tensor ${tensor} is named twice`;
      seen.add(tensor);
    }
  }
  return undefined;
}
