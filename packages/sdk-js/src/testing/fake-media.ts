import type { FrameSource, MediaPlatform } from '../media/platform.js';

/** As much of a `MediaStreamTrack` as the SDK uses. */
export class FakeTrack extends EventTarget {
  static #made = 0;
  readonly id: string;
  readonly kind: 'audio' | 'video';
  readonly label: string;
  enabled = true;
  muted = false;
  contentHint = '';
  readyState: 'live' | 'ended' = 'live';
  readonly #deviceId: string | undefined;

  constructor(kind: 'audio' | 'video' = 'audio', deviceId?: string) {
    super();
    this.id = `track-${++FakeTrack.#made}`;
    this.kind = kind;
    this.label = deviceId ?? this.id;
    this.#deviceId = deviceId;
  }

  get deviceId(): string | undefined {
    return this.#deviceId;
  }

  getSettings(): MediaTrackSettings {
    return this.#deviceId === undefined ? {} : { deviceId: this.#deviceId };
  }

  stop(): void {
    this.readyState = 'ended';
  }

  /** Its device goes away. */
  end(): void {
    if (this.readyState === 'ended') return;
    this.readyState = 'ended';
    this.dispatchEvent(new Event('ended'));
  }

  /** The system mutes its device, or lets it be heard again. */
  silence(muted: boolean): void {
    this.muted = muted;
    this.dispatchEvent(new Event(muted ? 'mute' : 'unmute'));
  }

  asTrack(): MediaStreamTrack {
    return this as unknown as MediaStreamTrack;
  }
}

/** As much of an `HTMLAudioElement` as the SDK uses. */
export class FakeAudioElement extends EventTarget {
  srcObject: unknown = null;
  volume = 1;
  muted = false;
  sinkId = '';
  playing = false;
  readonly #mayPlay: () => boolean;

  constructor(mayPlay: () => boolean) {
    super();
    this.#mayPlay = mayPlay;
  }

  play(): Promise<void> {
    if (!this.#mayPlay()) return Promise.reject(named('NotAllowedError'));
    this.playing = true;
    this.dispatchEvent(new Event('playing'));
    return Promise.resolve();
  }

  /** By the SDK; or by the system, as for a telephone call, or by the user where the element has controls. */
  pause(): void {
    this.playing = false;
    this.dispatchEvent(new Event('pause'));
  }

  setSinkId(id: string): Promise<void> {
    this.sinkId = id;
    return Promise.resolve();
  }
}

class FakeDevices extends EventTarget {
  readonly list: MediaDeviceInfo[] = [];
  readonly opened: FakeTrack[] = [];
  readonly asked: MediaStreamConstraints[] = [];
  listeners = 0;
  answer: 'ask' | 'allow' | { refuse: string } = 'allow';
  /** What the user allows no more, and whether they would be asked again. */
  readonly revoked = new Map<MediaDeviceKind, Exclude<PermissionState, 'granted'>>();
  #waiting: (() => void)[] = [];

  async getUserMedia(constraints: MediaStreamConstraints): Promise<MediaStream> {
    this.asked.push(constraints);
    if (this.answer === 'ask') await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (typeof this.answer === 'object') throw named(this.answer.refuse);
    const { audio, video } = constraints;
    const { exact, ideal } = wantedDevice(video || audio);
    const wanted = video ? 'videoinput' : 'audioinput';
    if (this.revoked.get(wanted) === 'denied') throw named('NotAllowedError');
    this.revoked.delete(wanted);
    const inputs = this.list.filter(({ kind, deviceId }) => kind === wanted && (!exact || deviceId === exact));
    const device = inputs.find(({ deviceId }) => deviceId === ideal) ?? inputs[0];
    if (!device) throw named(exact ? 'OverconstrainedError' : 'NotFoundError');
    return this.#open(new FakeTrack(video ? 'video' : 'audio', device.deviceId));
  }

  /** The user is asked which screen, and has but one. */
  async getDisplayMedia(constraints: DisplayMediaStreamOptions): Promise<MediaStream> {
    this.asked.push(constraints as MediaStreamConstraints);
    if (this.answer === 'ask') await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (typeof this.answer === 'object') throw named(this.answer.refuse);
    return this.#open(new FakeTrack('video', 'screen-1'));
  }

  #open(track: FakeTrack): MediaStream {
    this.opened.push(track);
    return fakeStream([track.asTrack()]);
  }

  enumerateDevices(): Promise<MediaDeviceInfo[]> {
    return Promise.resolve(
      this.list.map((device) =>
        this.revoked.has(device.kind) ? ({ ...device, deviceId: '', label: '' } as MediaDeviceInfo) : device,
      ),
    );
  }

  resolve(answer: 'allow' | { refuse: string }): void {
    this.answer = answer;
    for (const resume of this.#waiting.splice(0)) resume();
  }

  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.listeners++;
    super.addEventListener(...args);
  }

  override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
    this.listeners--;
    super.removeEventListener(...args);
  }
}

function kindOf(source: 'microphone' | 'camera'): MediaDeviceKind {
  return source === 'camera' ? 'videoinput' : 'audioinput';
}

/** Devices and loudspeakers without a browser: a microphone, a camera, a screen and a loudspeaker, and nobody who objects. */
export class FakeMedia implements MediaPlatform {
  readonly #devices = new FakeDevices();
  #secure = true;
  #playback = true;
  readonly elements: FakeAudioElement[] = [];
  /** With Web Audio: each track is as loud as a test says, RMS in [0, 1]; others are silent. */
  readonly loudness = new Map<MediaStreamTrack, number>();
  /** From the mixer to the ear, as an `AudioContext` tells it. */
  outputLatencyMs = 0;
  #webAudio = false;
  #takesTracks = true;
  #contexts = 0;

