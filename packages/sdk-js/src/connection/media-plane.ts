import type { JoinResult, MicroturnError, TrackOffer } from '@microturn/protocol';
import type { Clock } from '../clock.js';
import type { RequestBody } from './signaling.js';
import type { Publication, ReceivedTrack } from './transport.js';

/** Sends and receives tracks: mediasoup-client, or a fake. */
export interface MediaPlane {
  readonly rtpCapabilities: object;
  publish(track: MediaStreamTrack, source: 'microphone' | 'camera' | 'screen'): Promise<Publication>;
  receive(offer: TrackOffer): Promise<Pick<ReceivedTrack, 'track' | 'playedRtpTimestamp'>>;
  drop(consumerId: string): void;
  /** The way to the edge may be another one now: it is looked for at once, and not when the browser next does. */
  findPath(): void;
  /** Resolves when what was published and received so far has a media path. */
  ready(): Promise<void>;
  close(): void;
}

export interface MediaPlaneParts {
  readonly joined: JoinResult;
  readonly clock: Clock;
  request(body: RequestBody): Promise<unknown>;
  readonly observer: {
    /** False while packets have stopped to arrive. */
    flowing(flowing: boolean): void;
    /** Once: the media path is gone for good. */
    failed(error: MicroturnError): void;
  };
}

export type OpenMediaPlane = (parts: MediaPlaneParts) => Promise<MediaPlane>;
