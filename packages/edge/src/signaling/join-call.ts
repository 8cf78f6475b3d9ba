import { randomUUID } from 'node:crypto';
import { MicroturnError, type ClientMessageOf } from '@microturn/protocol';
import type { Decision, ModelInfo } from '../engine/types.js';
import type { Agents } from '../recipes/index.js';
import {
  Session,
  type OpenBackground,
  type RoomRegistry,
  type RoomStay,
  type SessionEngine,
  type SessionOrigin,
  type SessionVoice,
} from '../session/index.js';
import type { FoundSession, Recordable } from '../store/index.js';
import { verifyJoinToken, type Grant } from './auth.js';
import { Call, type CallParts, type Joined } from './call.js';
import type { Dispatches } from './dispatches.js';
import type { Gate } from './gate.js';
import type { KeyRing } from './key-ring.js';
import type { Turnstile } from './turnstile.js';
import type { UsedTokens } from './used-tokens.js';

/** What it takes to let somebody in, beyond what their call needs then. */
export interface JoinParts extends CallParts {
  readonly keys: KeyRing;
  readonly usedTokens: UsedTokens;
  readonly engine: CallEngine;
  readonly voice: SessionVoice;
  /** Who there is to talk with. */
  readonly agents: Agents;
  /** Who was sent to which room by the app's server. */
  readonly dispatches: Dispatches;
  readonly rooms: RoomRegistry<Call>;
  /** The background of a session, by the model that it talks with. */
  readonly background?: ((model: ModelInfo) => OpenBackground) | undefined;
  /** By room and identity: one participant joins once at a time. */
  readonly turnstile: Turnstile;
  /** Few join at a time: those who talk are not to notice that many come. */
  readonly gate: Gate;
  /** Keeps sessions for a process that comes after this one. */
  readonly recorder: CallRecorder;
  readonly onDecision: (decision: Decision, lagMs: number) => void;
}

/** An engine that also knows of one who takes the place of another. */
export interface CallEngine extends SessionEngine {
  /** As `lease`, for one whose earlier row was given back just now: what that took of the machine is free. */
  leaseAgain: SessionEngine['lease'];
}

export interface CallRecorder {
  add(source: Recordable, origin?: FoundSession): void;
  remove(id: string): void;
  /** @throws {MicroturnError} `edge/store` where that cannot be known now */
  find(resumeToken: string): Promise<FoundSession | undefined>;
}

/**
 * Lets a participant in, or back in where the message has a resume token.
 * @throws {MicroturnError} `auth/*`, `recipe/unknown`, `edge/full`, `session/expired`, `edge/store` where sessions cannot be
 *   looked for now, or what the media thread says
 */
export async function joinCall(
  parts: JoinParts,
  message: ClientMessageOf<'join'>,
): Promise<{ call: Call; joined: Joined }> {
  // Every time: a token that was good an hour ago may not be now.
  const keys = parts.keys.current;
  const verified = await verifyJoinToken(message.token, keys, message.room);
  const assertStillGood = () => {
    if (parts.keys.current[verified.key] !== keys[verified.key]) throw new MicroturnError('auth/revoked');
    parts.removals.assertMayJoin(verified);
  };
  assertStillGood();
  const grant = { ...verified, audience: verified.audience ?? message.audience };
  const { resume } = message;
  // What the app's server says counts before what the client asks for.
  const recipe = grant.agent ?? parts.dispatches.agentFor(grant.room) ?? message.recipe;
  const letIn = async () => {
    if (!resume) return enterOnce(parts, grant, recipe);
    const call = parts.resumable.get(resume.resumeToken);
    const found = call ? undefined : await parts.recorder.find(resume.resumeToken);
    const { room, participant } = call?.session ?? found?.session ?? {};
    if (call?.closed || room !== grant.room || participant !== grant.identity) {
      throw new MicroturnError('session/expired');
    }
    // The others have been told of them, or not, and of their tracks.
    if (call && call.grant.hidden !== grant.hidden) throw new MicroturnError('session/expired', 'hidden');
    if (call) return { call, joined: await call.reenter(grant) };
    return enter(parts, grant, recipe, found && { ...found, ...resume });
  };
  const entered = await parts.turnstile.pass(JSON.stringify([grant.room, grant.identity]), () =>
    parts.gate.pass(letIn),
  );
  try {
    // Much may have happened while they waited.
    assertStillGood();
  } catch (error) {
    await entered.call.end(MicroturnError.from(error, 'edge/internal'));
    throw error;
  }
  return entered;
}

