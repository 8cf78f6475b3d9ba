import { randomBytes } from 'node:crypto';
import { MicroturnError } from '@microturn/protocol';
import type { types } from 'mediasoup';
import { Observable, share } from 'rxjs';
import { voiceRtpParameters } from './codecs.js';
import { RtcEndpoint, type RtcTransportState } from './rtc-endpoint.js';

/** A producer that the edge feeds itself. */
export interface RtcVoice {
  readonly producerId: string;
  readonly ssrc: number;
  readonly payloadType: number;
  /** Takes one whole RTP packet. Does nothing once closed. */
  send(packet: Uint8Array): void;
  close(): void;
}

/** A copy of what a producer receives, for the edge itself. */
export interface RtcTap {
  /** RTP packets as they come; completes when the producer is gone. Each is the subscriber's to keep. */
  readonly packet$: Observable<Uint8Array>;
  close(): void;
}

/** How often the loudest are looked for. Long enough for most pauses between words. */
const SPEAKERS_EVERY_MS = 400;
/** Of one who counts as speaking, dBov on average over that time. */
const SPEAKING_DBOV = -55;
const MOST_SPEAKERS = 8;

/** One router, and the direct transport by which the edge itself takes part in the call. Owns its endpoints. */
export class RtcRoom {
  readonly #router: types.Router;
  readonly #direct: types.DirectTransport;
  readonly #webRtcServer: types.WebRtcServer;
  readonly #levels: types.AudioLevelObserver;
  /** The producers that are loud now, loudest first, at most eight. Measured by what their senders say of their level. */
  readonly speakers$: Observable<readonly string[]>;

  private constructor(
    router: types.Router,
    direct: types.DirectTransport,
    webRtcServer: types.WebRtcServer,
    levels: types.AudioLevelObserver,
  ) {
    this.#router = router;
    this.#direct = direct;
    this.#webRtcServer = webRtcServer;
    this.#levels = levels;
    this.speakers$ = loudest(levels);
  }

  static async create(router: types.Router, webRtcServer: types.WebRtcServer): Promise<RtcRoom> {
    const [direct, levels] = await Promise.all([
      router.createDirectTransport(),
      router.createAudioLevelObserver({
        interval: SPEAKERS_EVERY_MS,
        threshold: SPEAKING_DBOV,
        maxEntries: MOST_SPEAKERS,
      }),
    ]);
    return new RtcRoom(router, direct, webRtcServer, levels);
  }

  get closed(): boolean {
    return this.#router.closed;
  }

  get rtpCapabilities(): object {
    return this.#router.rtpCapabilities;
  }

  /** For tests and load: plain RTP into the room, no ICE and no DTLS. */
  get router(): types.Router {
    return this.#router;
  }

  async createEndpoint(onState: (transportId: string, state: RtcTransportState) => void): Promise<RtcEndpoint> {
    this.#assertOpen();
    return RtcEndpoint.create(this.#router, this.#webRtcServer, this.#levels, onState);
  }

  /** Opens the agent's voice: RTP given to it reaches whoever consumes its producer. */
  async createVoice(): Promise<RtcVoice> {
    this.#assertOpen();
    const opus = this.#router.rtpCapabilities.codecs?.find((codec) => codec.mimeType.toLowerCase() === 'audio/opus');
    if (!opus) throw new MicroturnError('edge/internal', 'the router has no Opus');
    const payloadType = opus.preferredPayloadType;
    const ssrc = randomBytes(4).readUInt32BE() || 1;
    const producer = await this.#direct.produce({
      kind: 'audio',
      rtpParameters: voiceRtpParameters(ssrc, payloadType),
    });
    return {
      producerId: producer.id,
      ssrc,
      payloadType,
      send: (packet) => {
        if (!producer.closed) producer.send(Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength));
      },
      close: () => producer.close(),
    };
  }

  /** Taps a producer of this room. The tap ends by itself when the producer does. */
  async tap(producerId: string): Promise<RtcTap> {
    this.#assertOpen();
    const consumer = await this.#direct.consume({ producerId, rtpCapabilities: this.#router.rtpCapabilities });
    return { packet$: rtpPackets(consumer).pipe(share()), close: () => consumer.close() };
  }

  close(): void {
    this.#router.close();
  }

  #assertOpen(): void {
    if (this.closed) throw new MicroturnError('protocol/state', 'the room is closed');
  }
}

function loudest(levels: types.AudioLevelObserver): Observable<readonly string[]> {
  return new Observable((subscriber) => {
    const onVolumes = (volumes: types.AudioLevelObserverVolume[]) =>
      subscriber.next(volumes.map(({ producer }) => producer.id));
    const onSilence = () => subscriber.next([]);
    levels.on('volumes', onVolumes).on('silence', onSilence);
    return () => levels.off('volumes', onVolumes).off('silence', onSilence);
  });
}

function rtpPackets(consumer: types.Consumer): Observable<Uint8Array> {
  return new Observable((subscriber) => {
    const onPacket = (packet: Uint8Array) => subscriber.next(packet);
    const onEnd = () => subscriber.complete();
    consumer.on('rtp', onPacket).on('producerclose', onEnd).on('transportclose', onEnd);
    return () => consumer.off('rtp', onPacket).off('producerclose', onEnd).off('transportclose', onEnd);
  });
}
