import type { ObserveInputOptions, TypedField } from './input/observe-input.js';
import type {
  AskResult,
  AudienceChoice,
  InterruptResult,
  MicroturnError,
  SessionEvent,
  SessionEventOf,
  SessionEventType,
  Surfaces,
} from '@microturn/protocol';
import type { Observable } from 'rxjs';
import type { Clock } from './clock.js';
import type { TokenSource } from './connection/token-source.js';
import type { Transport } from './connection/transport.js';
import type {
  AgentResponse,
  AgentState,
  BackgroundTask,
  FloorState,
  InterruptionRecord,
  SessionStats,
  TranscriptEntry,
} from './conversation/types.js';
import type { Logger } from './logger.js';
import type { CameraDevice, InputDevice, OutputDevice, VideoDevice } from './media/devices.js';
import type { DuckingOptions } from './media/ducker.js';
import type { VideoChoice } from './media/video-of.js';
import type { Participant } from './participants.js';
import type { State } from './state.js';
import type { ClientTool } from './tools/page-tools.js';

/**
 * `idle` before a call, and after one that this client left; `reconnecting` where the link, or its media, is lost and looked for: the
 * call goes on. `failed`: the call could not be joined, or has ended without being asked to; `error` says why. `closed` is for good.
 */
export type ConnectionStatus =
  'idle' | 'requesting-media' | 'connecting' | 'connected' | 'reconnecting' | 'closing' | 'closed' | 'failed';

export interface Connection {
  readonly status: ConnectionStatus;
  /** Why it failed, or what was lost while it is `reconnecting`. */
  readonly error?: MicroturnError;
}

/** What the edge said about this session when it was joined. */
export interface SessionInfo {
  readonly sessionId: string;
  readonly room: string;
  /** This user's identity, as their token says. */
  readonly participant: string;
  /** Name and version of the model that answers. */
  readonly model: string;
  /** How often the model decides, ms. */
  readonly microTurnMs: number;
}

/** A track of another participant, or the agent's voice. */
export interface RemoteTrack {
  readonly id: string;
  /** An identity, or `agent`. */
  readonly participant: string;
  readonly source: 'agent' | 'microphone' | 'camera' | 'screen';
  /** Of the agent's voice: who hears it. */
  readonly audience?: AudienceChoice;
  readonly track: MediaStreamTrack;
}

/** The states of one moment: what `until()` looks at. */
export interface Snapshot {
  readonly connection: Connection;
  readonly info: SessionInfo | undefined;
  readonly participants: readonly Participant[];
  readonly agent: AgentState;
  readonly floor: FloorState;
  readonly transcript: readonly TranscriptEntry[];
  readonly responses: readonly AgentResponse[];
  readonly interruptions: readonly InterruptionRecord[];
  readonly tasks: readonly BackgroundTask[];
  readonly surfaces: Surfaces;
  readonly stats: SessionStats | undefined;
}

interface CommonOptions {
  /** Base of the edge, http(s) or ws(s). Default: what the token source says, else the page's own origin. */
  readonly url?: string;
  /**
   * `true` (the default) asks for the microphone on `connect()`; a track or constraints say which, and a track that is not `enabled`
   * begins muted; `false` only listens.
   */
  readonly microphone?: boolean | MediaStreamTrack | MediaTrackConstraints;
  /** Room to ask the token source for, and to hold the token against. */
  readonly room?: string;
  /** Name to ask the token source for. */
  readonly participantName?: string;
  /** Whom the model speaks to: everybody in the room (the default), or this participant alone. The token has the last word. */
  readonly audience?: AudienceChoice;
  /** Who to talk with: one of the edge's recipes (`GET /v1/recipes`), or `nano` for the model alone. */
  readonly recipe?: string;
  /** Plays the agent's voice in this element rather than in one of its own. */
  readonly audioElement?: HTMLAudioElement;
  /**
   * Lowers the agent's voice the moment the user begins to speak, and lets it come back when the model goes on; `true` (the
   * default) by 12 dB, for 600 ms at most. `speaker.setDucking()` changes it later.
   */
  readonly ducking?: boolean | DuckingOptions;
  /** How the edge is reached: `webrtc()` by default, `scriptedTransport()` of `@microturn/sdk/testing` in tests. */
  readonly transport?: Transport;
  /** Default: the browser's. */
  readonly clock?: Clock;
  /** Default: nothing is logged. `console` fits. */
  readonly logger?: Logger;
}

export type SessionOptions = CommonOptions &
  (
    | { readonly token: string; readonly tokenSource?: undefined }
    | { readonly tokenSource: TokenSource; readonly token?: undefined }
  );

