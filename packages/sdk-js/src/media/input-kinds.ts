import { MicroturnError } from '@microturn/protocol';
import type { TransportLink } from '../connection/transport.js';

export type InputName = Parameters<TransportLink['publish']>[1];

/** How one of a session's inputs is opened. */
export interface InputKind {
  readonly defaults: MediaTrackConstraints;
  /** Undefined where the browser's own picker chooses. */
  readonly listed?: 'audioinput' | 'videoinput';
  /** `contentHint` of its track. */
  readonly hint?: string;
  open(devices: MediaDevices, constraints: MediaTrackConstraints): Promise<MediaStream>;
}

export const inputKinds: Readonly<Record<InputName, InputKind>> = {
  microphone: {
    defaults: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    listed: 'audioinput',
    open: (devices, audio) => devices.getUserMedia({ audio }),
  },
  camera: {
    defaults: { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 24, max: 30 } },
    listed: 'videoinput',
    open: (devices, video) => devices.getUserMedia({ video }),
  },
  screen: {
    // Text is to be read: rather fewer frames than fewer pixels.
    defaults: { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 15 } },
    hint: 'detail',
    open: (devices, video) =>
      typeof devices.getDisplayMedia === 'function'
        ? devices.getDisplayMedia({ video })
        : Promise.reject(new MicroturnError('media/unsupported', 'this browser shares no screens')),
  },
};
