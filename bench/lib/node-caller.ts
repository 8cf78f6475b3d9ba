import wrtc from '@roamhq/wrtc';
import type { SessionEvent } from '@microturn/protocol';
import { Device, type types } from 'mediasoup-client';
import { WebSocket } from 'ws';

// What mediasoup-client expects of a browser, as libwebrtc has it in Node.
for (const name of [
  'RTCPeerConnection',
  'RTCSessionDescription',
  'RTCIceCandidate',
  'MediaStream',
  'MediaStreamTrack',
] as const) {
  (globalThis as Record<string, unknown>)[name] ??= wrtc[name];
}
const { RTCAudioSource, RTCAudioSink } = wrtc.nonstandard;

const TIMEOUT_MS = 20_000;

export interface NodeCallerOptions {
  readonly url: string;
  readonly token: string;
  onEvent(event: SessionEvent): void;
  /** In place of what is given to `feed`. */
  readonly microphone?: MediaStreamTrack;
  /** In place of the agent's voice. */
  readonly hear?: { readonly source: string; onTrack(track: MediaStreamTrack): void };
}

interface Offer {
  readonly consumerId: string;
  readonly producerId: string;
  readonly source: string;
  readonly rtpParameters: types.RtpParameters;
}

/** A caller without a browser: libwebrtc, with ICE, DTLS, Opus and a jitter buffer. */
export class NodeCaller {
  readonly #signaling: Signaling;
  readonly #source = new RTCAudioSource();
  readonly #transports: types.Transport[] = [];
  #sink: InstanceType<typeof RTCAudioSink> | undefined;
  #heardPeak = 0;

  private constructor(signaling: Signaling) {
    this.#signaling = signaling;
  }

  static async join(options: NodeCallerOptions): Promise<NodeCaller> {
    const { url, onEvent } = options;
    const caller = new NodeCaller(await Signaling.open(`${url.replace('http', 'ws')}/v1/connect`, onEvent));
    await caller.#join(options);
    return caller;
  }

  /** Loudest sample received, in [0, 1]. */
  get heardPeak(): number {
    return this.#heardPeak;
  }

  /** 10 ms of the microphone, 48 kHz. */
  feed(samples: Int16Array): void {
    this.#source.onData({
      samples,
      sampleRate: 48_000,
      bitsPerSample: 16,
      channelCount: 1,
      numberOfFrames: samples.length,
    });
  }

  async say(text: string): Promise<void> {
    await this.#signaling.request({ type: 'say', text });
  }

  /** The id of the task. */
  async ask(text: string): Promise<string> {
    return (await this.#signaling.request<{ taskId: string }>({ type: 'task.ask', text })).taskId;
  }

  async cancelTasks(): Promise<void> {
    await this.#signaling.request({ type: 'task.cancel' });
  }

  leave(): void {
    this.#sink?.stop();
    for (const transport of this.#transports) transport.close();
    this.#signaling.close();
  }

  async #join({ token, microphone, hear }: NodeCallerOptions): Promise<void> {
    const signaling = this.#signaling;
    const joined = await signaling.request<{
      routerRtpCapabilities: types.RtpCapabilities;
      sendTransport: types.TransportOptions;
      recvTransport: types.TransportOptions;
    }>({ type: 'join', protocol: 1, token });
    const device = await Device.factory({ handlerName: 'Chrome111' });
    await device.load({ routerRtpCapabilities: joined.routerRtpCapabilities });
    const send = device.createSendTransport(joined.sendTransport);
    const receive = device.createRecvTransport(joined.recvTransport);
    this.#transports.push(send, receive);
    for (const transport of [send, receive]) {
      transport.on('connect', ({ dtlsParameters }, done, fail) => {
        signaling
          .request({ type: 'transport.connect', transportId: transport.id, dtlsParameters })
          .then(() => done(), fail);
      });
    }
    send.on('produce', ({ rtpParameters }, done, fail) => {
      signaling
        .request<{ producerId: string }>({ type: 'produce', transportId: send.id, source: 'microphone', rtpParameters })
        .then(({ producerId }) => done({ id: producerId }), fail);
    });
    // As the SDK publishes it.
    await send.produce({
      track: microphone ?? this.#source.createTrack(),
      stopTracks: false,
      codecOptions: { opusStereo: false, opusDtx: false },
    });
    const { tracks } = await signaling.request<{ tracks: Offer[] }>({
      type: 'subscribe',
      rtpCapabilities: device.recvRtpCapabilities,
    });
    const wanted = hear?.source ?? 'agent';
    const offer = tracks.find(({ source }) => source === wanted);
    if (!offer) throw new Error(`no track of the source ${wanted} was offered`);
    const { consumerId: id, producerId, rtpParameters } = offer;
    const consumer = await receive.consume({ id, producerId, kind: 'audio', rtpParameters });
    if (hear) return hear.onTrack(consumer.track);
    this.#sink = new RTCAudioSink(consumer.track);
    this.#sink.ondata = ({ samples }: { samples: Int16Array }) => {
      for (let i = 0; i < samples.length; i += 8)
        this.#heardPeak = Math.max(this.#heardPeak, Math.abs(samples[i]!) / 32_768);
    };
  }
}

/** As much of a client as a caller without a page needs. */
class Signaling {
  readonly #socket: WebSocket;
  readonly #replies = new Map<number, (reply: { result?: unknown; error?: { message: string } }) => void>();
  #id = 0;

  private constructor(socket: WebSocket, onEvent: (event: SessionEvent) => void) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as {
        type: string;
        id: number;
        result?: unknown;
        error?: { message: string };
      };
      if (message.type !== 'reply') return onEvent(message as unknown as SessionEvent);
      this.#replies.get(message.id)?.(message);
      this.#replies.delete(message.id);
    });
  }

  static open(url: string, onEvent: (event: SessionEvent) => void): Promise<Signaling> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      const signaling = new Signaling(socket, onEvent);
      socket.once('open', () => resolve(signaling)).once('error', reject);
    });
  }

  request<T>(message: { type: string; [field: string]: unknown }): Promise<T> {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${message.type} was not answered`)), TIMEOUT_MS);
      this.#replies.set(id, ({ result, error }) => {
        clearTimeout(timer);
        if (error) reject(new Error(`${message.type}: ${error.message}`));
        else resolve(result as T);
      });
      this.#socket.send(JSON.stringify({ ...message, id }));
    });
  }

  close(): void {
    this.#socket.close();
  }
}
