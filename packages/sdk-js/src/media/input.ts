import { MicroturnError } from '@microturn/protocol';
import type { Observable } from 'rxjs';
import type { Clock } from '../clock.js';
import type { Publication } from '../connection/transport.js';
import { StateSource } from '../state.js';
import { devicesOf } from './device-list.js';
import type { InputDevice, InputState } from './devices.js';
import { levelOfCurrent } from './level.js';
import { toMediaError } from './media-error.js';
import type { MediaPlatform } from './platform.js';

export type MicrophoneSource = true | MediaStreamTrack | MediaTrackConstraints;

/** Sends a track, once there is a call to send it in. */
export type Publish = (track: MediaStreamTrack) => Promise<Publication>;

export interface MicrophoneParts {
  readonly media: MediaPlatform;
  readonly clock: Clock;
  readonly source: MicrophoneSource;
}

const DEFAULTS: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** The one input of a session: opens the device, sends it, and says what becomes of it. */
export class Microphone implements InputDevice {
  readonly state = new StateSource<InputState>({ status: 'off', muted: false, devices: [] });
  readonly track = new StateSource<MediaStreamTrack | undefined>(undefined);
  readonly level$: Observable<number>;
  readonly #media: MediaPlatform;
  readonly #given: MediaStreamTrack | undefined;
  readonly #constraints: MediaTrackConstraints;
  #publish: Publish | undefined;
  #publication: Publication | undefined;
  #deviceId: string | undefined;
  #muted = false;
  #closed = false;
  /** Counts releases: a device that opens after one is let go at once. */
  #epoch = 0;
  #unlisten: (() => void) | undefined;
  /** One change at a time: devices are slow, and users are not. */
  readonly #devices = oneAfterAnother();
  /** So is sending; but it does not wait for a device, nor a call for the user whom the browser asks for one. */
  readonly #sending = oneAfterAnother();

  constructor({ media, clock, source }: MicrophoneParts) {
    this.#media = media;
    this.#given = isTrack(source) ? source : undefined;
    this.#constraints = isTrack(source) || source === true ? DEFAULTS : { ...DEFAULTS, ...source };
    this.level$ = levelOfCurrent(this.track, { clock, media });
  }

