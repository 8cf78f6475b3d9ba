import { MicroturnError } from '@microturn/protocol';
import type { Observable, Subscription } from 'rxjs';
import type { Clock } from '../clock.js';
import { newest } from '../newest.js';
import { oneAfterAnother } from '../one-after-another.js';
import { StateSource, type State } from '../state.js';
import { devicesOf } from './device-list.js';
import type { DeviceInfo, OutputDevice, OutputState } from './devices.js';
import { levelOfCurrent } from './level.js';
import type { MediaPlatform } from './platform.js';

export interface SpeakerParts {
  readonly media: MediaPlatform;
  readonly clock: Clock;
  /** The agent's voice, for the level. */
  readonly agentTrack: State<MediaStreamTrack | undefined>;
  /** The app's own element for the agent's voice. */
  readonly agentElement?: HTMLAudioElement | undefined;
  /** The user's own: a browser names no loudspeaker before it has opened one, and does not say when it would. */
  readonly microphone: State<MediaStreamTrack | undefined>;
  /** Called when the listener begins or ceases to hear anything at all. */
  onAudible(audible: boolean): void;
}

interface Output {
  readonly element: HTMLAudioElement;
  readonly isAgent: boolean;
  /** The browser refused to play it, or something else has paused it. */
  blocked: boolean;
  readonly removed: AbortController;
}

/** Plays every received audio track, each in an element of its own. */
export class Speaker implements OutputDevice {
  readonly state = new StateSource<OutputState>({
    blocked: false,
    volume: 1,
    muted: false,
    ducking: true,
    ducked: false,
    devices: [],
  });
  readonly level$: Observable<number>;
  readonly #media: MediaPlatform;
  readonly #agentElement: HTMLAudioElement | undefined;
  readonly #microphone: State<unknown>;
  readonly #onAudible: (audible: boolean) => void;
  readonly #outputs = new Map<string, Output>();
  /** While there is something to play. */
  #listing: Subscription | undefined;
  /** What `select()` asked for; whether it is listed, undefined where it never was. */
  #chosen: string | undefined;
  readonly #choosing = oneAfterAnother();
  #there: boolean | undefined;
  #agentGain = 1;
  #closed = false;

  constructor({ media, clock, agentTrack, agentElement, microphone, onAudible }: SpeakerParts) {
    this.#media = media;
    this.#agentElement = agentElement;
    this.#microphone = microphone;
    this.#onAudible = onAudible;
    this.level$ = levelOfCurrent(agentTrack, { clock, media });
  }

  /** Whether the listener's device renders sound now. */
  get audible(): boolean {
    const { blocked, muted, volume } = this.state.value;
    return !blocked && !muted && volume > 0;
  }

