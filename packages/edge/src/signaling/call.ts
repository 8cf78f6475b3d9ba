import {
  MicroturnError,
  type ClientMessageOf,
  type JoinResult,
  type Participant,
  type RosterMessage,
} from '@microturn/protocol';
import type { Clock } from '../clock.js';
import type { RoomStay, RosterSeat, Session, SessionMedia } from '../session/index.js';
import type { Recordable, Stamp, StoredSession } from '../store/index.js';
import type { Log } from '../telemetry/log.js';
import { trackSources, type Grant } from './auth.js';
import { iceServersFor, type IceServerConfig } from './ice-servers.js';
import { RateLimit } from './rate-limit.js';
import type { Removals } from './removals.js';

/** What a call needs once it has been joined. */
export interface CallParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Who was removed: with the token that they have they do not come back. */
  readonly removals: Removals;
  readonly iceServers: readonly IceServerConfig[];
  readonly media: SessionMedia;
  /** By session id: where the app's server finds a session to speak through. */
  readonly calls: Map<string, Call>;
  /** By resume token: what a client can come back to. */
  readonly resumable: Map<string, Call>;
  readonly recorder: { remove(id: string): void };
  /** How long a call waits for a client that is away. */
  readonly resumeMs: number;
  /** Runs `fn` once, `ms` from now; the result calls it off. */
  readonly after: (ms: number, fn: () => void) => () => void;
}

/** The socket that carries a call. */
export interface Carrier {
  /** Tells of a change in the room. */
  roster(message: RosterMessage): void;
  /** Says why, and closes. */
  end(error: MicroturnError, resumable: boolean): void;
}

/** What a join is answered with, but for who is in the room: that is looked at when it is answered. */
export type Joined = Omit<JoinResult, 'participants'>;

/** Everybody in the room is told of each: more than this a second for long, beyond a burst, is nobody's doing by hand. */
const TRACKS = { perSecond: 5, burst: 20 };
const MUTES = { perSecond: 10, burst: 40 };
/** A client that floods again and again is not at fault once: the call is over. */
const FLOODS = { most: 3, withinMs: 60_000 };

interface Transports {
  readonly sendTransport: object;
  readonly recvTransport: object;
}

/**
 * One participant in a room: their grant, their endpoint on the media thread and their session with the agent. Carried
 * by one socket at a time; between two it waits for `resumeMs`, and goes on.
 */
export class Call implements Recordable {
  readonly session: Session;
  readonly #parts: CallParts;
  readonly #stay: RoomStay<Call>;
  readonly #seat: RosterSeat;
  readonly #tracks: RateLimit;
  readonly #mutes: RateLimit;
  #grant: Grant;
  #carrier: Carrier | undefined;
  /** Whose client the call waits for: the socket may still say that it is gone for good. */
  #awaited: Carrier | undefined;
  #cancelExpiry: (() => void) | undefined;
  /** Monotonic, while it waits for its client. */
  #expiresAtMs: number | undefined;
  #closing: Promise<void> | undefined;
  #floodsMs: readonly number[] = [];

  /** By `joinCall`, in its room and with its endpoint open. */
  constructor(parts: CallParts, stay: RoomStay<Call>, grant: Grant, session: Session) {
    this.#parts = parts;
    this.#stay = stay;
    this.#grant = grant;
    this.session = session;
    this.#seat = stay.room.roster.join(grant);
    this.#tracks = new RateLimit(parts.clock, TRACKS.perSecond, TRACKS.burst);
    this.#mutes = new RateLimit(parts.clock, MUTES.perSecond, MUTES.burst);
  }

  get id(): string {
    return this.session.id;
  }

  get seq(): number {
    return this.session.seq;
  }

  eventsAfter(seq: number) {
    return this.session.eventsAfter(seq);
  }

  /** As long as its client may be away, or what is left of that. */
  toStored(savedAt: Stamp): StoredSession {
    const { clock, resumeMs } = this.#parts;
    const leaseMs = this.#expiresAtMs === undefined ? resumeMs : Math.max(0, this.#expiresAtMs - clock.now());
    return this.session.toStored(savedAt, leaseMs);
  }

  remembered(): string | undefined {
    return this.session.remembered();
  }

  get grant(): Grant {
    return this.#grant;
  }

