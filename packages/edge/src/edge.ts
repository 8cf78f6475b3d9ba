import { MicroturnError, type AudienceChoice, type PatchOperation } from '@microturn/protocol';
import type { FastifyInstance } from 'fastify';
import type { AddressInfo } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { inUrl, isLoopback, isWildcard } from './addresses.js';
import type { Background } from './background/index.js';
import { after, monotonicClock } from './clock.js';
import { closeAll, type Closable } from './close-all.js';
import { parseConfig, type EdgeConfig } from './config.js';
import type { EngineHost } from './engine/index.js';
import { certificateFor } from './https.js';
import { EdgeStats } from './edge-stats.js';
import type { MediaHost } from './media/index.js';
import { MediaWatch } from './media-watch.js';
import type { Agents } from './recipes/index.js';
import { RoomRegistry, type AppBackground, type Room, type Session } from './session/index.js';
import {
  Connection,
  Gate,
  Removals,
  Dispatches,
  trustedProxies,
  Turnstile,
  UsedTokens,
  WaitingRoom,
  callsToShed,
  createHttpServer,
  mintJoinToken,
  spareDescriptors,
  type AdministeredRoom,
  type Call,
  type Certificate,
  type ConnectionParts,
  type KeyRing,
  type Webhooks,
} from './signaling/index.js';
import type { SessionRecorder } from './store/index.js';
import type { EdgeMetrics, Log } from './telemetry/index.js';
import { VERSION } from './version.js';
import type { VoiceHost } from './voice/index.js';

/** How often the media thread is asked how its endpoints fare. */
const STATS_MS = 1000;
/** How often a socket is asked for a sign of life: a silent peer is noticed within three of these. */
const ALIVE_MS = 3000;

/** Joins under way at once: opening a room and its transports takes the media thread some milliseconds of its tick. */
const JOINING_AT_ONCE = 4;

/** A room, as the app's server sees and changes it. */
function administered({ id, roster, members }: Room<Call>): AdministeredRoom {
  return {
    id,
    participants: roster.participants,
    find: (identity) => {
      const call = members.get(identity);
      return (
        call && {
          mute: (trackId) => call.muteFromOutside(trackId),
          remove: (tokensGoodFrom) => call.remove(tokensGoodFrom),
        }
      );
    },
  };
}

/** What `createEdge` has opened, and hands over. */
export interface EdgeParts {
  readonly config: EdgeConfig;
  readonly log: Log;
  readonly certificate: Certificate | undefined;
  readonly announcedAddress: string | undefined;
  readonly metrics: EdgeMetrics;
  readonly recorder: SessionRecorder;
  readonly engine: EngineHost;
  readonly voice: VoiceHost;
  readonly background: Background | undefined;
  readonly media: MediaHost;
  readonly agents: Agents;
  readonly keys: KeyRing;
  readonly webhooks: Webhooks;
  readonly opened: Closable[];
}

