import { randomUUID } from 'node:crypto';
import { MicroturnError, type ClientMessageOf, type JoinResult } from '@microturn/protocol';
import type { Clock } from '../clock.js';
import type { Decision } from '../engine/types.js';
import {
  Session,
  type RoomRegistry,
  type RoomStay,
  type SessionEngine,
  type SessionMedia,
  type SessionVoice,
} from '../session/index.js';
import type { Log } from '../telemetry/log.js';
import { verifyJoinToken, type ApiKeys, type Grant } from './auth.js';

export interface CallParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly keys: ApiKeys;
  readonly iceServers: readonly object[];
  readonly media: SessionMedia;
  readonly engine: SessionEngine;
  readonly voice: SessionVoice;
  readonly rooms: RoomRegistry<Call>;
  /** By session id: where the app's server finds a session to speak through. */
  readonly calls: Map<string, Call>;
  readonly onDecision: (decision: Decision, lagMs: number) => void;
}

/** One participant in a room: their grant, their endpoint on the media thread and their session with the agent. */
export class Call {
  readonly grant: Grant;
  readonly session: Session;
  readonly joined: JoinResult;
  readonly #parts: CallParts;
  readonly #stay: RoomStay<Call>;
  /** The connection that carries the call; told when somebody else ends it. */
  onEnded: ((error: MicroturnError) => void) | undefined;
  #closing: Promise<void> | undefined;

  private constructor(parts: CallParts, stay: RoomStay<Call>, grant: Grant, session: Session, joined: JoinResult) {
    this.#parts = parts;
    this.#stay = stay;
    this.grant = grant;
    this.session = session;
    this.joined = joined;
  }

  /**
   * Lets a participant in: token, room, transports, row, in this order, and undone in reverse where one fails.
   * @throws {MicroturnError} `auth/*`, `edge/full`, `session/expired`, or what the media thread says
   */
  static async open(parts: CallParts, message: ClientMessageOf<'join'>): Promise<Call> {
    const grant = await verifyJoinToken(message.token, parts.keys, message.room);
    // Sessions end with their socket for now, so there is nothing to go back to.
    if (message.resume) throw new MicroturnError('session/expired');
    const stay = await parts.rooms.enter(grant.room);
    try {
      const earlier = stay.room.members.get(grant.identity);
      if (earlier) await earlier.end(new MicroturnError('session/replaced'));
      return await Call.#enter(parts, grant, stay);
    } catch (error) {
      await stay.leave();
      throw error;
    }
  }

  static async #enter(parts: CallParts, grant: Grant, stay: RoomStay<Call>): Promise<Call> {
    const { room } = stay;
    const { media, clock, engine, voice, log } = parts;
    const endpoint = randomUUID();
    const transports = await media.request('endpoint.open', { room: room.id, endpoint, participant: grant.identity });
    try {
      const session = await Session.open(
        {
          room: room.id,
          participant: grant.identity,
          clock,
          media,
          engine,
          voice,
          log,
          onClosed: ({ id }, reason) => void parts.calls.get(id)?.end(new MicroturnError('session/closed', reason)),
          onDecision: parts.onDecision,
        },
        endpoint,
      );
      const call = new Call(parts, stay, grant, session, {
        sessionId: session.id,
        room: room.id,
        participant: grant.identity,
        resumeToken: session.resumeToken,
        resumed: false,
        model: `${session.model.name} ${session.model.version}`,
        microTurnMs: session.model.microTurnMs,
        sessionMs: session.nowMs,
        routerRtpCapabilities: room.rtpCapabilities as JoinResult['routerRtpCapabilities'],
        sendTransport: transports.sendTransport as JoinResult['sendTransport'],
        recvTransport: transports.recvTransport as JoinResult['recvTransport'],
        iceServers: parts.iceServers as JoinResult['iceServers'],
      });
      // Two sockets with one identity may have come this far together: the later one stays.
      const rival = room.members.get(grant.identity);
      room.members.set(grant.identity, call);
      parts.calls.set(session.id, call);
      await rival?.end(new MicroturnError('session/replaced'));
      return call;
    } catch (error) {
      await media.request('endpoint.close', { endpoint });
      throw error;
    }
  }

  /** Ends the call from the edge's side and says why. Ending twice is harmless. */
  async end(error: MicroturnError): Promise<void> {
    const tell = this.onEnded;
    this.onEnded = undefined;
    tell?.(error);
    await this.close(error.code);
  }

  close(reason: string): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: string): Promise<void> {
    const { media, calls, log } = this.#parts;
    const { session, grant } = this;
    // First, so that the session's own word of its end finds nothing left to end.
    calls.delete(session.id);
    session.close(reason);
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