  /** Ways to the edge for this participant, with credentials that begin now. */
  get iceServers(): readonly object[] {
    const { room, participant } = this.session;
    return iceServersFor(this.#parts.iceServers, JSON.stringify([room, participant]));
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Its client is back: fresh transports, in place of those it had.
   * @throws {MicroturnError} `session/expired`, or what the media thread says
   */
  async reenter(grant: Grant): Promise<Joined> {
    // The edge may not know yet that the earlier socket is dead.
    this.drop(new MicroturnError('session/replaced'));
    this.#awaited = undefined;
    const transports = await this.#parts.media.request('endpoint.reopen', { endpoint: this.session.endpoint });
    if (this.closed) throw new MicroturnError('session/expired');
    this.#grant = grant;
    return this.joined(transports, true);
  }

  /** @param transports that the media thread has opened for its client */
  joined({ sendTransport, recvTransport }: Transports, resumed: boolean): Joined {
    const { session } = this;
    return {
      sessionId: session.id,
      room: session.room,
      participant: session.participant,
      resumeToken: session.resumeToken,
      resumeMs: this.#parts.resumeMs,
      resumed,
      model: session.modelName,
      microTurnMs: session.model.microTurnMs,
      sessionMs: session.nowMs,
      routerRtpCapabilities: this.#stay.room.rtpCapabilities as JoinResult['routerRtpCapabilities'],
      sendTransport: sendTransport as JoinResult['sendTransport'],
      recvTransport: recvTransport as JoinResult['recvTransport'],
      iceServers: this.iceServers as JoinResult['iceServers'],
      canPublish: trackSources.filter((source) => this.#grant.canPublish(source)),
    };
  }

  /**
   * From now on this socket carries the call, and hears of every change in the room. One that carried it until now is ended.
   * @returns who is in the room now
   * @throws {MicroturnError} `session/replaced` where another took the place meanwhile
   */
  attach(carrier: Carrier): Participant[] {
    if (this.closed) throw new MicroturnError('session/replaced');
    this.#cancelExpiry?.();
    this.#cancelExpiry = undefined;
    this.#expiresAtMs = undefined;
    this.#awaited = undefined;
    const before = this.#carrier;
    this.#carrier = carrier;
    // Of two that come back at once each finds the place free when it asks for transports.
    if (before !== carrier) before?.end(new MicroturnError('session/replaced'), true);
    return this.#seat.listen((message) => carrier.roster(message));
  }

  /**
   * @throws {MicroturnError} `auth/forbidden` where the grant does not cover the source, `protocol/rate`, or what the media
   *   thread says
   */
  async produce({ transportId, source, rtpParameters }: ClientMessageOf<'produce'>): Promise<{ producerId: string }> {
    if (!this.#grant.canPublish(source)) throw new MicroturnError('auth/forbidden', `canPublish for ${source}`);
    // What ends is always taken: there is no more of it than begins.
    if (!this.#tracks.take()) throw new MicroturnError('protocol/rate', `at most ${TRACKS.perSecond} tracks a second`);
    const { endpoint } = this.session;
    const carrier = this.#carrier;
    const { producerId, kind } = await this.#parts.media.request('produce', {
      endpoint,
      transportId,
      source,
      rtpParameters,
    });
    // Where the socket was lost meanwhile, the track was lost with it.
    if (this.#carrier === carrier) this.#seat.publish({ id: producerId, source, kind, muted: false });
    return { producerId };
  }

  /** Mutes a track of this participant, or unmutes it. @throws {MicroturnError} `protocol/rate`, or what the media thread says */
  async mute(producerId: string, muted: boolean): Promise<void> {
    if (!this.#mutes.take()) throw new MicroturnError('protocol/rate', `at most ${MUTES.perSecond} mutes a second`);
    await this.#setMuted(producerId, muted);
  }

  async #setMuted(producerId: string, muted: boolean): Promise<void> {
    await this.#parts.media.request('producer.mute', { endpoint: this.session.endpoint, producerId, muted });
    this.#seat.setMuted(producerId, muted);
  }

  async unpublish(producerId: string): Promise<void> {
    await this.#parts.media.request('producer.close', { endpoint: this.session.endpoint, producerId });
    this.#seat.unpublish(producerId);
  }

  /** The media thread has closed a track of this participant that flooded. They are told so, and the third time the call ends. */
  loseTrack(producerId: string, error: MicroturnError): void {
    this.#seat.unpublish(producerId);
    if (this.closed) return;
    this.session.report(error);
    const nowMs = this.#parts.clock.now();
    this.#floodsMs = [...this.#floodsMs.filter((ms) => nowMs - ms < FLOODS.withinMs), nowMs];
    if (this.#floodsMs.length >= FLOODS.most) void this.end(error);
  }

  /**
   * Somebody else mutes a track of this participant, whose device is told to follow. Only they themselves unmute it.
   * @throws {MicroturnError} `room/unknown` where there is no such track
   */
  async muteFromOutside(producerId: string): Promise<void> {
    const track = this.#seat.tracks.find(({ id }) => id === producerId);
    if (!track) throw new MicroturnError('room/unknown', 'no such track');
    await this.#setMuted(producerId, true);
    this.#carrier?.roster({ type: 'track.muted', producerId, source: track.source });
  }

  /**
   * Another participant of the room, for one who administers it.
   * @throws {MicroturnError} `auth/forbidden` without the grant `roomAdmin`, `room/unknown` where they are not in the room
   */
  administer(identity: string): Call {
    if (!this.#grant.roomAdmin) throw new MicroturnError('auth/forbidden', 'roomAdmin');
    const other = this.#stay.room.members.get(identity);
    if (!other) throw new MicroturnError('room/unknown', 'no such participant');
    return other;
  }

  /** The socket is gone, and its client may come back. */
  detach(carrier: Carrier): void {
    if (this.#carrier === carrier) this.#wait();
  }

  /** The client left, or may not come back. Resolves when the call is closed, or at once where another carries it. */
  leave(carrier: Carrier, reason: string): Promise<void> {
    return carrier === this.#carrier || carrier === this.#awaited
      ? this.close(reason)
      : (this.#closing ?? Promise.resolve());
  }

  /** Ends the socket, not the call: its client is to come back, with fresh transports. */
  drop(error: MicroturnError): void {
    const carrier = this.#carrier;
    if (!carrier) return;
    this.#wait();
    carrier.end(error, true);
  }

  /** Its media thread was lost and another is up: the endpoint and its row again, for the client to come back to. */
  async restoreMedia(): Promise<void> {
    if (this.closed) return;
    const { media } = this.#parts;
    const { endpoint, room, participant } = this.session;
    try {
      await media.request('endpoint.open', { room, endpoint, participant, hidden: this.#grant.hidden });
      await media.request('endpoint.suspend', { endpoint });
      await this.session.startRow();
    } catch (error) {
      if (!this.closed) throw error;
    }
    // Who left meanwhile may have closed the endpoint before it was open again.
    if (this.closed) await media.request('endpoint.close', { endpoint });
  }

  /**
   * Ends the call, and the tokens that its participant has do not open another.
   * @param tokensGoodFrom Unix seconds: newer tokens do; a minute from now where it is not given
   */
  remove(tokensGoodFrom?: number): Promise<void> {
    this.#parts.removals.note(this.session.room, this.session.participant, tokensGoodFrom);
    return this.end(new MicroturnError('session/removed'));
  }

  /** Ends the call from the edge's side and says why. Ending twice is harmless. */
  async end(error: MicroturnError): Promise<void> {
    const carrier = this.#carrier;
    this.#carrier = undefined;
    const closed = this.close(error.code);
    carrier?.end(error, false);
    await closed;
  }

  close(reason: string): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  /** Nobody hears and nobody is heard; the row, the clock and the history go on. */
  #wait(): void {
    const { media, after, clock, resumeMs, log } = this.#parts;
    this.#awaited = this.#carrier;
    this.#carrier = undefined;
    if (this.closed) return;
    this.session.suspend();
    this.#seat.goAway();
    this.#cancelExpiry?.();
    this.#expiresAtMs = clock.now() + resumeMs;
    this.#cancelExpiry = after(resumeMs, () => {
      this.close('session/expired').catch((error: unknown) => log.error({ err: error }, 'a call did not close'));
    });
    media
      .request('endpoint.suspend', { endpoint: this.session.endpoint })
      .catch((error: unknown) => log.debug({ err: error }, 'an endpoint was not suspended'));
  }

  async #close(reason: string): Promise<void> {
    const { media, calls, resumable, recorder, log } = this.#parts;
    const { session, grant } = this;
    this.#cancelExpiry?.();
    // First, so that the session's own word of its end finds nothing left to end.
    calls.delete(session.id);
    resumable.delete(session.resumeToken);
    recorder.remove(session.id);
    session.close(reason);
    this.#seat.leave();
    try {
      await media.request('endpoint.close', { endpoint: session.endpoint });
    } catch (error) {
      log.warn({ err: error }, 'an endpoint was not closed in order');
    }
    // A newer connection may have taken the place already.
    const { members } = this.#stay.room;
    if (members.get(grant.identity) === this) members.delete(grant.identity);
    try {
      await this.#stay.leave();
    } catch (error) {
      log.warn({ err: error }, 'a room was not closed in order');
    }
  }
}
