import { MicroturnError } from '@microturn/protocol';
import type { types } from 'mediasoup';
import { parseDtlsParameters, parseRtpCapabilities, parseRtpParameters } from './client-parameters.js';

export type RtcTransportState = 'connected' | 'disconnected' | 'failed' | 'closed';

export interface RtcProducer {
  readonly producerId: string;
  readonly kind: 'audio' | 'video';
}

export interface RtcConsumer {
  readonly consumerId: string;
  readonly producerId: string;
  readonly kind: 'audio' | 'video';
  readonly rtpParameters: object;
}

/** Consumers that are asked for the round trip at a time: each is a question to the worker, for each endpoint, every second. */
const ASKED_FOR_RTT = 2;

/** One caller: a transport each way. Owns its producers and consumers. */
export class RtcEndpoint {
  readonly #router: types.Router;
  readonly #levels: types.AudioLevelObserver;
  readonly #send: types.WebRtcTransport;
  readonly #recv: types.WebRtcTransport;
  readonly #producers = new Map<string, types.Producer>();
  readonly #consumers = new Map<string, types.Consumer>();
  readonly #connected = new Set<string>();
  /** The consumer that knew the round trip last; and of which it is asked next, where none did. */
  #measured: string | undefined;
  #nextAsked = 0;
  #capabilities: types.RtpCapabilities | undefined;
  #closed = false;

