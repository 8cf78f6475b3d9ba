import type { Floor, MicroturnError } from '@microturn/protocol';

/** What can be fed to a graph. */
export const inputRoles = [
  'pcm',
  'ref',
  'lost',
  'play',
  'said',
  'text',
  'frame',
  'has_frame',
  'active',
  'reset',
] as const;
export type InputRole = (typeof inputRoles)[number];

/** Identifies one loan of one row, never reused: a result that carries an old one belongs to nobody any more. */
export type LeaseId = number;

/** One micro-turn of one participant, as the media thread posts it to the engine thread (buffers transferred). */
export interface MicroTurn {
  readonly lease: LeaseId;
  /** From 0 at the session's first lease; a missed one keeps its index. */
  readonly index: number;
  /** [samples] mono in [-1, 1] at the bundle's `inputHz`. */
  readonly pcm: Float32Array;
  /** What the agent's voice played at this listener in that time, aligned by their clock; absent where nothing did. */
  readonly ref?: Float32Array;
  /** Share of `pcm` that was concealed, 0 to 1. */
  readonly lost: number;
  /** 1 while the agent is audible to this listener. */
  readonly play: number;
  /** Monotonic ms at which the micro-turn was due to end: what lateness is measured from. */
  readonly dueMs: number;
}

export interface DecodedWord {
  /** As in the bundle's class list; its unknown class comes as `<unk>`. */
  readonly text: string;
  /** Session ms, to the bundle's slot. */
  readonly endMs: number;
  readonly confidence: number;
}

export const acts = [
  'stop',
  'continue',
  'commit',
  'relay',
  'delegate',
  'cancel',
  'show',
  'backchannel',
  'remind',
  'note',
  'handle',
  'repeat',
  'louder',
  'quieter',
  'slower',
  'faster',
] as const;
export type Act = (typeof acts)[number];

/** What the runtime tells a model that reads: that something waits for its word, or how old something is. */
export const marks = [
  /** The background has something to say that nobody says yet. */
  'result',
  /** A draft answers what the user has said so far. */
  'draft',
  /** What was offered last is void. */
  'dropped',
  /** What follows is how old a note is, and its words. */
  'age',
  /** In place of each of the age's words, where that note has all of them, one after the other. */
  'same',
] as const;
export type Mark = (typeof marks)[number];

/** What a model is told besides what it hears. One that does not read takes no notice. */
export type Perceived =
  /** The user has sent a message. */
  | { readonly type: 'typed'; readonly text: string }
  /** The listener has heard these words of the agent. */
  | { readonly type: 'heard'; readonly text: string }
  | { readonly type: 'mark'; readonly mark: Mark }
  /** The user asked for this so long ago, and the model noted it. */
  | { readonly type: 'age'; readonly seconds: number; readonly text: string };

/** A word that the model shows and does not speak: more of what is read on one surface of the page. */
export interface ShownWord {
  readonly surface: string;
  readonly text: string;
  /** The user's word that it stands for. */
  readonly of?: string | undefined;
}

/** What the model decided in one micro-turn. Thresholds have been applied: they are the bundle's, not the runtime's. */
export interface Decision {
  readonly lease: LeaseId;
  readonly index: number;
  /** User words that ended, in order. */
  readonly words: readonly DecodedWord[];
  readonly floor: Floor;
  readonly confidence: number;
  /** What the agent says from this micro-turn on; empty is silence, an explicit decision. */
  readonly say: string;
  /** More words of this answer follow: saying nothing now is not its end. */
  readonly more?: boolean;
  readonly acts: readonly Act[];
  /** The response that the user spoke into before it can have been heard, or replaced: this one ends, and nothing else does. */
  readonly takesBack?: string;
  readonly shown?: readonly ShownWord[];
  /** The model's run, ms. */
  readonly stepMs: number;
  /** Rows that shared it; absent where it was this one alone. */
  readonly stepRows?: number;
  /** From `dueMs` to the decision, ms. */
  readonly lagMs: number;
  /** The model's numbers were unusable: it decided nothing, and remembers nothing of this micro-turn. */
  readonly muted?: true;
}