  enable(): Promise<void> {
    return this.#inTurn(this.#devices, async () => {
      if (this.track.value?.readyState !== 'live') await this.#open();
      await this.#sending(() => this.#send());
    });
  }

  disable(): Promise<void> {
    return this.#inTurn(this.#devices, async () => {
      const publication = this.#publication;
      this.#publication = undefined;
      this.#stop();
      await publication?.close();
    });
  }

  setMuted(muted: boolean): Promise<void> {
    // At once, whatever the queue and the edge do.
    this.#muted = muted;
    this.#applyMute();
    return this.#inTurn(this.#sending, async () => {
      await this.#publication?.setMuted(muted);
    });
  }

  select(deviceId: string): Promise<void> {
    return this.#inTurn(this.#devices, async () => {
      if (this.track.value) {
        await this.#open(deviceId);
        await this.#sending(() => this.#send());
        return;
      }
      this.#deviceId = deviceId;
      this.#patch({ deviceId });
    });
  }

  /** From now on the track is sent in this call. */
  attach(publish: Publish): Promise<void> {
    return this.#inTurn(this.#sending, () => {
      this.#publish = publish;
      return this.#send();
    });
  }

  /** The link is lost, and its publication with it; the device stays open for the next. */
  detach(): void {
    this.#publish = undefined;
    this.#publication = undefined;
  }

  /** The call is over, and its publication with it; the device is released. */
  release(): void {
    this.#epoch++;
    this.#publish = undefined;
    this.#publication = undefined;
    this.#stop();
  }

  /** For good. Closing twice is harmless. */
  close(): void {
    this.#closed = true;
    this.release();
    this.state.close();
    this.track.close();
  }

  /** Opens the device that was chosen, and no other; or what there is, best of all the one that was chosen last. */
  async #open(chosen?: string): Promise<void> {
    const epoch = this.#epoch;
    this.#patch({ status: 'requesting', error: undefined });
    let track: MediaStreamTrack;
    try {
      track = await this.#acquire(chosen);
    } catch (error) {
      const failure = toMediaError(error);
      if (epoch !== this.#epoch) throw failure;
      const previous = this.track.value;
      const status = previous?.readyState === 'live' ? this.#liveStatus(previous) : 'failed';
      this.#patch({ status, error: failure });
      throw failure;
    }
    if (epoch !== this.#epoch && track !== this.#given) track.stop();
    this.#requireEpoch(epoch);
    this.#stopTrack();
    // Only one that has opened: a choice that failed is none.
    this.#deviceId = chosen ?? this.#deviceId;
    this.#hold(track);
  }

  #acquire(chosen: string | undefined): Promise<MediaStreamTrack> {
    const preferred = this.#deviceId;
    if (this.#given && chosen === undefined && preferred === undefined) {
      return this.#given.readyState === 'live'
        ? Promise.resolve(this.#given)
        : Promise.reject(new MicroturnError('media/not-found', 'the given track has ended'));
    }
    const devices = this.#media.devices();
    if (!devices) return Promise.reject(new MicroturnError('media/insecure'));
    const audio = {
      ...this.#constraints,
      ...(preferred !== undefined && { deviceId: { ideal: preferred } }),
      ...(chosen !== undefined && { deviceId: { exact: chosen } }),
    };
    return devices.getUserMedia({ audio }).then((stream) => {
      const [track] = stream.getAudioTracks();
      if (!track) throw new MicroturnError('media/not-found');
      return track;
    });
  }

  #hold(track: MediaStreamTrack): void {
    const onEnded = () =>
      this.#patch({ status: 'ended', error: new MicroturnError('media/not-found', 'the device went away') });
    const onSilenced = () => this.#showLive(track);
    track.addEventListener('ended', onEnded);
    for (const event of ['mute', 'unmute']) track.addEventListener(event, onSilenced);
    // From here on, since a browser names no device before it has opened one.
    const listing = devicesOf(this.#media, 'audioinput').subscribe((devices) => this.#patch({ devices }));
    this.#unlisten = () => {
      track.removeEventListener('ended', onEnded);
      for (const event of ['mute', 'unmute']) track.removeEventListener(event, onSilenced);
      listing.unsubscribe();
    };
    this.track.set(track);
    const deviceId = track.getSettings().deviceId ?? this.#deviceId;
    this.#patch({ ...(deviceId !== undefined && { deviceId }), error: undefined });
    this.#applyMute();
  }

  async #send(): Promise<void> {
    const track = this.track.value;
    // One that has ended cannot be sent: the call goes on without it, until another is opened.
    if (!this.#publish || track?.readyState !== 'live') return;
    if (this.#publication) {
      await this.#publication.replaceTrack(track);
      return;
    }
    const publish = this.#publish;
    const publication = await publish(track);
    // The call may have ended, or another begun, meanwhile.
    if (this.#publish !== publish || this.track.value !== track) {
      await publication.close();
      return;
    }
    this.#publication = publication;
    if (this.#muted) await publication.setMuted(true);
  }

  #applyMute(): void {
    if (this.#closed) return;
    const track = this.track.value;
    if (track) track.enabled = !this.#muted;
    this.#patch({ muted: this.#muted, ...(track?.readyState === 'live' && { status: this.#liveStatus(track) }) });
  }

  #showLive(track: MediaStreamTrack): void {
    if (track.readyState === 'live') this.#patch({ status: this.#liveStatus(track) });
  }

  #liveStatus(track: MediaStreamTrack): InputState['status'] {
    if (this.#muted) return 'muted';
    return track.muted ? 'silenced' : 'live';
  }

  #stop(): void {
    this.#stopTrack();
    this.track.set(undefined);
    // Why it failed is still of interest when the call is over.
    if (this.state.value.status === 'failed') return;
    this.#patch({ status: 'off', error: undefined });
  }

  /** The app's own track stays the app's, in the state it was given in. */
  #stopTrack(): void {
    this.#unlisten?.();
    this.#unlisten = undefined;
    const track = this.track.value;
    if (track === this.#given) {
      if (track) track.enabled = true;
    } else track?.stop();
  }

  #patch(fields: { readonly [K in keyof InputState]?: InputState[K] | undefined }): void {
    const before = this.state.value;
    const keys = Object.keys(fields) as (keyof InputState)[];
    if (keys.every((key) => fields[key] === before[key])) return;
    const { error, ...rest } = { ...before, ...fields } as InputState;
    this.state.set(error ? { ...rest, error } : rest);
  }

  #inTurn(queue: Queue, step: () => Promise<void>): Promise<void> {
    if (this.#closed) return Promise.reject(new MicroturnError('session/closed'));
    const epoch = this.#epoch;
    const turn = queue(() => {
      this.#requireEpoch(epoch);
      return step();
    });
    return turn.catch((error: unknown) => Promise.reject(MicroturnError.from(error, 'media/unsupported')));
  }

  #requireEpoch(epoch: number): void {
    if (this.#closed) throw new MicroturnError('session/closed');
    if (epoch !== this.#epoch) throw new MicroturnError('net/closed', 'the call was left meanwhile');
  }
}

type Queue = (step: () => Promise<void>) => Promise<void>;

/** Runs each step when those before it have ended, whatever became of them. */
function oneAfterAnother(): Queue {
  let last = Promise.resolve();
  return (step) => {
    const turn = last.then(step);
    last = turn.catch(() => undefined);
    return turn;
  };
}

function isTrack(source: MicrophoneSource): source is MediaStreamTrack {
  return typeof source === 'object' && 'readyState' in source;
}