  private constructor(
    router: types.Router,
    levels: types.AudioLevelObserver,
    send: types.WebRtcTransport,
    recv: types.WebRtcTransport,
    onState: (transportId: string, state: RtcTransportState) => void,
  ) {
    this.#router = router;
    this.#levels = levels;
    this.#send = send;
    this.#recv = recv;
    for (const transport of [send, recv]) watch(transport, (state) => this.#closed || onState(transport.id, state));
  }

  static async create(
    router: types.Router,
    webRtcServer: types.WebRtcServer,
    levels: types.AudioLevelObserver,
    onState: (transportId: string, state: RtcTransportState) => void,
  ): Promise<RtcEndpoint> {
    const open = () =>
      router.createWebRtcTransport({
        webRtcServer,
        enableUdp: true,
        enableTcp: true,
        preferUdp: true,
        initialAvailableOutgoingBitrate: 1_000_000,
      });
    // Both at once: the worker is asked over a pipe, and a join waits for each answer.
    const [send, recv] = await Promise.allSettled([open(), open()]);
    if (send.status === 'fulfilled' && recv.status === 'fulfilled') {
      return new RtcEndpoint(router, levels, send.value, recv.value, onState);
    }
    for (const one of [send, recv]) if (one.status === 'fulfilled') one.value.close();
    throw send.status === 'rejected' ? send.reason : (recv as PromiseRejectedResult).reason;
  }

  /** What the caller's device needs to create the two ends. */
  get transports(): { sendTransport: object; recvTransport: object } {
    return { sendTransport: describe(this.#send), recvTransport: describe(this.#recv) };
  }

  async connect(transportId: string, dtlsParameters: unknown): Promise<void> {
    const transport = this.#transport(transportId);
    const checked = parseDtlsParameters(dtlsParameters);
    if (this.#connected.has(transportId))
      throw new MicroturnError('protocol/state', 'the transport is connected already');
    this.#connected.add(transportId);
    await this.#run(transport.connect({ dtlsParameters: checked }));
  }

  async restartIce(transportId: string): Promise<object> {
    return this.#run(this.#transport(transportId).restartIce());
  }

  /**
   * Takes a track of the caller.
   * @throws {MicroturnError} `protocol/malformed` where `rtpParameters` are not those of one, `protocol/state` on the wrong transport
   */
  async produce(transportId: string, kind: 'audio' | 'video', rtpParameters: unknown): Promise<RtcProducer> {
    if (this.#transport(transportId) !== this.#send) {
      throw new MicroturnError('protocol/state', 'this transport receives; produce on the sending one');
    }
    const producer = await this.#run(
      this.#send.produce({ kind, rtpParameters: parseRtpParameters(rtpParameters, kind) }),
    );
    if (this.#closed) {
      producer.close();
      throw new MicroturnError('protocol/state', 'the endpoint is closed');
    }
    this.#producers.set(producer.id, producer);
    producer.observer.once('close', () => this.#producers.delete(producer.id));
    // It lets go of the producer by itself, when that closes.
    if (kind === 'audio') await this.#run(this.#levels.addProducer({ producerId: producer.id }));
    return { producerId: producer.id, kind: producer.kind };
  }

  /** Keeps what the caller's device can play; from here on `consume` can be used. */
  setCapabilities(rtpCapabilities: unknown): void {
    this.#capabilities = parseRtpCapabilities(rtpCapabilities);
  }

  /**
   * Sends a producer of the room to this caller; undefined where their device cannot play it or it has just ended.
   * `onClosed` is called when the producer ends, and not when this endpoint does.
   */
  async consume(producerId: string, onClosed: (consumerId: string) => void): Promise<RtcConsumer | undefined> {
    if (this.#closed || !this.#capabilities) return undefined;
    const rtpCapabilities = this.#capabilities;
    try {
      if (!this.#router.canConsume({ producerId, rtpCapabilities })) return undefined;
      // NACK for sound as well: a packet that is sent again is in time more often than not.
      const consumer = await this.#recv.consume({ producerId, rtpCapabilities, enableRtx: true });
      if (this.#closed) {
        consumer.close();
        return undefined;
      }
      this.#consumers.set(consumer.id, consumer);
      consumer.observer.once('close', () => this.#consumers.delete(consumer.id));
      consumer.once('producerclose', () => onClosed(consumer.id));
      return { consumerId: consumer.id, producerId, kind: consumer.kind, rtpParameters: consumer.rtpParameters };
    } catch (cause) {
      if (this.#recv.closed) return undefined;
      throw new MicroturnError('protocol/malformed', `rtpCapabilities: ${messageOf(cause)}`, { cause });
    }
  }

  async setPaused(producerId: string, paused: boolean): Promise<void> {
    const producer = this.#producer(producerId);
    await this.#run(paused ? producer.pause() : producer.resume());
  }

  closeProducer(producerId: string): void {
    this.#producer(producerId).close();
  }

  /**
   * Round trip of the path to this caller, from their reports on what they receive. They report on what is sent, so most of
   * a large room's consumers know nothing: the one that knew is asked again, else a few, others each time.
   */
  async rttMs(): Promise<number | undefined> {
    const measured = this.#consumers.get(this.#measured ?? '');
    const known = measured && (await roundTripOf(measured));
    if (known !== undefined) return known;
    this.#measured = undefined;
    const consumers = [...this.#consumers.values()];
    for (let asked = 0; asked < Math.min(ASKED_FOR_RTT, consumers.length); asked++) {
      const consumer = consumers[this.#nextAsked++ % consumers.length]!;
      const rttMs = await roundTripOf(consumer);
      if (rttMs === undefined) continue;
      this.#measured = consumer.id;
      return rttMs;
    }
    return undefined;
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#send.close();
    this.#recv.close();
    this.#producers.clear();
    this.#consumers.clear();
  }

  #transport(id: string): types.WebRtcTransport {
    if (this.#closed) throw new MicroturnError('protocol/state', 'the endpoint is closed');
    if (id === this.#send.id) return this.#send;
    if (id === this.#recv.id) return this.#recv;
    throw new MicroturnError('protocol/state', 'no such transport');
  }

  #producer(id: string): types.Producer {
    const producer = this.#producers.get(id);
    if (!producer) throw new MicroturnError('protocol/state', 'no such producer');
    return producer;
  }

  /** What mediasoup refuses after our own checks is still the client's fault, unless the worker is gone. */
  async #run<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (cause) {
      const code = this.#router.closed ? 'edge/worker-died' : 'protocol/malformed';
      throw new MicroturnError(code, messageOf(cause), { cause });
    }
  }
}

async function roundTripOf(consumer: types.Consumer): Promise<number | undefined> {
  const stats = await consumer.getStats().catch(() => []);
  for (const entry of stats) if (entry.type === 'outbound-rtp' && entry.roundTripTime) return entry.roundTripTime;
  return undefined;
}

function describe(transport: types.WebRtcTransport): object {
  const { id, iceParameters, iceCandidates, dtlsParameters } = transport;
  return { id, iceParameters, iceCandidates, dtlsParameters };
}

/** Joins ICE and DTLS into the one state that a caller cares about, and tells it when it changes. */
function watch(transport: types.WebRtcTransport, onState: (state: RtcTransportState) => void): void {
  let known: RtcTransportState | undefined;
  const update = () => {
    const state = stateOf(transport.iceState, transport.dtlsState);
    if (!state || state === known) return;
    known = state;
    onState(state);
  };
  transport.on('icestatechange', update);
  transport.on('dtlsstatechange', update);
}

function stateOf(ice: types.IceState, dtls: types.DtlsState): RtcTransportState | undefined {
  if (dtls === 'failed' || dtls === 'closed') return dtls;
  if (ice === 'closed') return 'closed';
  if (ice === 'disconnected') return 'disconnected';
  if (dtls === 'connected' && (ice === 'connected' || ice === 'completed')) return 'connected';
  return undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
