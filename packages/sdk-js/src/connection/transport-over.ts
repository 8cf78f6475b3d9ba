import { JoinResult, MicroturnError, PROTOCOL_VERSION, TrackOffer } from '@microturn/protocol';
import type { MediaPlatform } from '../media/platform.js';
import { aborted } from './aborted.js';
import { checked } from './checked.js';
import type { MediaPlane, OpenMediaPlane } from './media-plane.js';
import { Signaling } from './signaling.js';
import type { OpenSocket } from './socket.js';
import type { LinkObserver, OpenOptions, Transport, TransportLink } from './transport.js';
import { signalingUrl } from './url.js';

export interface TransportParts {
  readonly openSocket: OpenSocket;
  readonly openMediaPlane: OpenMediaPlane;
  readonly prepare?: () => void;
  /** Calls `changed` where the device has another network, until it is let go. */
  readonly watchNetwork?: (changed: () => void) => () => void;
  readonly media?: MediaPlatform;
}

/** A transport out of a socket, which carries the protocol, and a media plane, which carries the tracks. */
export function transportOver(parts: TransportParts): Transport {
  const { openSocket, openMediaPlane, prepare, watchNetwork, media } = parts;
  return {
    media,
    ...(prepare && { prepare }),
    async open(options) {
      const link = new Link(options.observer);
      const onAbort = () => link.close(aborted(options.signal));
      try {
        options.signal.throwIfAborted();
        options.signal.addEventListener('abort', onAbort);
        await link.join(options, openSocket, openMediaPlane);
        if (watchNetwork) link.watch(watchNetwork);
        options.signal.throwIfAborted();
        return link;
      } catch (error) {
        const { aborted: givenUp } = options.signal;
        const reason = givenUp ? aborted(options.signal) : (link.ended ?? MicroturnError.from(error, 'edge/internal'));
        // What could not be resumed now may be in a moment: only whoever gives up leaves.
        if (options.resume && !givenUp) link.drop();
        else link.close(reason);
        throw reason;
      } finally {
        options.signal.removeEventListener('abort', onAbort);
      }
    },
  };
}

class Link implements TransportLink {
  readonly #observer: LinkObserver;
  #signaling: Signaling | undefined;
  #plane: MediaPlane | undefined;
  #joined: JoinResult | undefined;
  #unwatch: (() => void) | undefined;
  #opened = false;
  /** It was up, or carries on a session that was: there is something to come back to. */
  #resumable = false;
  /** Why it is closed. */
  ended: MicroturnError | undefined;
  /** Tracks come and go in the order in which they were announced. */
  #tracks: Promise<void> = Promise.resolve();

  constructor(observer: LinkObserver) {
    this.#observer = observer;
  }

  get joined(): JoinResult {
    if (!this.#joined) throw new MicroturnError('protocol/state', 'not joined');
    return this.#joined;
  }

  async join(options: OpenOptions, openSocket: OpenSocket, openMediaPlane: OpenMediaPlane): Promise<void> {
    const { url, token, room, recipe, audience, resume, signal, clock } = options;
    const signaling = await Signaling.open({
      url: signalingUrl(url),
      openSocket,
      clock,
      signal,
      observer: {
        event: (event) => this.#observer.event(event),
        track: (message) =>
          message.type === 'track.added' ? this.#receive(message.track) : this.#drop(message.consumerId),
        roster: (message) => this.#observer.roster(message),
        stalled: () => this.#plane?.findPath(),
        problem: (error) => this.#observer.problem(error),
        closed: (error, resumable) => this.#lose(error, resumable),
      },
    });
    this.#signaling = signaling;
    this.#resumable = resume !== undefined;
    if (this.ended) {
      signaling.close(this.ended, false);
      throw this.ended;
    }
    this.#joined = checked(
      JoinResult,
      await signaling.request({
        type: 'join',
        protocol: PROTOCOL_VERSION,
        token,
        room,
        audience,
        recipe,
        resume,
      }),
    );
    const { participants, participant: me } = this.#joined;
    this.#observer.roster({ type: 'present', participants, me });
    const plane = await openMediaPlane({
      joined: this.#joined,
      clock,
      request: (body) => signaling.request(body),
      observer: {
        flowing: (flowing) => this.#observer.media(flowing),
        failed: (error) => this.#lose(error, true),
      },
    });
    this.#plane = plane;
    if (this.ended) {
      plane.close();
      throw this.ended;
    }
    const reply = await signaling.request({ type: 'subscribe', rtpCapabilities: { ...plane.rtpCapabilities } });
    for (const offer of offersIn(reply)) this.#receive(offer);
    await this.#tracks;
    if (this.ended) throw this.ended;
    this.#opened = true;
  }