/** A running edge. */
export class Edge {
  readonly config: EdgeConfig;
  /** Called once, where a part died more often than another start mends. Nobody is let in any more: close it, and create another. */
  onFailed: ((error: MicroturnError) => void) | undefined;
  readonly #parts: EdgeParts;
  readonly #removals = new Removals();
  readonly #usedTokens = new UsedTokens();
  readonly #dispatches: Dispatches;
  readonly #rooms: RoomRegistry<Call>;
  readonly #calls = new Map<string, Call>();
  readonly #resumable = new Map<string, Call>();
  readonly #turnstile = new Turnstile();
  readonly #gate = new Gate(JOINING_AT_ONCE);
  readonly #waiting = new WaitingRoom();
  readonly #connections = new Set<Connection>();
  readonly #ofConnections: ConnectionParts;
  #maxConnections = Infinity;
  #http: FastifyInstance | undefined;
  readonly #mediaWatch: MediaWatch;
  readonly #stats: EdgeStats;
  #statsTimer: NodeJS.Timeout | undefined;
  #aliveTimer: NodeJS.Timeout | undefined;
  #draining = false;
  /** For good. */
  #failed: MicroturnError | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: EdgeParts) {
    this.config = parts.config;
    this.#parts = parts;
    this.#dispatches = new Dispatches(parts.agents.names, after);
    this.#rooms = new RoomRegistry(parts.media, {
      maxMembers: parts.config.room.maxParticipants,
      watch: (room) => this.#dispatches.watch(room.id, parts.webhooks.watch(room)),
    });
    const { media, log } = parts;
    this.#mediaWatch = new MediaWatch({
      media,
      log,
      connections: this.#connections,
      calls: this.#calls,
      rooms: this.#rooms,
      onFailed: (error) => this.fail(error),
    });
    this.#stats = new EdgeStats({ ...parts, calls: this.#calls, rooms: this.#rooms });
    this.#ofConnections = this.#partsOfConnections();
  }

  /** Where HTTP and signaling are reached from this machine, e.g. `http://127.0.0.1:7880`. */
  get url(): string {
    const address = this.#http?.server.address() as AddressInfo | undefined | null;
    if (!address) throw new MicroturnError('session/closed', 'the edge does not listen');
    const { host, https } = this.config;
    const name = isWildcard(host) ? 'localhost' : inUrl(host);
    return `${https.enabled ? 'https' : 'http'}://${name}:${address.port}`;
  }
  /** UDP and TCP port of media. */
  get mediaPort(): number {
    return this.#parts.media.port;
  }
  /** The address that callers are told to send media to. */
  get mediaAddress(): string {
    return this.#parts.announcedAddress ?? this.config.media.listenIp;
  }
  get sessionCount(): number {
    return this.#calls.size;
  }
  /** Why nobody can be let in. Each reason ends by itself: one that passes says nothing of the others. */
  get #broken(): MicroturnError | undefined {
    return this.#failed ?? this.#mediaWatch.broken;
  }
  /** True while new callers are let in. */
  get ready(): boolean {
    return !this.#draining && !this.#broken && this.#http !== undefined;
  }

  /** A token that joins `room` as `identity`, signed with the first key that there is. */
  mintToken(grant: { identity: string; room: string; ttlSeconds?: number }): Promise<string> {
    return mintJoinToken(this.#parts.keys.current, grant);
  }

  /**
   * Speaks through the agent of a session: a `proactive` response that the model may still stop. `audience` is the room, or
   * `self` for its participant alone; the session's own unless it is given.
   * @throws {MicroturnError} `session/closed` where there is no such session
   */
  say(sessionId: string, text: string, options: { readonly audience?: AudienceChoice } = {}): { responseId: string } {
    return this.#sessionOf(sessionId).say(text, options.audience);
  }

  /**
   * Changes what the page of a session shows: a surface, which is a JSON document with an id, by operations of JSON Patch
   * (add, replace, remove). None of them is done where one does not fit.
   * @throws {MicroturnError} `session/closed` where there is no such session, `ui/patch`, `protocol/malformed`, `protocol/too-large`
   */
  patch(sessionId: string, surfaceId: string, patch: readonly PatchOperation[]): void {
    this.#sessionOf(sessionId).patch(surfaceId, patch);
  }

  /**
   * The background work of a session: asks, with pictures where it has some, amends, answers and cancels for the app.
   * @throws {MicroturnError} `session/closed` where there is no such session, `task/off` where this edge has no background
   */
  background(sessionId: string): AppBackground {
    return this.#sessionOf(sessionId).background;
  }

  #sessionOf(id: string): Session {
    const call = this.#calls.get(id);
    if (!call) throw new MicroturnError('session/closed', 'no such session');
    return call.session;
  }

  /**
   * Changes the model: whoever joins from now on talks with it, and calls that are on keep the one they have.
   * @throws {MicroturnError} `bundle/*`, `engine/failed`: nothing has changed then
   */
  async swapModel(bundleDir: string): Promise<void> {
    const { engine, log } = this.#parts;
    const { name, version } = await engine.swap(bundleDir);
    log.info({ model: name, version }, 'the model was swapped');
  }

  /**
   * Reads the certificate again, which may have been renewed: connections from now on are shown it.
   * @returns false where the edge serves no HTTPS
   * @throws {MicroturnError} `edge/config`: the one that was shown before is kept then
   */
  async renewCertificate(): Promise<boolean> {
    const certificate = await certificateFor(this.config);
    const server: unknown = this.#http?.server;
    if (!certificate || !(server instanceof TlsServer)) return false;
    const { cert, key } = certificate;
    server.setSecureContext({ cert, key });
    return true;
  }

  /**
   * Changes the API keys. Tokens of one that is gone, or has another secret, are not accepted any more, and the calls that
   * were joined or resumed with them end, also those that wait for their client: `auth/revoked`.
   * @returns how many calls ended
   * @throws {MicroturnError} `edge/config`: nothing has changed then
   */
  async changeKeys(keys: EdgeConfig['keys']): Promise<number> {
    const revoked = this.#parts.keys.replace(parseConfig({ keys }).keys);
    const over = [...this.#calls.values()].filter(({ grant }) => revoked.has(grant.key));
    await Promise.all(over.map((call) => call.end(new MicroturnError('auth/revoked'))));
    return over.length;
  }

  /** Called once by `createEdge`. */
  async listen(): Promise<void> {
    const { config, log, certificate, metrics, keys } = this.#parts;
    this.#maxConnections = spareDescriptors();
    const http = await createHttpServer({
      certificate,
      maxConnections: this.#maxConnections,
      version: VERSION,
      keys,
      dispatches: this.#dispatches,
      trustedProxies: trustedProxies(config.trustedProxies),
      metrics,
      recipes: this.#parts.agents.names,
      dev: config.dev,
      loopback: isLoopback(config.host),
      demoDir: config.demo,
      allowedOrigins: config.allowedOrigins,
      ready: () => this.ready,
      refreshMetrics: () => this.#stats.refreshGauges(),
      onSocket: (socket, address) => this.#connect(socket, address),
      say: (id, text, audience) => this.#sessionOf(id).say(text, audience),
      patch: (id, surfaceId, patch) => this.#sessionOf(id).patch(surfaceId, patch),
      rooms: () => this.#rooms.open.map(administered),
      roomOf: (id) => this.#calls.get(id)?.session.room,
    });
    try {
      await http.listen({ host: config.host, port: config.port });
    } catch (cause) {
      await http.close();
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE')
        throw new MicroturnError('edge/port-in-use', `HTTP, ${config.host}:${config.port}`, { cause });
      throw new MicroturnError('edge/config', `cannot listen on ${config.host}:${config.port} (${code})`, { cause });
    }
    this.#http = http;
    if (config.dev && !isLoopback(config.host))
      log.warn({ host: config.host }, 'anybody who reaches this host gets a token at /dev/token');
    this.#mediaWatch.start();
    this.#statsTimer = setInterval(() => {
      for (const call of callsToShed(this.#calls.values())) {
        log.warn({ session: call.id }, 'the engine is too late: its newest call is ended');
        void call.end(new MicroturnError('engine/late', 'others who came before go on'));
      }
      if (this.#calls.size > 0)
        this.#stats.refresh().catch((error: unknown) => log.warn({ err: error }, 'no media stats'));
    }, STATS_MS).unref();
    this.#aliveTimer = setInterval(() => {
      // One that waits to join ends soon by itself, and ten thousand pings at once would hold everybody up.
      for (const connection of this.#connections) if (connection.endpoint !== undefined) connection.checkAlive();
      this.#usedTokens.forgetExpired();
    }, ALIVE_MS).unref();
    if (certificate && certificate.notAfter.getTime() < Date.now())
      log.warn({ notAfter: certificate.notAfter }, 'the certificate has expired: browsers refuse it');
    log.info({ url: this.url, mediaPort: this.mediaPort, mediaAddress: this.mediaAddress }, 'the edge is up');
  }

  /** A part that everything needs is gone for good: callers are told, and whoever runs the edge starts it again. */
  fail(error: MicroturnError): void {
    if (this.#failed || this.#draining) return;
    this.#failed = error;
    this.#parts.log.error({ err: error }, 'the edge cannot go on');
    if (this.#parts.recorder.durable) void this.#handOver(error);
    else for (const call of this.#calls.values()) void call.end(error);
    this.onFailed?.(error);
  }

  /**
   * Lets nobody in, tells everybody, closes everything in reverse. Closing twice is harmless.
   * @param handOver another process is expected in this one's place: where sessions are kept on disk, clients are told to
   *   come back to it. Else the sessions end
   */
  close({ handOver = false }: { readonly handOver?: boolean } = {}): Promise<void> {
    this.#closing ??= this.#close(handOver || this.#failed !== undefined);
    return this.#closing;
  }

  async #close(handOver: boolean): Promise<void> {
    const { log, opened, recorder } = this.#parts;
    this.#draining = true;
    clearInterval(this.#statsTimer);
    clearInterval(this.#aliveTimer);
    const draining = new MicroturnError('edge/draining');
    if (handOver && recorder.durable) await this.#handOver(draining);
    const connections = [...this.#connections];
    for (const connection of connections) connection.end(draining);
    // And the calls that wait for their client.
    const calls = [...this.#calls.values()].map((call) => call.close('edge/draining'));
    await Promise.all([...calls, ...connections.map((connection) => connection.finished)]);
    await this.#http?.close();
    this.#dispatches.close();
    this.#mediaWatch.close();
    await closeAll(opened, log);
    log.info({}, 'the edge is down');
  }

  /** Clients are to come back to the process that follows, which finds their sessions as they are now. */
  #handOver(reason: MicroturnError): Promise<void> {
    for (const call of this.#calls.values()) call.drop(reason);
    return this.#parts.recorder.handOver();
  }

  #connect(socket: ConstructorParameters<typeof Connection>[0], address: string): void {
    const leaveWaiting = this.#waiting.enter(address);
    const connection = new Connection(socket, this.#ofConnections, leaveWaiting);
    this.#connections.add(connection);
    // Whoever comes while the others are being told would keep the server open until they had said something.
    if (this.#draining) connection.end(new MicroturnError('edge/draining'));
    else if (!leaveWaiting) connection.end(new MicroturnError('protocol/rate', 'too many sockets wait to join'));
    else if (this.#connections.size > this.#maxConnections)
      connection.end(new MicroturnError('edge/full', `${this.#maxConnections} connections, by its open files limit`));
  }

  #partsOfConnections(): ConnectionParts {
    const { config, log, metrics, media, engine, voice, recorder, background, agents, keys } = this.#parts;
    return {
      clock: monotonicClock,
      log,
      keys,
      removals: this.#removals,
      usedTokens: this.#usedTokens,
      dispatches: this.#dispatches,
      iceServers: config.media.iceServers,
      media,
      engine,
      voice,
      rooms: this.#rooms,
      calls: this.#calls,
      resumable: this.#resumable,
      turnstile: this.#turnstile,
      gate: this.#gate,
      recorder,
      resumeMs: config.resumeSeconds * 1000,
      after,
      background: background && ((model) => background.openFor(model)),
      agents,
      metrics,
      refusal: () => this.#broken ?? (this.ready ? undefined : new MicroturnError('edge/draining')),
      onDecision: (decision, lagMs) => metrics.noteDecision(decision, lagMs, engine.info.microTurnMs),
      onClosed: (connection) => this.#connections.delete(connection),
    };
  }
}
