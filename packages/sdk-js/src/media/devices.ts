import type { MicroturnError } from '@microturn/protocol';
import type { Observable } from 'rxjs';
import type { State } from '../state.js';

export interface DeviceInfo {
  readonly deviceId: string;
  /** Empty until the user has allowed the microphone, or the camera. */
  readonly label: string;
}

export interface InputState {
  /**
   * `muted`: by `setMuted()`, or since the app has turned its track off. `silenced`: by the system, the browser or a switch on the device; it is live again, or muted, where
   * that ends. `ended`: the device went away while it was live (`media/not-found`), or the user forbade it (`media/permission`). A screen that the user shares no more is `off`.
   */
  readonly status: 'off' | 'requesting' | 'live' | 'muted' | 'silenced' | 'ended' | 'failed';
  /** By `setMuted()`; also while it is off, since a call then begins muted. */
  readonly muted: boolean;
  readonly deviceId?: string;
  readonly devices: readonly DeviceInfo[];
  /**
   * Why it failed or ended; of one that is live or muted, why it is not sent, another was not taken in its place, or the edge was not told
   * of `setMuted()`, which the device itself follows at once.
   */
  readonly error?: MicroturnError;
}

export interface InputDevice {
  readonly state: State<InputState>;
  /** The track that is sent, for visualisers and recorders. */
  readonly track: State<MediaStreamTrack | undefined>;
  /** RMS in [0, 1], 20 times a second. Measured only while somebody is subscribed. */
  readonly level$: Observable<number>;
  /**
   * Opens the device, and sends it when the session is connected. Harmless when it is open.
   * @throws {MicroturnError} `media/permission`, `media/not-found`, `media/in-use`, `media/insecure`, `media/unsupported`,
   *   `auth/forbidden` where the token does not allow it, `net/closed` where the call ended meanwhile
   */
  enable(): Promise<void>;
  /** Releases the device, and ends what is sent of it. */
  disable(): Promise<void>;
  /** Sends silence, and says so to the edge; the device stays open. Before a call, and between two, it is for the next. */
  setMuted(muted: boolean): Promise<void>;
  /**
   * Changes over to another device, at once where one is live; else it is the one for the next `enable()`, where it is there then. Of
   * several choices in a row the last counts.
   * @throws {MicroturnError} as `enable()`; what was live goes on
   */
  select(deviceId: string): Promise<void>;
}

export interface VideoOptions {
  /**
   * A track of the app, which stays the app's to stop; or what the device is to be like, beside the defaults: a camera of 640×360 at 24
   * frames a second, a screen of at most 1920×1080 at 15.
   */
  readonly source?: MediaStreamTrack | MediaTrackConstraints;
  /**
   * Shows the LLM of a recipe the newest frame once a second, as `session.show()` does, until it is turned off or muted. The model of
   * the floor sees none. It ends with an error in `session.errors` where the call's model looks at no pictures.
   */
  readonly show?: boolean;
}

/** A camera or a screen. */
export interface VideoDevice {
  readonly state: State<InputState>;
  /** The track that is sent. `session.attachVideo()` shows it. */
  readonly track: State<MediaStreamTrack | undefined>;
  /**
   * Opens the device, and sends it when the session is connected; where that is not allowed, the device is released. Harmless
   * when it is open, but for what `options` change.
   * @throws {MicroturnError} `auth/forbidden` where the token does not allow it, without the user being asked where that is known
   */
  enable(options?: VideoOptions): Promise<void>;
  /** Releases the device, and others see it no more. */
  disable(): Promise<void>;
  /** Sends no picture, and says so to the edge; the device stays open. It ends with `disable()`. */
  setMuted(muted: boolean): Promise<void>;
}

export interface CameraDevice extends VideoDevice {
  /** Changes over to another camera, as `InputDevice.select()`. */
  select(deviceId: string): Promise<void>;
}

export interface OutputState {
  /** The browser refuses to play before the user acts, or the system has paused it: call `unlock()` in a click or key handler. */
  readonly blocked: boolean;
  /** In [0, 1]. */
  readonly volume: number;
  readonly muted: boolean;
  /** Whether the agent's voice is lowered as soon as the user begins to speak. */
  readonly ducking: boolean;
  /** It is lowered now. */
  readonly ducked: boolean;
  /** The one that was chosen, while it is there; absent where the system's own plays. */
  readonly deviceId?: string;
  readonly devices: readonly DeviceInfo[];
}

export interface OutputDevice {
  readonly state: State<OutputState>;
  /** RMS of the agent's voice in [0, 1], 20 times a second. Measured only while somebody is subscribed. */
  readonly level$: Observable<number>;
  /**
   * Starts playback from a user's gesture.
   * @throws {MicroturnError} `media/blocked` where the browser still refuses
   */
  unlock(): Promise<void>;
  /**
   * Of all that is played; at 0, as when muted, the edge is told that nothing is heard.
   * @param volume in [0, 1]
   * @throws {RangeError}
   */
  setVolume(volume: number): void;
  /** The listener hears nothing, and the edge is told so. */
  setMuted(muted: boolean): void;
  /**
   * Lowers the agent's voice, from now on, while the user speaks and the model has not decided yet. It is no stop: the voice
   * comes back when the model goes on. Where a page cannot set the volume (iOS), nothing is lowered.
   */
  setDucking(ducking: boolean): void;
  /**
   * Plays through another loudspeaker. While that is unplugged the system's own plays, and again the chosen one when it is back.
   * @throws {MicroturnError} `media/unsupported` where the browser does not let a page choose, or does not know the device
   */
  select(deviceId: string): Promise<void>;
}
