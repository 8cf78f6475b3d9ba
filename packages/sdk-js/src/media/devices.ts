import type { MicroturnError } from '@microturn/protocol';
import type { Observable } from 'rxjs';
import type { State } from '../state.js';

export interface DeviceInfo {
  readonly deviceId: string;
  /** Empty until the user has allowed the microphone. */
  readonly label: string;
}

export interface InputState {
  /**
   * `muted`: by `setMuted()`. `silenced`: by the system, the browser or a switch on the device; it is live again, or muted, where
   * that ends. `ended`: the device went away while it was live.
   */
  readonly status: 'off' | 'requesting' | 'live' | 'muted' | 'silenced' | 'ended' | 'failed';
  /** By `setMuted()`; also while it is off, since a call then begins muted. */
  readonly muted: boolean;
  readonly deviceId?: string;
  readonly devices: readonly DeviceInfo[];
  readonly error?: MicroturnError;
}

export interface InputDevice {
  readonly state: State<InputState>;
  /** The track that is sent, for visualisers and recorders. */
  readonly track: State<MediaStreamTrack | undefined>;
  /** RMS in [0, 1], 20 times a second. Measured only while somebody is subscribed. */
  readonly level$: Observable<number>;
  /** Opens the device, and sends it when the session is connected. Harmless when it is open. */
  enable(): Promise<void>;
  /** Releases the device. */
  disable(): Promise<void>;
  /** Sends silence, and says so to the edge; the device stays open. Before a call, and between two, it is for the next. */
  setMuted(muted: boolean): Promise<void>;
  /** Changes over to another device, at once where one is live. */
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
  readonly deviceId?: string;
  readonly devices: readonly DeviceInfo[];
}

export interface OutputDevice {
  readonly state: State<OutputState>;
  /** RMS of the agent's voice in [0, 1], 20 times a second. Measured only while somebody is subscribed. */
  readonly level$: Observable<number>;
  /** Starts playback from a user's gesture. */
  unlock(): Promise<void>;
  setVolume(volume: number): void;
  /** The listener hears nothing, and the edge is told so. */
  setMuted(muted: boolean): void;
  /**
   * Lowers the agent's voice, from now on, while the user speaks and the model has not decided yet. It is no stop: the voice
   * comes back when the model goes on. Where a page cannot set the volume (iOS), nothing is lowered.
   */
  setDucking(ducking: boolean): void;
  select(deviceId: string): Promise<void>;
}
