import type {
  AudienceChoice,
  ClientMessageOf,
  JoinResult,
  MicroturnError,
  RosterMessage,
  SessionEvent,
  TrackOffer,
} from '@microturn/protocol';
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { MediaPlatform } from '../media/platform.js';
import type { RequestBody } from './signaling.js';

/** The requests that the session makes itself; joining and publishing are the transport's business. */
export type SessionRequest = Extract<
  RequestBody,
  {
    type:
      | 'say'
      | 'response.interrupt'
      | 'participant.mute'
      | 'participant.remove'
      | 'subject.change'
      | 'tools.register'
      | 'tool.result'
      | 'image.append'
      | 'image.show'
      | `task.${string}`;
  }
>;
export type SessionNotice = ClientMessageOf<'heard' | 'typing'>;

export interface OpenOptions {
  /** Base of the edge, http(s) or ws(s). */
  readonly url: string;
  readonly token: string;
  readonly room?: string | undefined;
  /** Whom the model is to speak to; the edge's own choice unless it is given. */
  readonly audience?: AudienceChoice | undefined;
  readonly recipe?: string | undefined;
  readonly resume?: { readonly resumeToken: string; readonly lastSeq: number } | undefined;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: LinkObserver;
}

/** What a link tells its session. Events come in order, and none before `open` was called or after `closed`. */
export interface LinkObserver {
  event(event: SessionEvent): void;
  trackAdded(track: ReceivedTrack): void;
  trackRemoved(id: string): void;
  /** Who is in the room, when the join was answered; then everybody who comes, leaves or changes. */
  roster(update: RosterUpdate): void;
  /** Media stalls, or flows again; the link lives on. */
  media(flowing: boolean): void;
  /** Something went wrong that does not end the link. */
  problem(error: MicroturnError): void;
  /** The link ended and it was not `close()`. Once, and the last call. Where it is resumable, the session waits at the edge. */
  closed(error: MicroturnError, resumable: boolean): void;
}

/** `present`: all there are, as this participant sees them. */
export type RosterUpdate =
  RosterMessage | { readonly type: 'present'; readonly participants: JoinResult['participants']; readonly me: string };

export interface ReceivedTrack {
  /** The consumerId. */
  readonly id: string;
  readonly participant: string;
  readonly source: TrackOffer['source'];
  /** Of the agent's voice: who hears it. */
  readonly audience?: AudienceChoice;
  readonly track: MediaStreamTrack;
  /** RTP timestamp of the packet now being played, where one was. */
  playedRtpTimestamp(): number | undefined;
}

/** A track on its way to the edge. The track itself stays its owner's to stop. */
export interface Publication {
  setMuted(muted: boolean): Promise<void>;
  replaceTrack(track: MediaStreamTrack): Promise<void>;
  close(): Promise<void>;
}

/** One joined call. */
export interface TransportLink {
  readonly joined: JoinResult;
  publish(track: MediaStreamTrack, source: 'microphone' | 'camera' | 'screen'): Promise<Publication>;
  /** Resolves when the media path is up. */
  ready(): Promise<void>;
  request(message: SessionRequest): Promise<unknown>;
  /** One way; dropped where the link is down. */
  notify(message: SessionNotice): void;
  /**
   * Leaves, and releases what it holds. Closing twice is harmless.
   * @param reason what is under way, or asked afterwards, rejects with it; by default `session/closed`
   */
  close(reason?: MicroturnError): void;
  /** Releases what it holds, and does not leave: the session is to be resumed over another link. */
  drop(): void;
}

/** How a session reaches the edge: `webrtc()`, or `scriptedTransport()` of `@microturn/sdk/testing`. */
export interface Transport {
  /** Where devices and loudspeakers come from, where that is not the browser. */
  readonly media?: MediaPlatform | undefined;
  /**
   * Fetches code that `open` will need; called early, so that it loads while the user is asked.
   * @throws {MicroturnError} where `open` could not work here
   */
  prepare?(): void;
  /** @throws {MicroturnError} with nothing left open */
  open(options: OpenOptions): Promise<TransportLink>;
}