/** A session that is resumed is not another join: who may resume it has its resume token. */
async function enterOnce(parts: JoinParts, grant: Grant, recipe: string | undefined) {
  const giveBack = parts.usedTokens.use(grant);
  try {
    return await enter(parts, grant, recipe);
  } catch (error) {
    giveBack();
    throw error;
  }
}

/** Token, room, transports, row, in this order, and undone in reverse where one fails. */
async function enter(
  parts: JoinParts,
  grant: Grant,
  recipe: string | undefined,
  origin?: SessionOrigin,
): Promise<{ call: Call; joined: Joined }> {
  // Before anything is opened for them, or ended: refusing a crowd costs next to nothing then.
  parts.agents.assertKnown(recipe);
  const replaces = parts.rooms.get(grant.room)?.members.get(grant.identity)?.closed === false;
  if (!replaces) parts.engine.assertRoom();
  const stay = await parts.rooms.enter(grant.room, grant.identity);
  try {
    return await openIn(parts, grant, stay, recipe, origin);
  } catch (error) {
    await stay.leave();
    throw error;
  }
}

async function openIn(
  parts: JoinParts,
  grant: Grant,
  stay: RoomStay<Call>,
  recipe: string | undefined,
  origin: SessionOrigin | undefined,
): Promise<{ call: Call; joined: Joined }> {
  const { room } = stay;
  const { media, clock, voice, agents, log } = parts;
  const endpoint = randomUUID();
  const transports = await media.request('endpoint.open', {
    room: room.id,
    endpoint,
    participant: grant.identity,
    hidden: grant.hidden,
  });
  try {
    // Ended and leased in one go: the row that the one before gives back is nobody else's meanwhile.
    const before = room.members.get(grant.identity);
    const replaces = before?.closed === false;
    const ended = before?.end(new MicroturnError('session/replaced'));
    const floor = replaces ? inPlaceOfAnother(parts.engine) : parts.engine;
    const { engine, speaker, keepClip } = agents.forCall(recipe, { floor, media, endpoint });
    const opening = Session.open(
      {
        room: room.id,
        participant: grant.identity,
        roomAudience: room.audience,
        audience: grant.audience ?? 'room',
        clock,
        media,
        engine,
        voice,
        speaker,
        keepClip,
        log,
        background: parts.background?.(engine.info),
        onClosed: ({ id }, reason) => void parts.calls.get(id)?.end(new MicroturnError('session/closed', reason)),
        onDecision: parts.onDecision,
      },
      endpoint,
      origin,
    );
    const [session] = await Promise.all([opening, ended]);
    // Its row may have been lost while the call before closed: nobody would hear of its end any more.
    if (session.closed) throw new MicroturnError('session/closed');
    const call = new Call(parts, stay, grant, session);
    room.members.set(grant.identity, call);
    parts.calls.set(session.id, call);
    parts.resumable.set(session.resumeToken, call);
    parts.recorder.add(call, origin);
    return { call, joined: call.joined(transports, origin !== undefined) };
  } catch (error) {
    await media.request('endpoint.close', { endpoint });
    throw error;
  }
}

/** @see EngineHost.leaseAgain */
function inPlaceOfAnother(engine: CallEngine): SessionEngine {
  return {
    info: engine.info,
    assertRoom: () => undefined,
    lease: (...parameters) => engine.leaseAgain(...parameters),
  };
}
