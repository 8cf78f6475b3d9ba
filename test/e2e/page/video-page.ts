// A participant of the video test: sends a camera and a screen, and looks at what it sees of somebody else.
import { createSession, type InteractionSession } from '@microturn/sdk';

export interface VideoPageOptions {
  readonly url: string;
  readonly token: string;
  /** Whom to look at. */
  readonly looksAt?: string;
}

/** What was seen in an element so far. */
export interface Seen {
  /** Frames that were decoded and shown. */
  readonly frames: number;
  /** How many of them differed from the one before. */
  readonly moved: number;
  readonly width: number;
  readonly height: number;
  /** Nothing is there to be seen now. */
  readonly empty: boolean;
}

/** Of the small copy in which two frames are compared. */
const COPY_PX = 64;

class Looker {
  readonly element = document.createElement('video');
  readonly #copy = new OffscreenCanvas(COPY_PX, COPY_PX).getContext('2d', { willReadFrequently: true })!;
  #last = '';
  #frames = 0;
  #moved = 0;

  constructor() {
    document.body.append(this.element);
    const look = () => {
      this.#frames++;
      this.#copy.drawImage(this.element, 0, 0, COPY_PX, COPY_PX);
      const pixels = this.#copy.getImageData(0, 0, COPY_PX, COPY_PX).data.join();
      if (pixels !== this.#last) this.#moved++;
      this.#last = pixels;
      this.element.requestVideoFrameCallback(look);
    };
    this.element.requestVideoFrameCallback(look);
  }

  get seen(): Seen {
    const { videoWidth: width, videoHeight: height, srcObject } = this.element;
    return { frames: this.#frames, moved: this.#moved, width, height, empty: srcObject === null };
  }
}

class VideoPage {
  readonly session: InteractionSession;
  readonly camera = new Looker();
  readonly screen = new Looker();
  /** Codes of what went wrong without ending the call. */
  readonly errors: string[] = [];
  /** How often the user was asked for a camera. */
  asked = 0;

  constructor({ url, token, looksAt }: VideoPageOptions) {
    this.session = createSession({ url, token, microphone: false });
    this.session.errors.subscribe(({ code }) => this.errors.push(code));
    this.session.attachVideo(this.camera.element, { participant: looksAt });
    this.session.attachVideo(this.screen.element, { participant: looksAt, source: 'screen' });
    const { mediaDevices } = navigator;
    const getUserMedia = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = (constraints) => {
      this.asked++;
      return getUserMedia(constraints);
    };
  }

  /** As somebody else's page sees them: `camera muted`. */
  tracksOf(participant: string): string[] {
    const person = this.session.participants.value.find(({ identity }) => identity === participant);
    return (person?.tracks ?? []).map(({ source, muted }) => (muted ? `${source} muted` : source));
  }
}

declare global {
  interface Window {
    look(options: VideoPageOptions): void;
    video: VideoPage;
  }
}

window.look = (options: VideoPageOptions) => {
  window.video = new VideoPage(options);
};