  constructor() {
    this.plug('microphone-1');
    this.plug('camera-1', 'videoinput');
    this.plug('speaker-1', 'audiooutput');
  }

  /** Every track that was opened so far: microphones, cameras and screens. */
  get opened(): readonly FakeTrack[] {
    return this.#devices.opened;
  }

  /** What `getUserMedia` and `getDisplayMedia` were asked for, each time. */
  get asked(): readonly MediaStreamConstraints[] {
    return this.#devices.asked;
  }

  /** Listeners on `mediaDevices` that are still there. */
  get listeners(): number {
    return this.#devices.listeners;
  }

  /** The browser asks the user, who has not answered yet: `allow()` or `refuse()` does. */
  ask(): void {
    this.#devices.answer = 'ask';
  }

  allow(): void {
    this.#devices.resolve('allow');
  }

  /** From now on they reject with an error of this name. */
  refuse(name = 'NotAllowedError'): void {
    this.#devices.resolve({ refuse: name });
  }

  /** The user takes back what they have allowed; `prompt`: they are asked the next time. */
  revoke(source: 'microphone' | 'camera', to: Exclude<PermissionState, 'granted'> = 'denied'): void {
    this.#devices.revoked.set(kindOf(source), to);
    const medium = source === 'camera' ? 'video' : 'audio';
    for (const track of this.opened) if (track.kind === medium) track.end();
  }

  permission(source: 'microphone' | 'camera'): Promise<PermissionState | undefined> {
    return Promise.resolve(this.#devices.revoked.get(kindOf(source)) ?? 'granted');
  }

  /** The page is not secure: there is no `mediaDevices`. */
  makeInsecure(): void {
    this.#secure = false;
  }

  /** The browser refuses to play sound before the user acts. */
  blockPlayback(): void {
    this.#playback = false;
  }

  allowPlayback(): void {
    this.#playback = true;
  }

  plug(deviceId: string, kind: MediaDeviceKind = 'audioinput'): void {
    const info = { deviceId, kind, label: deviceId, groupId: '' };
    this.#devices.list.push({ ...info, toJSON: () => info });
    this.#devices.dispatchEvent(new Event('devicechange'));
  }

  unplug(deviceId: string): void {
    const index = this.#devices.list.findIndex((device) => device.deviceId === deviceId);
    if (index >= 0) this.#devices.list.splice(index, 1);
    for (const track of this.opened) if (track.deviceId === deviceId) track.end();
    this.#devices.dispatchEvent(new Event('devicechange'));
  }

  devices(): MediaDevices | undefined {
    return this.#secure ? (this.#devices as unknown as MediaDevices) : undefined;
  }

  createAudioElement(): HTMLAudioElement {
    const element = new FakeAudioElement(() => this.#playback);
    this.elements.push(element);
    return element as unknown as HTMLAudioElement;
  }

  createStream(tracks: readonly MediaStreamTrack[]): MediaStream {
    return fakeStream(tracks);
  }

  /** Whose pictures are being taken. */
  readonly filmed = new Set<MediaStreamTrack>();
  /** What each picture has in it. */
  frame = () => 'frame';

  openFrames(track: MediaStreamTrack): FrameSource {
    this.filmed.add(track);
    return {
      grab: () => Promise.resolve(new Blob([this.frame()])),
      close: () => void this.filmed.delete(track),
    };
  }

  /** There is Web Audio from now on. */
  enableWebAudio(): void {
    this.#webAudio = true;
  }

  /** Web Audio takes no tracks: in Firefox, where its sample rate is another than the device's. */
  refuseSources(): void {
    this.#takesTracks = false;
  }

  /** Audio contexts that are open. */
  get contexts(): number {
    return this.#contexts;
  }

  createAudioContext(): AudioContext | undefined {
    if (!this.#webAudio) return undefined;
    this.#contexts++;
    return {
      state: 'running',
      outputLatency: this.outputLatencyMs / 1000,
      createAnalyser: () => new FakeAnalyser(),
      createMediaStreamSource: (stream: MediaStream) => {
        if (!this.#takesTracks) throw named('NotSupportedError');
        return {
          connect: (analyser: FakeAnalyser) => {
            const [track] = stream.getAudioTracks();
            analyser.loudness = () => (track && this.loudness.get(track)) ?? 0;
          },
          disconnect: () => undefined,
        };
      },
      close: () => {
        this.#contexts--;
        return Promise.resolve();
      },
    } as unknown as AudioContext;
  }

  userHasActed(): boolean {
    return this.#playback;
  }
}

/** As much of an `AnalyserNode` as the SDK uses. */
class FakeAnalyser {
  fftSize = 2048;
  loudness = () => 0;

  getFloatTimeDomainData(samples: Float32Array): void {
    samples.fill(this.loudness());
  }
}

function fakeStream(tracks: readonly MediaStreamTrack[]): MediaStream {
  const ofKind = (kind: string) => tracks.filter((track) => track.kind === kind);
  return {
    getTracks: () => [...tracks],
    getAudioTracks: () => ofKind('audio'),
    getVideoTracks: () => ofKind('video'),
  } as unknown as MediaStream;
}

function wantedDevice(audio: boolean | MediaTrackConstraints | undefined): ConstrainDOMStringParameters {
  const id = typeof audio === 'object' ? audio.deviceId : undefined;
  return typeof id === 'object' && !Array.isArray(id) ? id : {};
}

function named(name: string): Error {
  const error = new Error(name);
  error.name = name;
  return error;
}