  async unlock(): Promise<void> {
    if (this.#closed) throw new MicroturnError('session/closed');
    await Promise.all([...this.#outputs.values()].map((output) => this.#play(output)));
    if (this.state.value.blocked) throw new MicroturnError('media/blocked');
  }

  setVolume(volume: number): void {
    if (!(typeof volume === 'number' && volume >= 0 && volume <= 1)) {
      throw new RangeError(`expected a volume in [0, 1], got ${volume}`);
    }
    this.#patch({ volume });
    this.#apply();
  }

  setMuted(muted: boolean): void {
    this.#patch({ muted });
    this.#apply();
  }

  setDucking(ducking: boolean): void {
    this.#patch({ ducking });
  }

  /** Lowers the agent's voice under the volume that was set; 1 is all of it. */
  lowerAgent(gain: number): void {
    this.#agentGain = gain;
    this.#apply();
    this.#patch({ ducked: gain < 1 });
  }

  select(deviceId: string): Promise<void> {
    // A browser that is asked twice at once may be done with the first one last.
    return this.#choosing(async () => {
      if (this.#closed) throw new MicroturnError('session/closed');
      try {
        await Promise.all([...this.#outputs.values()].map(({ element }) => setSink(element, deviceId)));
      } catch (error) {
        throw MicroturnError.from(error, 'media/unsupported');
      }
      this.#chosen = deviceId;
      // One that is chosen before it is there is taken when it comes.
      this.#there = isAmong(this.state.value.devices, deviceId) || undefined;
      this.#patch({ deviceId });
    });
  }

  /** Plays a track; `blocked` says where the browser does not let it. */
  add(id: string, track: MediaStreamTrack, isAgent: boolean): void {
    if (this.#closed || track.kind !== 'audio') return;
    this.remove(id);
    // The app's element is for the first of the agent's voices: the room's.
    const taken = [...this.#outputs.values()].some(({ element }) => element === this.#agentElement);
    const element = (isAgent && !taken && this.#agentElement) || this.#media.createAudioElement();
    element.srcObject = this.#media.createStream([track]);
    const output: Output = { element, isAgent, blocked: false, removed: new AbortController() };
    this.#outputs.set(id, output);
    // What the system pauses, as for a telephone call, it does not always play again; nor is it heard meanwhile.
    const { signal } = output.removed;
    element.addEventListener('pause', () => this.#setBlocked(output, true), { signal });
    element.addEventListener('playing', () => this.#setBlocked(output, false), { signal });
    this.#apply();
    const { deviceId } = this.state.value;
    if (deviceId !== undefined) setSink(element, deviceId).catch(() => undefined);
    this.#play(output).catch(() => undefined);
    this.#listing ??= newest(this.#microphone, () => devicesOf(this.#media, 'audiooutput')).subscribe((devices) =>
      this.#list(devices),
    );
  }

  remove(id: string): void {
    const output = this.#outputs.get(id);
    if (!output) return;
    this.#outputs.delete(id);
    output.removed.abort();
    output.element.pause();
    output.element.srcObject = null;
    this.#showBlocked();
  }

  /** The call is over. */
  release(): void {
    for (const id of this.#outputs.keys()) this.remove(id);
    this.#listing?.unsubscribe();
    this.#listing = undefined;
  }

  close(): void {
    this.release();
    this.#closed = true;
    this.state.close();
  }

  /** A browser plays to nobody what is to go to a device that is unplugged: the system's own takes its place meanwhile. */
  #list(devices: readonly DeviceInfo[]): void {
    this.#patch({ devices });
    const chosen = this.#chosen;
    // Without the permission, a browser tells of devices and not which they are.
    if (chosen === undefined || devices.some(({ deviceId }) => deviceId === '')) return;
    const isThere = isAmong(devices, chosen);
    if (isThere === this.#there || (!isThere && this.#there === undefined)) return;
    this.#there = isThere;
    for (const { element } of this.#outputs.values()) setSink(element, isThere ? chosen : '').catch(() => undefined);
    this.#patch({ deviceId: isThere ? chosen : undefined });
  }

  async #play(output: Output): Promise<void> {
    try {
      await output.element.play();
      this.#setBlocked(output, false);
    } catch (error) {
      // Anything else is a track that was replaced or removed while it started.
      if ((error as { name?: unknown }).name === 'NotAllowedError') this.#setBlocked(output, true);
    }
  }

  #setBlocked(output: Output, blocked: boolean): void {
    output.blocked = blocked;
    this.#showBlocked();
  }

  #showBlocked(): void {
    this.#patch({ blocked: [...this.#outputs.values()].some(({ blocked }) => blocked) });
  }

  #apply(): void {
    const { volume, muted } = this.state.value;
    for (const { element, isAgent } of this.#outputs.values()) {
      element.volume = isAgent ? volume * this.#agentGain : volume;
      // A page cannot set the volume on iOS, but it can mute.
      element.muted = muted || volume === 0;
    }
  }

  #patch(fields: { readonly [K in keyof OutputState]?: OutputState[K] | undefined }): void {
    const next = { ...this.state.value, ...fields };
    const keys = Object.keys(fields) as (keyof OutputState)[];
    if (!keys.some((key) => next[key] !== this.state.value[key])) return;
    const before = this.audible;
    const { deviceId, ...rest } = next as OutputState;
    this.state.set(deviceId === undefined ? rest : { ...rest, deviceId });
    if (this.audible !== before) this.#onAudible(this.audible);
  }
}

function isAmong(devices: readonly DeviceInfo[], id: string): boolean {
  return devices.some(({ deviceId }) => deviceId === id);
}

async function setSink(element: HTMLAudioElement, deviceId: string): Promise<void> {
  if (!('setSinkId' in element)) throw new MicroturnError('media/unsupported', 'choosing a loudspeaker');
  await element.setSinkId(deviceId);
}
