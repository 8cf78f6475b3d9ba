import type { Observable } from 'rxjs';
import type { Clock } from '../clock.js';
import type { InputDevice } from './devices.js';
import { Input, type InputSource } from './input.js';
import { levelOfCurrent } from './level.js';
import type { MediaPlatform } from './platform.js';

export type MicrophoneSource = true | InputSource;

export interface MicrophoneParts {
  readonly media: MediaPlatform;
  readonly clock: Clock;
  readonly source: MicrophoneSource;
  readonly mayPublish?: () => boolean;
}

/** The voice of a session's user, and how loud it is. */
export class Microphone extends Input implements InputDevice {
  readonly level$: Observable<number>;

  constructor({ clock, source, ...parts }: MicrophoneParts) {
    super({ ...parts, source: 'microphone' });
    if (source !== true) this.take(source);
    this.level$ = levelOfCurrent(this.track, { clock, media: parts.media });
  }
}