/** What makes the text of `ask` a question of its own, whatever it says. */
export interface AskOptions {
  /** A newer task on the same subject supersedes an older one. */
  readonly subject?: string;
  /** JPEG, PNG or WebP: at most four, of at most 1 MiB. A model without `image` among what it `takes` is told that they are there. */
  readonly images?: readonly Blob[];
}

export interface AnswerOptions {
  /** Of the question that the user saw: an answer to one that is over is none to the next. */
  readonly questionId?: string;
}

/**
 * A live conversation with an interaction model.
 * Whatever rejects or throws is a `MicroturnError`, but for a mistake in the code that calls, as a volume of 2: that is a `TypeError` or a
 * `RangeError`. What is asked of a closed session is `session/closed`; to listen or to look there is harmless.
 */
export interface InteractionSession extends AsyncDisposable {
  readonly connection: State<Connection>;
  /** Undefined until the first link of a call is up; it stays when the call has ended. */
  readonly info: State<SessionInfo | undefined>;
  /** What the agent does now. */
  readonly agent: State<AgentState>;
  /** What the model believes about this user: `silent` outside a call. */
  readonly floor: State<FloorState>;
  /** What was said by both sides and what was typed, by time; the last 500 entries. */
  readonly transcript: State<readonly TranscriptEntry[]>;
  /** What the agent said, oldest first, with how much of it was heard; the last 500. As what follows, it begins anew with each call. */
  readonly responses: State<readonly AgentResponse[]>;
  /** Who talked over whom, oldest first; the last 500. */
  readonly interruptions: State<readonly InterruptionRecord[]>;
  /** Background work, oldest first; the last 500. */
  readonly tasks: State<readonly BackgroundTask[]>;
  /**
   * What the page is to show: JSON documents by id, each grown from `{}` by the patches of the app and of background tasks.
   * What a patch leaves as it is keeps its identity. One that does not fit is told of in `errors` (`ui/patch`), and changes nothing.
   */
  readonly surfaces: State<Surfaces>;
  /** Of the link and the model, once a second in a call. */
  readonly stats: State<SessionStats | undefined>;
  /** Who is in the room: this user first, then in the order in which they came. Empty outside a call. */
  readonly participants: State<readonly Participant[]>;
  /** Everybody's tracks, the agent's among them. */
  readonly tracks: State<readonly RemoteTrack[]>;
  /** The agent's voice, for visualisers and recorders; the speaker plays it. */
  readonly agentTrack: State<MediaStreamTrack | undefined>;
  readonly microphone: InputDevice;
  /** Off until `camera.enable()`, and again after each call. Others of the room see it, the agent does not, but for `show`. */
  readonly camera: CameraDevice;
  /** As the camera. The browser asks what to share, and has to be asked in a click. */
  readonly screen: VideoDevice;
  readonly speaker: OutputDevice;
  /**
   * What the states are made of: every event of the call, each once and in order, also over a lost link, after the states have
   * changed. It completes with `close()` and never errors.
   */
  readonly events: Observable<SessionEvent>;
  /** What went wrong without ending the call: the edge's errors, and messages that could not be read. */
  readonly errors: Observable<MicroturnError>;
  /** Session ms now, by the quickest messages of late; 0 before the join. It never goes back in a call. */
  readonly nowMs: number;
  /** `close()` was called: nothing can be asked any more. */
  readonly closed: boolean;

