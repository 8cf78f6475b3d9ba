import { loadBundle } from '../../packages/edge/src/engine/bundle.js';
import { OnnxModel } from '../../packages/edge/src/engine/onnx-model.js';
import type { Decision, MicroTurn } from '../../packages/edge/src/engine/types.js';
import { VirtualCall } from '../../packages/edge/src/media/testing/virtual-call.js';
import { FliteVoice } from '../../packages/edge/src/voice/flite.js';
import { resample } from '../call/resample.js';
import { speak, type EspeakVoice } from '../fixtures/speech.js';

const RATE_HZ = 16_000;
/** Before the first response, and from one to the next. */
const LEAD_MS = 1_000;
const EVERY_MS = 6_000;
/** Into a response, when the user talks over it. */
const REMARK_AT_MS = 1_500;
/** A stop belongs to what the user said if it comes within this. */
const ANSWER_MS = 2_000;
/** From the last sample's due time until the listener is known to have heard it: a later stop stops nothing. */
const HEARD_MS = 150;

const SENTENCES = [
  'The library opens at nine in the morning, and it closes at six in the evening.',
  'You can take the second train from platform four, which stops at every station.',
  'We were all away in a narrow alley where a lonely owl was whirling around the moon.',
  'Put the flour and the sugar into a bowl, and stir them with a large wooden spoon.',
  'There are two meetings on Monday, one with the designers and one with the sales team.',
  'The weather will be mild tomorrow, with a little rain in the north and sun in the south.',
  'He wrote a long letter to his sister, and then he walked to the post office to send it.',
  'My favourite part of the story is the moment when the old captain comes home again.',
  'If you press the green button twice, the machine will print the whole list for you.',
  'They planted apple trees along the river, and their children play there every summer.',
];
const USERS: readonly EspeakVoice[] = [
  { accent: 'en-us', variant: 'm3', rate: 150, pitch: 45 },
  { accent: 'en-gb-x-rp', variant: 'f2', rate: 150, pitch: 55 },
  { accent: 'en-gb-scotland', variant: 'm7', rate: 145, pitch: 40 },
  { accent: 'en-us', variant: 'f4', rate: 155, pitch: 60 },
  { accent: 'en-gb-x-rp', variant: 'm1', rate: 150, pitch: 50 },
];

export interface EchoOptions {
  readonly echo?: { readonly levelDb: number; readonly delayMs: number };
  /** The user says "wait, stop" over every response. */
  readonly remarks?: boolean;
  /** Of ten. */
  readonly sentences?: number;
}

export interface EchoResult {
  readonly responses: number;
  /** Responses that the model would have stopped: by its own echo, or, with remarks, because the user said so. */
  readonly stopped: number;
  /** Words that it took for the user's where the user said nothing. */
  readonly words: number;
}

/** A bundle in calls of which it hears its own voice again, in virtual time: real speech, Opus, media path and model. */
export class EchoCalls implements AsyncDisposable {
  readonly #model: OnnxModel;
  /** The model is told what the agent plays. */
  readonly takesRef: boolean;
  #lease = 0;

  private constructor(model: OnnxModel, takesRef: boolean) {
    this.#model = model;
    this.takesRef = takesRef;
  }

  static async open(bundleDir: string): Promise<EchoCalls> {
    const bundle = await loadBundle(bundleDir);
    const model = await OnnxModel.load(bundle, { rows: 1 });
    return new EchoCalls(model, bundle.manifest.inputs.ref !== undefined);
  }

  get name(): string {
    const { name, version } = this.#model.info;
    return `${name} ${version}`;
  }

  /** The agent says its sentences and is stopped by nothing, so that each can be judged. */
  async run({ echo, remarks = false, sentences = SENTENCES.length }: EchoOptions): Promise<EchoResult> {
    const lengthMs = LEAD_MS + sentences * EVERY_MS;
    const call = new VirtualCall(lengthMs, echo && { echo });
    const starts = Array.from({ length: sentences }, (_, i) => LEAD_MS + i * EVERY_MS);
    const ends: number[] = [];
    for (const [i, startMs] of starts.entries()) {
      if (remarks) call.hear(await userSays(USERS[i % USERS.length]!), startMs + REMARK_AT_MS);
      call.pass(startMs - call.nowMs);
      let endMs = startMs;
      for (const { pcm, rateHz } of await agentSays(SENTENCES[i]!)) {
        call.downlink.say({ responseId: `r${i}`, pcm, rateHz, last: false });
        endMs += (pcm.length * 1000) / rateHz;
      }
      ends.push(endMs + HEARD_MS);
      call.downlink.say({ responseId: `r${i}`, pcm: new Float32Array(0), rateHz: RATE_HZ, last: true });
    }
    call.pass(lengthMs - call.nowMs);
    call.close();
    const decisions = await this.#decide(call.turns);
    const stopsAtMs = decisions.filter(({ acts }) => acts.includes('stop')).map(({ index }) => (index + 1) * 200);
    const stopped = starts.filter((startMs, i) => {
      const [from, to] = remarks ? [startMs + REMARK_AT_MS, startMs + REMARK_AT_MS + ANSWER_MS] : [startMs, ends[i]!];
      return stopsAtMs.some((ms) => ms > from && ms <= to);
    });
    return {
      responses: starts.length,
      stopped: stopped.length,
      words: remarks ? 0 : decisions.reduce((sum, { words }) => sum + words.length, 0),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#model.close();
  }

  async #decide(turns: readonly MicroTurn[]): Promise<Decision[]> {
    const lease = ++this.#lease;
    const decisions: Decision[] = [];
    let decided = () => {};
    const stream = this.#model.open(lease, (decision) => {
      decisions.push(decision);
      decided();
    });
    for (const turn of turns) {
      const next = new Promise<void>((resolve) => (decided = resolve));
      stream.push({ ...turn, lease });
      await next;
    }
    stream.close();
    return decisions;
  }
}

interface Clause {
  readonly pcm: Float32Array;
  readonly rateHz: number;
}
const said = new Map<string, Promise<readonly Clause[]>>();
let voice: Promise<FliteVoice> | undefined;

function agentSays(text: string): Promise<readonly Clause[]> {
  let clauses = said.get(text);
  if (!clauses) said.set(text, (clauses = synthesise(text)));
  return clauses;
}

async function synthesise(text: string): Promise<readonly Clause[]> {
  voice ??= FliteVoice.open();
  const clauses: Clause[] = [];
  for await (const { pcm, rateHz } of (await voice).speak(text)) clauses.push({ pcm, rateHz });
  return clauses;
}

async function userSays(user: EspeakVoice): Promise<Float32Array> {
  return resample(await speak('Wait, stop.', user), RATE_HZ).samples;
}
