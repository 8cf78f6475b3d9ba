import type { TrackOffer } from '@microturn/protocol';
import wrtc from '@roamhq/wrtc';
import { Device, type types } from 'mediasoup-client';
import { SocketClient } from './socket-client.js';

const FRAME_MS = 10;
const RATE_HZ = 48_000;
/** RMS, in [0, 1], above which something is heard. */
const AUDIBLE = 0.005;

interface AudioFrame {
  readonly samples: Int16Array;
  readonly sampleRate: number;
}

/** A participant with ICE, DTLS and Opus both ways and no browser: silence goes up, and what comes down is listened to. */
export class MediaClient implements AsyncDisposable {
  readonly signaling: SocketClient;
  readonly #closers: (() => void)[] = [];
  #heardMs = 0;

  private constructor(signaling: SocketClient) {
    this.signaling = signaling;
  }

  static async open(url: string, token: string): Promise<MediaClient> {
    useWebRtc();
    const signaling = await SocketClient.join(url, token);
    const client = new MediaClient(signaling);
    client.#closers.push(() => signaling.close());
    try {
      await client.#connect(signaling.joined);
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** How much sound was heard of the agent so far, ms. */
  get heardMs(): number {
    return this.#heardMs;
  }

  close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #connect(
    joined: (SocketClient & {
      joined: { sendTransport: object; recvTransport: object; routerRtpCapabilities: object };
    })['joined'],
  ): Promise<void> {
    const device = await Device.factory({ handlerName: 'Chrome111' });
    await device.load({ routerRtpCapabilities: joined.routerRtpCapabilities as types.RtpCapabilities });
    const send = device.createSendTransport(joined.sendTransport as types.TransportOptions);
    const receive = device.createRecvTransport(joined.recvTransport as types.TransportOptions);
    this.#closers.push(
      () => send.close(),
      () => receive.close(),
    );
    for (const transport of [send, receive]) {
      transport.on('connect', ({ dtlsParameters }, done, fail) => {
        this.signaling
          .request({ type: 'transport.connect', transportId: transport.id, dtlsParameters })
          .then(() => done(), fail);
      });
    }
    send.on('produce', ({ rtpParameters }, done, fail) => {
      this.signaling
        .request({ type: 'produce', transportId: send.id, source: 'microphone', rtpParameters })
        .then((result) => done({ id: (result as { producerId: string }).producerId }), fail);
    });
    const source = new wrtc.nonstandard.RTCAudioSource();
    const samples = new Int16Array((RATE_HZ * FRAME_MS) / 1000);
    const timer = setInterval(
      () =>
        source.onData({
          samples,
          sampleRate: RATE_HZ,
          bitsPerSample: 16,
          channelCount: 1,
          numberOfFrames: samples.length,
        }),
      FRAME_MS,
    );
    this.#closers.push(() => clearInterval(timer));
    await send.produce({ track: source.createTrack() as unknown as MediaStreamTrack, stopTracks: false });
    const { tracks } = (await this.signaling.request({
      type: 'subscribe',
      rtpCapabilities: device.recvRtpCapabilities,
    })) as { tracks: TrackOffer[] };
    const agent = tracks.find(({ source: from }) => from === 'agent');
    if (!agent) throw new Error('the agent’s voice was not offered');
    const consumer = await receive.consume({
      id: agent.consumerId,
      producerId: agent.producerId,
      kind: 'audio',
      rtpParameters: agent.rtpParameters as unknown as types.RtpParameters,
    });
    const sink = new wrtc.nonstandard.RTCAudioSink(consumer.track as never);
    sink.ondata = (frame: unknown) => this.#listen(frame as AudioFrame);
    this.#closers.push(() => sink.stop());
  }

  #listen({ samples, sampleRate }: AudioFrame): void {
    const power = samples.reduce((sum, x) => sum + (x / 32_768) ** 2, 0) / samples.length;
    if (Math.sqrt(power) > AUDIBLE) this.#heardMs += (samples.length * 1000) / sampleRate;
  }
}

/** mediasoup-client finds WebRTC where a browser has it. */
function useWebRtc(): void {
  const names = [
    'RTCPeerConnection',
    'RTCSessionDescription',
    'RTCIceCandidate',
    'MediaStream',
    'MediaStreamTrack',
  ] as const;
  for (const name of names)
    (globalThis as Record<string, unknown>)[name] ??= (wrtc as unknown as Record<string, unknown>)[name];
}