  /**
   * Joins the call; resolves when it is up. All who call it share one call: to abort gives up waiting, and ends the call
   * where nobody else waits for it or has got it.
   * @throws {MicroturnError} what the token source (`auth/token-source` around what is not coded), the microphone (`media/…`), the
   *   network (`net/…`) or the edge (`auth/…`, `edge/full`, `room/full`, `recipe/unknown`) said; `media/unsupported` outside of a
   *   browser; `session/aborted`, `session/closed`. It is in `connection` as well
   */
  connect(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Leaves the call and releases the devices: what is under way rejects with `net/closed`. `connect()` starts a new one. */
  disconnect(): Promise<void>;
  /** Leaves, for good. Closing twice is harmless. */
  close(): Promise<void>;

  /**
   * Silences the agent at once, and tells how much of its response had been heard: `heardMs`, of the audio of `responseId`, which is
   * absent where nothing was being said.
   * @throws {MicroturnError} `net/closed` where no call is up, `net/timeout`
   */
  interrupt(): Promise<InterruptResult>;
  /**
   * Speaks through the agent; the model may still stop it. To whom the model speaks, unless `audience` says otherwise.
   * @throws {MicroturnError} `protocol/malformed` for no text, or more than 4096 characters; `net/closed`, `net/timeout`
   */
  say(text: string, options?: { readonly audience?: AudienceChoice }): Promise<{ responseId: string }>;

  /**
   * Mutes another participant's track, until they unmute it themselves. Needs a token with `roomAdmin`.
   * @throws {MicroturnError} `auth/forbidden`, `room/unknown`
   */
  muteParticipant(identity: string, trackId: string): Promise<void>;
  /**
   * Ends another participant's call, with `session/removed`. Needs a token with `roomAdmin`.
   * @throws {MicroturnError} `auth/forbidden`, `room/unknown`
   */
  removeParticipant(identity: string): Promise<void>;

  /**
   * Asks the background model, typed instead of spoken. The result is in `tasks`, and said when the floor is free. What is
   * about a task under way, such as “never mind” or the answer to its question, goes to that task; `taken` tells.
   * @throws {MicroturnError} `protocol/too-large` and `image/invalid` for images, `protocol/rate` where 16 requests with images wait
   *   already, `protocol/malformed` for no text, or more than 4096 characters, `task/full`, `task/off`; `net/closed`, `net/timeout`
   */
  ask(text: string, options?: AskOptions): Promise<AskResult>;
  /**
   * Adds to a task that goes on ("make it vegetarian"): it begins again with that.
   * @throws {MicroturnError} `task/unknown` where it does not
   */
  amend(taskId: string, text: string): Promise<void>;
  /**
   * Answers the question of a task; `true` or `false` where it asks for approval. A task may have another question at once:
   * give the id of the one that the user saw, else it is the one in `tasks` now.
   * @throws {MicroturnError} `task/unknown` where it asks that no more
   */
  answer(taskId: string, answer: string | boolean, options?: AnswerOptions): Promise<void>;
  /** "Never mind": one task, or all of them where none is named. */
  cancel(taskId?: string): Promise<void>;
  /** The talk is about something else now: what was asked before is not said any more. */
  changeSubject(): Promise<void>;
  /**
   * Offers a function of this page to background tasks, across calls, until the returned function is called. Of several of one name the
   * newest is called. Those that do not fit the 64 KiB of all of them are each an error, by name, on `errors`.
   * @throws {TypeError} where it cannot be offered: its name, description, `parameters` or `execute`; @throws {MicroturnError}
   *   `session/closed`
   */
  registerTool<Arguments = Record<string, unknown>>(tool: ClientTool<Arguments>): () => void;

  /**
   * Sends a typed message, which is taken as if it had been said: for what it says about a task under way, else answered by
   * a recipe's LLM or done by a model that reads; what nobody does anything about is asked as with `ask`. Nothing is sent of an
   * empty one. It is in `transcript`, as `typed`, once the edge has taken it.
   * @throws {MicroturnError} `protocol/too-large` above 2000 characters, `protocol/malformed` where it is no string, `net/closed` where no call is up
   */
  send(text: string): void;
  /**
   * Shows the LLM of a recipe pictures: it sees them with whatever is said or typed from now on, until `show` is called again
   * with that name; with none, it sees none. Frames of a camera or screen are shown this way, once or twice a second: each picture takes
   * a message for every 45 kB, and an edge ends a call that sends more than 50 messages a second for long. Of more than four
   * pictures over all names, those shown first are dropped. Without `image` in `llm.takes` it is told that there are some.
   * @throws {MicroturnError} `protocol/too-large`, `image/invalid`, `protocol/rate` as `ask`, `protocol/state` for a call whose model looks at none
   */
  show(images: readonly Blob[], options?: { readonly name?: string }): Promise<void>;
  /**
   * What there is to see of a participant: undefined while it is off or muted, or they are away or not there. It comes and goes
   * with them, also where a call is resumed.
   */
  videoOf(choice?: VideoChoice): State<MediaStreamTrack | undefined>;
  /**
   * Shows in an element what `videoOf` gives, and nothing while that is none.
   * @returns ends it
   */
  attachVideo(element: HTMLVideoElement, choice?: VideoChoice): () => void;

  /**
   * Lets the agent see what is typed into a field before it is sent, throttled, and of what an input method composes only what
   * came of it. Masked fields (passwords, codes, cards, `data-microturn-private`) never leave the page. What `send` or `ask` takes of it is no longer told as typed.
   * It ends with the session.
   * @returns ends it
   */
  observeInput(element: TypedField, options?: ObserveInputOptions): () => void;

  /** Calls `fn` for every event of one type until `signal` or the returned function ends it. */
  on<T extends SessionEventType>(
    type: T,
    fn: (event: SessionEventOf<T>) => void,
    options?: { readonly signal?: AbortSignal },
  ): () => void;
  /**
   * Resolves with the first snapshot that `predicate` accepts: the one of now, or one of those that follow.
   * @throws {MicroturnError} `net/timeout` after `timeoutMs` (by default never), `session/aborted`, `session/closed`; and what `predicate`
   *   throws, @throws {RangeError} where `timeoutMs` is no number of 0 or more
   */
  until(
    predicate: (snapshot: Snapshot) => boolean,
    options?: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
  ): Promise<Snapshot>;
}
