/** Of the longest side: text on a screen can still be read, and it takes a few messages to send. */
const LONGEST_PX = 1280;
const JPEG_QUALITY = 0.7;

export interface FrameSource {
  /** The newest frame; undefined while there is none. */
  grab(): Promise<Blob | undefined>;
  close(): void;
}

/** What the media code needs of a browser; fakes in tests. Nothing is touched before it is used. */
export interface MediaPlatform {
  /** Undefined where the page is not secure. */
  devices(): MediaDevices | undefined;
  /** Whether the user allows it; undefined where the browser does not tell. */
  permission(source: 'microphone' | 'camera'): Promise<PermissionState | undefined>;
  /** A place to play a track in. */
  createAudioElement(): HTMLAudioElement;
  createStream(tracks: readonly MediaStreamTrack[]): MediaStream;
  /** Takes pictures of a track, until it is closed. */
  openFrames(track: MediaStreamTrack): FrameSource;
  /** Undefined where there is no Web Audio. Plays on the system's own loudspeaker where `sinkId` is absent, or the browser takes none. */
  createAudioContext(sinkId?: string): AudioContext | undefined;
  /** Whether the user has acted on the page, so that an AudioContext may start. */
  userHasActed(): boolean;
}

export const browserMedia: MediaPlatform = {
  devices: () => globalThis.navigator?.mediaDevices as MediaDevices | undefined,
  async permission(name) {
    try {
      return (await navigator.permissions.query({ name })).state;
    } catch {
      return undefined;
    }
  },
  createAudioElement() {
    const element = document.createElement('audio');
    element.autoplay = true;
    element.setAttribute('playsinline', '');
    return element;
  },
  createStream: (tracks) => new MediaStream([...tracks]),
  openFrames(track) {
    const video = document.createElement('video');
    video.muted = true;
    video.playsInline = true;
    video.srcObject = new MediaStream([track]);
    video.play().catch(() => undefined);
    const canvas = document.createElement('canvas');
    return {
      grab() {
        const { videoWidth, videoHeight } = video;
        const scale = Math.min(1, LONGEST_PX / Math.max(videoWidth, videoHeight));
        canvas.width = Math.round(videoWidth * scale);
        canvas.height = Math.round(videoHeight * scale);
        canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
        // Of a canvas without an area there is no picture.
        return new Promise((resolve) =>
          canvas.toBlob((image) => resolve(image ?? undefined), 'image/jpeg', JPEG_QUALITY),
        );
      },
      close() {
        video.srcObject = null;
      },
    };
  },
  createAudioContext: (sinkId) =>
    typeof AudioContext === 'undefined' ? undefined : new AudioContext({ sinkId } as AudioContextOptions),
  userHasActed: () => globalThis.navigator?.userActivation?.hasBeenActive ?? false,
};
