import { MicroturnError } from '@microturn/protocol';
import type { Publication } from '../connection/transport.js';
import { oneAfterAnother, type Turns } from '../one-after-another.js';
import { StateSource } from '../state.js';
import { devicesOf } from './device-list.js';
import type { InputState, VideoDevice, VideoOptions } from './devices.js';
import { inputKinds, type InputKind, type InputName } from './input-kinds.js';
import { toMediaError } from './media-error.js';
import type { MediaPlatform } from './platform.js';
import { whyEnded } from './why-ended.js';

/** A track of the app; or what the device is to be like. */
export type InputSource = MediaStreamTrack | MediaTrackConstraints;

/** Sends a track, once there is a call to send it in. */
export type Publish = (track: MediaStreamTrack) => Promise<Publication>;

export interface InputParts {
  readonly media: MediaPlatform;
  readonly source: InputName;
  /** False where the token of the call does not allow it; true where nobody knows yet. */
  readonly mayPublish?: () => boolean;
}

type Outcome = { readonly [K in 'status' | 'error']: InputState[K] | undefined };

/** One input of a session: opens the device, sends it, and says what becomes of it. */
export class Input implements VideoDevice {
  readonly state = new StateSource<InputState>({ status: 'off', muted: false, devices: [] });
  readonly track = new StateSource<MediaStreamTrack | undefined>(undefined);
  /** The track whose frames the agent is to be shown. */
  readonly shown = new StateSource<MediaStreamTrack | undefined>(undefined);
  readonly #media: MediaPlatform;
  readonly #source: InputName;
  readonly #kind: InputKind;
  readonly #mayPublish: () => boolean;
  #given: MediaStreamTrack | undefined;
  /** What was opened here, and is to be stopped here. */
  #own: MediaStreamTrack | undefined;
  #constraints: MediaTrackConstraints;
  #publish: Publish | undefined;
  #publication: Publication | undefined;
  #deviceId: string | undefined;
  #choices = 0;
  #muted = false;
  /** How the track was given; on as well once the user has decided. */
  #wasOn = true;
  /** It is muted because the app had turned its track off, and as long as there is that track. */
  #mutedByApp = false;
  /** What the edge was told of the publication that there is; undefined where nobody knows. */
  #toldMuted: boolean | undefined;
  /** That the edge was not told of it: in the state until it is. */
  #muteFailure: MicroturnError | undefined;
  #show = false;
  #closed = false;
  /** Counts releases: a device that opens after one is let go at once. */
  #epoch = 0;
  #unlisten: (() => void) | undefined;
  /** One change at a time: devices are slow, and users are not. Anew with each call: a user may never answer the browser. */
  #devices = oneAfterAnother();
  /** So is sending; but it does not wait for a device, nor a call for the user whom the browser asks for one. */
  readonly #sending = oneAfterAnother();

  constructor({ media, source, mayPublish = () => true }: InputParts) {
    this.#media = media;
    this.#source = source;
    this.#kind = inputKinds[source];
    this.#constraints = this.#kind.defaults;
    this.#mayPublish = mayPublish;
  }