  /** Where the network changes, media looks for its path, and the socket is asked whether it is alive. */
  watch(watchNetwork: NonNullable<TransportParts['watchNetwork']>): void {
    if (this.ended) return;
    this.#unwatch = watchNetwork(() => {
      this.#signaling?.probe();
      this.#plane?.findPath();
    });
  }

  publish: TransportLink['publish'] = (track, source) => {
    if (!this.#plane || this.ended) return Promise.reject(this.ended ?? new MicroturnError('session/closed'));
    return this.#plane.publish(track, source);
  };

  async ready(): Promise<void> {
    await this.#plane?.ready();
    this.#resumable = true;
  }

  request: TransportLink['request'] = (message) => {
    if (!this.#signaling) return Promise.reject(new MicroturnError('session/closed'));
    return this.#signaling.request(message);
  };

  notify: TransportLink['notify'] = (message) => this.#signaling?.notify(message);

  close(reason = new MicroturnError('session/closed')): void {
    if (this.ended) return;
    this.#signaling?.notify({ type: 'leave' });
    this.#release(reason, false);
  }

  drop(): void {
    if (!this.ended) this.#release(new MicroturnError('net/closed', 'another link takes over'), true);
  }

  #receive(offer: TrackOffer): void {
    this.#inOrder(async (plane) => {
      const received = await plane.receive(offer);
      if (this.ended) return;
      this.#observer.trackAdded({
        id: offer.consumerId,
        participant: offer.participant,
        source: offer.source,
        ...(offer.audience && { audience: offer.audience }),
        ...received,
      });
      // The edge holds back what it says to this listener alone until then: a sentence is not to lose its first word.
      if (offer.audience === 'self') this.#signaling?.notify({ type: 'track.ready', consumerId: offer.consumerId });
    });
  }

  #drop(consumerId: string): void {
    this.#inOrder((plane) => {
      plane.drop(consumerId);
      this.#observer.trackRemoved(consumerId);
      return Promise.resolve();
    });
  }

  #inOrder(step: (plane: MediaPlane) => Promise<void>): void {
    const before = this.#tracks;
    this.#tracks = (async () => {
      await before;
      if (this.ended || !this.#plane) return;
      try {
        await step(this.#plane);
      } catch (error) {
        if (!this.ended) this.#observer.problem(MicroturnError.from(error, 'media/unsupported'));
      }
    })();
  }

  /** Ended by the other side. Before it was open, `open` rejects with it instead. */
  #lose(error: MicroturnError, resumable: boolean): void {
    if (this.ended) return;
    // Where media never had a path, nobody comes back: the edge is not to keep the session for them.
    if (this.#resumable) this.#release(error, true);
    else this.close(error);
    if (this.#opened) this.#observer.closed(error, resumable);
  }

  #release(reason: MicroturnError, returning: boolean): void {
    this.ended = reason;
    this.#unwatch?.();
    this.#plane?.close();
    this.#signaling?.close(reason, returning);
  }
}

function offersIn(reply: unknown): readonly TrackOffer[] {
  const tracks = (reply as { tracks?: unknown } | undefined)?.tracks;
  if (!Array.isArray(tracks)) throw new MicroturnError('protocol/malformed', 'subscribe: expected tracks');
  return tracks.map((track) => checked(TrackOffer, track));
}
