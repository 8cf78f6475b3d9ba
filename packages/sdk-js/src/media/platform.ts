/** What the media code needs of a browser; fakes in tests. Nothing is touched before it is used. */
export interface MediaPlatform {
  /** Undefined where the page is not secure. */
  devices(): MediaDevices | undefined;
  /** A place to play a track in. */
  createAudioElement(): HTMLAudioElement;
  createStream(tracks: readonly MediaStreamTrack[]): MediaStream;
  /** Undefined where there is no Web Audio. */
  createAudioContext(): AudioContext | undefined;
  /** Whether the user has acted on the page, so that an AudioContext may start. */
  userHasActed(): boolean;
}

export const browserMedia: MediaPlatform = {
  devices: () => globalThis.navigator?.mediaDevices as MediaDevices | undefined,
  createAudioElement() {
    const element = document.createElement('audio');
    element.autoplay = true;
    element.setAttribute('playsinline', '');
    return element;
  },
  createStream: (tracks) => new MediaStream([...tracks]),
  createAudioContext: () => (typeof AudioContext === 'undefined' ? undefined : new AudioContext()),
  userHasActed: () => globalThis.navigator?.userActivation?.hasBeenActive ?? false,
};