  get #isVideo(): boolean {
    return this.#source !== 'microphone';
  }

  /** What is opened from now on. */
  take(source: InputSource): void {
    this.#given = isTrack(source) ? source : undefined;
    this.#constraints = isTrack(source) ? this.#kind.defaults : { ...this.#kind.defaults, ...source };
  }

  enable({ source, show }: VideoOptions = {}): Promise<void> {
    return this.#inTurn(this.#devices, async () => {
      const track = this.track.value;
      const isOpen = track?.readyState === 'live' && (!source || source === track);
      if (!isOpen) {
        if (this.#isVideo) this.take(source ?? {});
        if (source) this.#deviceId = undefined;
        await this.#changeOver();
      }
      this.#show = show ?? (isOpen && this.#show);
      this.#showFrames();
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
    this.#mutedByApp = false;
    this.#wasOn = true;
    this.#applyMute();
    return this.#inTurn(this.#sending, () => this.#tellMute());
  }

  select(deviceId: string): Promise<void> {
    const choice = ++this.#choices;
    return this.#inTurn(this.#devices, async () => {
      // Passed over, as by whoever goes through a list with the arrow keys.
      if (choice !== this.#choices) return;
      if (this.track.value) {
        await this.#changeOver(deviceId);
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
    this.#devices = oneAfterAnother();
    this.detach();
    this.#stop();
  }

  /** For good. Closing twice is harmless. */
  close(): void {
    this.#closed = true;
    this.release();
    for (const state of [this.state, this.track, this.shown]) state.close();
  }

  /** Opens the device that was chosen, and no other; or what there is, best of all the one that was chosen last. */
  async #open(chosen?: string): Promise<void> {
    const epoch = this.#epoch;
    this.#patch({ status: 'requesting', error: undefined });
    let track: MediaStreamTrack;
    try {
      track = await this.#acquire(chosen);
    } catch (error) {
      const failure = toMediaError(error, this.#source);
      if (epoch !== this.#epoch) throw failure;
      const previous = this.track.value;
      const status = previous?.readyState === 'live' ? this.#liveStatus(previous) : 'failed';
      this.#patch({ status, error: failure });
      throw failure;
    }
    const isOwn = track !== this.#given;
    if (epoch !== this.#epoch && isOwn) track.stop();
    this.#requireEpoch(epoch);
    this.#stopTrack();
    this.#own = isOwn ? track : undefined;
    // Only one that has opened: a choice that failed is none.
    this.#deviceId = chosen ?? this.#deviceId;
    this.#hold(track);
  }

  /** As `#open`, in the place of what is open. */
  async #changeOver(chosen?: string): Promise<void> {
    const epoch = this.#epoch;
    const before = this.#own;
    try {
      await this.#open(chosen);
    } catch (cause) {
      this.#requireEpoch(epoch);
      if (MicroturnError.from(cause, 'media/unsupported').code !== 'media/in-use') throw cause;
      if (before?.readyState !== 'live') throw cause;
      // Many phones open one camera at a time: the other when the first is let go of.
      before.stop();
      await this.#open(chosen).catch((error: unknown) =>
        this.#goBack(before, toMediaError(error, this.#source), epoch),
      );
    }
  }

  /** Another program has the other device: the one before goes on, where it can be had once more. */
  async #goBack(before: MediaStreamTrack, failure: MicroturnError, epoch: number): Promise<never> {
    this.#requireEpoch(epoch);
    try {
      await this.#open(before.getSettings().deviceId);
      await this.#sending(() => this.#send());
      this.#patch({ error: failure });
    } catch {
      this.#requireEpoch(epoch);
      if (this.#isVideo) this.#endVideo({ status: 'failed', error: failure });
      else this.#patch({ error: failure });
    }
    throw failure;
  }

  async #acquire(chosen: string | undefined): Promise<MediaStreamTrack> {
    // Nobody is asked for what could not be sent.
    if (!this.#mayPublish()) throw new MicroturnError('auth/forbidden', `canPublish for ${this.#source}`);
    const preferred = this.#deviceId;
    if (this.#given && chosen === undefined && preferred === undefined) {
      if (this.#given.readyState === 'live') return this.#given;
      throw new MicroturnError('media/not-found', 'the given track has ended');
    }
    const devices = this.#media.devices();
    if (!devices) throw new MicroturnError('media/insecure');
    const stream = await this.#kind.open(devices, {
      ...this.#constraints,
      ...(preferred !== undefined && { deviceId: { ideal: preferred } }),
      ...(chosen !== undefined && { deviceId: { exact: chosen } }),
    });
    const [track] = stream.getTracks();
    if (!track) throw new MicroturnError('media/not-found', `the ${this.#source}`);
    if (this.#kind.hint) track.contentHint = this.#kind.hint;
    return track;
  }

  #hold(track: MediaStreamTrack): void {
    const onEnded = () => this.#onEnded();
    const onSilenced = () => this.#showLive(track);
    track.addEventListener('ended', onEnded);
    for (const event of ['mute', 'unmute']) track.addEventListener(event, onSilenced);
    // From here on, since a browser names no device before it has opened one.
    const { listed } = this.#kind;
    const listing = listed && devicesOf(this.#media, listed).subscribe((devices) => this.#patch({ devices }));
    this.#unlisten = () => {
      track.removeEventListener('ended', onEnded);
      for (const event of ['mute', 'unmute']) track.removeEventListener(event, onSilenced);
      listing?.unsubscribe();
    };
    // One that the app has turned off is not heard until the user says so.
    this.#wasOn = track.enabled;
    if (!track.enabled && !this.#muted) this.#muted = this.#mutedByApp = true;
    this.track.set(track);
    const deviceId = listed && (track.getSettings().deviceId ?? this.#deviceId);
    this.#patch({ ...(deviceId !== undefined && { deviceId }), error: undefined });
    this.#applyMute();
  }

  /** A device went away; or the user has stopped to share the screen, which is their choice and no fault. */
  #onEnded(): void {
    if (this.#source !== 'screen') void this.#tellWhyEnded(this.#source, this.state.value.deviceId);
    const ended = { status: 'ended', error: undefined } as const;
    if (!this.#isVideo) {
      this.#patch(ended);
      return;
    }
    this.#endVideo(this.#source === 'camera' ? ended : undefined);
  }

  /** Others are not to look at its last picture. Where the link is lost, it is gone already. */
  #endVideo(outcome: Outcome | undefined): void {
    const publication = this.#publication;
    this.#publication = undefined;
    this.#stop(outcome);
    this.#sending(async () => publication?.close()).catch(() => undefined);
  }

  /** A moment later: the browser has to be asked. */
  async #tellWhyEnded(source: 'microphone' | 'camera', deviceId: string | undefined): Promise<void> {
    const error = await whyEnded(this.#media, source, deviceId);
    if (this.state.value.status === 'ended') this.#patch({ error });
  }

  /** Whether that went well is in the state, too: a device that is live and not sent looks like one that is. */
  async #send(): Promise<void> {
    const publish = this.#publish;
    const track = this.track.value;
    // One that has ended cannot be sent: the call goes on without it, until another is opened.
    if (!publish || track?.readyState !== 'live') return;
    const tell = (error?: MicroturnError) => {
      // Over the next link it is another matter.
      if (this.#publish === publish) this.#patch({ error });
    };
    try {
      await this.#sendTrack(publish, track);
      tell();
    } catch (cause) {
      const error = MicroturnError.from(cause, 'media/unsupported');
      tell(error);
      throw error;
    }
  }

  async #sendTrack(publish: Publish, track: MediaStreamTrack): Promise<void> {
    if (this.#publication) {
      await this.#publication.replaceTrack(track);
      return this.#tellMute();
    }
    let publication: Publication;
    try {
      publication = await publish(track);
    } catch (error) {
      if (!this.#isVideo) throw error;
      // It is sent over the next link.
      if (this.#publish !== publish) return;
      const failure = MicroturnError.from(error, 'media/unsupported');
      // Nobody is filmed for nothing.
      if (this.track.value === track) this.#stop({ status: 'failed', error: failure });
      throw failure;
    }
    // The call may have ended, or another begun, meanwhile.
    if (this.#publish !== publish || this.track.value !== track) {
      await publication.close();
      return;
    }
    this.#publication = publication;
    this.#toldMuted = false;
    await this.#tellMute();
  }

  /**
   * The newest, whatever was wanted meanwhile: a slow edge is not to be told of each, one after the other. Whether that went well is in
   * the state, too; what else is there, of the device, stays.
   */
  async #tellMute(): Promise<void> {
    const publication = this.#publication;
    const muted = this.#muted;
    if (!publication || this.#toldMuted === muted) return;
    this.#toldMuted = undefined;
    try {
      await publication.setMuted(muted);
    } catch (cause) {
      const error = MicroturnError.from(cause, 'media/unsupported');
      // Over the next link it is told again.
      if (this.#publication === publication) this.#patch({ error: (this.#muteFailure = error) });
      throw error;
    }
    if (this.#publication === publication) this.#toldMuted = muted;
    if (this.#muteFailure === this.state.value.error) this.#patch({ error: undefined });
    this.#muteFailure = undefined;
  }

  #applyMute(): void {
    if (this.#closed) return;
    const track = this.track.value;
    if (track) track.enabled = !this.#muted;
    this.#patch({ muted: this.#muted, ...(track?.readyState === 'live' && { status: this.#liveStatus(track) }) });
    this.#showFrames();
  }

  #showLive(track: MediaStreamTrack): void {
    if (track.readyState === 'live') this.#patch({ status: this.#liveStatus(track) });
  }

  #showFrames(): void {
    this.shown.set(this.#show && !this.#muted ? this.track.value : undefined);
  }

  #liveStatus(track: MediaStreamTrack): InputState['status'] {
    if (this.#muted) return 'muted';
    return track.muted ? 'silenced' : 'live';
  }

  #stop(outcome?: Outcome): void {
    this.#stopTrack();
    // A camera that is turned on is to be seen, whatever was before; a microphone stays muted until the user says otherwise.
    if (this.#isVideo) this.#muted = false;
    this.track.set(undefined);
    this.#showFrames();
    // Why it failed is still of interest when the call is over.
    const off = this.state.value.status === 'failed' ? {} : { status: 'off' as const, error: undefined };
    this.#patch({ ...(outcome ?? off), muted: this.#muted });
  }

  /** The app's own track stays the app's, as it was given, or on where the user has decided about it. */
  #stopTrack(): void {
    this.#unlisten?.();
    this.#unlisten = undefined;
    const track = this.track.value;
    if (track && track === this.#own) track.stop();
    else if (track) track.enabled = this.#wasOn;
    if (this.#mutedByApp) this.#muted = this.#mutedByApp = false;
  }

  #patch(fields: { readonly [K in keyof InputState]?: InputState[K] | undefined }): void {
    const before = this.state.value;
    const keys = Object.keys(fields) as (keyof InputState)[];
    if (keys.every((key) => fields[key] === before[key])) return;
    const { error, ...rest } = { ...before, ...fields } as InputState;
    this.state.set(error ? { ...rest, error } : rest);
  }

  #inTurn(queue: Turns, step: () => Promise<void>): Promise<void> {
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

function isTrack(source: InputSource): source is MediaStreamTrack {
  return typeof source === 'object' && 'readyState' in source;
}