/** Where a model runs, and what may be asked for. */
export const providerChoices = ['auto', 'cpu', 'webgpu', 'cuda'] as const;
export type ProviderChoice = (typeof providerChoices)[number];
export type Provider = Exclude<ProviderChoice, 'auto'>;

/** What the rest of the edge may know of a bundle. */
export interface ModelInfo {
  readonly name: string;
  readonly version: string;
  readonly microTurnMs: number;
  readonly inputHz: number;
  readonly capabilities: readonly string[];
  /** What it takes in each micro-turn: what it does not take need not be made. */
  readonly inputs?: readonly InputRole[] | undefined;
  /** What it can decide besides words and floor. */
  readonly acts?: readonly Act[] | undefined;
  /**
   * It reads messages, `perTurn` words in a micro-turn. `delegates`: also those away that it does not answer itself. `same`: it is told
   * where a note has the words of its age, and reads these forms as those words.
   */
  readonly reads?:
    | {
        readonly delegates: boolean;
        readonly perTurn: number;
        readonly same?: Readonly<Record<string, string>> | undefined;
      }
    | undefined;
  /** When the agent may say what a background task has found, where the model does not decide that by `relay`. */
  readonly relay?: { readonly floors: readonly Floor[]; readonly quietMs: number } | undefined;
  /** Which utterances become tasks, where the model does not decide that by `delegate`. */
  readonly delegate?: { readonly minSpeechMs: number; readonly pauseMs: number } | undefined;
  /** It tells each utterance once all its words are known: those in its decisions may come after its end. */
  readonly tellsUtterances?: boolean | undefined;
}

/** What a row goes on from that was set back; from nothing where neither is given. */
export interface Recovery {
  /** From what it remembered so long ago. */
  readonly snapshotAgeMs?: number | undefined;
  /** From nothing, and then it heard the last so many ms again. */
  readonly replayedMs?: number | undefined;
}

/** How a stream is opened. */
export interface StreamOptions {
  /** The model gave this stream up, and closed it: no decision follows. */
  readonly onFailed?: ((error: MicroturnError) => void) | undefined;
  /** The stream was set back, and goes on. */
  readonly onReset?: ((error: MicroturnError, recovery: Recovery) => void) | undefined;
  /** The place that its micro-turns are timed for, where a model steps several together; the lowest free one by default. */
  readonly row?: number | undefined;
}

/** One participant's stream through a model. Calls are made in order of `turn.index`. */
export interface InteractionStream {
  /**
   * Takes one micro-turn; the decision arrives at the `onDecision` given to `open`.
   * @throws {RangeError} if `pcm` is not one micro-turn long
   */
  push(turn: MicroTurn): void;
  /** Is known to the micro-turns that are decided from now on. */
  perceive(perceived: Perceived): void;
  /** Gives the row back; its state is cleared before it is let again. Closing twice is harmless. */
  close(): void;
}

/**
 * A model that hears every micro-turn and decides. Implementations: a bundle on ONNX Runtime, and the public
 * scripted fake; one contract suite runs against all.
 */
export interface InteractionModel {
  readonly info: ModelInfo;
  /** Rows that can be open at once. */
  readonly rows: number;
  /** @throws {MicroturnError} `edge/full` where every row is leased */
  open(lease: LeaseId, onDecision: (decision: Decision) => void, options?: StreamOptions): InteractionStream;
  close(): Promise<void>;
}

/** How the engine has kept up. Counts are since its start, percentiles of about the last 2000. */
export interface EngineStats {
  readonly leases: number;
  /** Runs of the graph; one advances every row of a lane that has a micro-turn. */
  readonly steps: number;
  /** Decisions that came more than one micro-turn after it was due. */
  readonly late: number;
  /** Micro-turns that were given up because too many waited. Each is decided as silence, and late. */
  readonly dropped: number;
  /** Micro-turns whose outputs were unusable, and which decided nothing. */
  readonly muted: number;
  readonly stepP50Ms: number;
  readonly stepP99Ms: number;
  readonly lagP50Ms: number;
  readonly lagP99Ms: number;
}
