import { MicroturnError, type JoinResult, type SessionEvent } from '@microturn/protocol';
import type * as MediasoupClient from 'mediasoup-client';
import { WebSocket } from 'ws';
import type { EdgeConfig, EdgeConfigInput } from '../config.js';
import { createEdge } from '../create-edge.js';
import { BUNDLE_ALONE } from '../recipes/index.js';
import { silentLog } from '../telemetry/index.js';
import type { CheckResult } from './check-result.js';
import { createKey } from './keys.js';

const TIMEOUT_MS = 20_000;
const TEXT = 'This call works.';

/**
 * A whole call on this machine, over an edge of its own: a token, the socket, ICE, DTLS and Opus, micro-turns through
 * the model, and speech back. The caller is libwebrtc where @roamhq/wrtc is installed.
 */
export async function loopbackCall(config: EdgeConfig): Promise<CheckResult> {
  const client = await loadClient();
  if (!client) {
    return {
      status: 'warn',
      detail: 'skipped: there is no WebRTC client to call with',
      fix: 'npm install --no-save @roamhq/wrtc mediasoup-client, then run this again',
    };
  }
  const edge = await createEdge(forItself(config), { log: silentLog });
  try {
    const token = await edge.mintToken({ identity: 'doctor', room: 'doctor' });
    const { heardRms, turns, stepMs } = await call(edge.url, token, client);
    if (turns === 0)
      return failed(
        'no micro-turn was decided',
        'run `microturn doctor` again; the model or the engine thread is at fault',
      );
    if (heardRms < 0.005)
      return failed('the agent spoke, and nothing was heard', 'check that no firewall filters loopback');
    return { status: 'ok', detail: `ICE, DTLS and Opus both ways; the model's step takes ${stepMs.toFixed(1)} ms` };
  } finally {
    await edge.close();
  }
}

/** The configuration of an edge that only this machine calls: no webhook tells of it, and no other edge's sessions are touched. */
export function forItself(config: EdgeConfig): EdgeConfigInput {
  const { key, secret } = createKey();
  return {
    ...config,
    host: '127.0.0.1',
    port: 0,
    https: {},
    demo: undefined,
    keys: { [key]: secret },
    allowedOrigins: [],
    webhooks: {},
    store: { kind: 'memory' },
    // A recipe's voice may cost something, and is asked by `--recipe`.
    recipe: BUNDLE_ALONE,
    media: { ...config.media, listenIp: '127.0.0.1', announcedAddress: undefined, port: 0 },
  };
}

function failed(detail: string, fix: string): CheckResult {
  return { status: 'fail', detail, fix };
}

/** A DOM type, and this is no page. */
type Track = NonNullable<NonNullable<Parameters<MediasoupClient.types.Transport['produce']>[0]>['track']>;

interface AudioData {
  samples: Int16Array;
}
interface Client {
  readonly mediasoupClient: typeof MediasoupClient;
  readonly audio: {
    RTCAudioSource: new () => {
      createTrack(): Track;
      onData(data: {
        samples: Int16Array;
        sampleRate: number;
        bitsPerSample: 16;
        channelCount: 1;
        numberOfFrames: number;
      }): void;
    };
    RTCAudioSink: new (track: Track) => { ondata: ((data: AudioData) => void) | null; stop(): void };
  };
}

/** Both are for tests and diagnosis only, so the edge does not depend on them. */
async function loadClient(): Promise<Client | undefined> {
  try {
    const names = ['@roamhq/wrtc', 'mediasoup-client'] as const;
    const [{ default: wrtc }, mediasoupClient] = await Promise.all(names.map((name) => import(name)));
    const globals = globalThis as Record<string, unknown>;
    for (const name of [
      'RTCPeerConnection',
      'RTCSessionDescription',
      'RTCIceCandidate',
      'MediaStream',
      'MediaStreamTrack',
    ]) {
      globals[name] ??= wrtc[name];
    }
    return { mediasoupClient, audio: wrtc.nonstandard };
  } catch {
    return undefined;
  }
}

async function call(
  url: string,
  token: string,
  { mediasoupClient, audio }: Client,
): Promise<{ heardRms: number; turns: number; stepMs: number }> {
  const signaling = await DoctorSocket.open(`${url.replace('http', 'ws')}/v1/connect`);
  const source = new audio.RTCAudioSource();
  const silence = {
    samples: new Int16Array(480),
    sampleRate: 48_000,
    bitsPerSample: 16,
    channelCount: 1,
    numberOfFrames: 480,
  } as const;
  const microphone = setInterval(() => source.onData(silence), 10);
  try {
    const joined = (await signaling.request({ type: 'join', protocol: 1, token })) as JoinResult;
    const device = await mediasoupClient.Device.factory({ handlerName: 'Chrome111' });
    await device.load({ routerRtpCapabilities: joined.routerRtpCapabilities as never });
    const send = device.createSendTransport(joined.sendTransport as never);
    const receive = device.createRecvTransport(joined.recvTransport as never);
    for (const transport of [send, receive]) {
      transport.on('connect', ({ dtlsParameters }, done, fail) => {
        signaling.request({ type: 'transport.connect', transportId: transport.id, dtlsParameters }).then(done, fail);
      });
    }
    send.on('produce', ({ rtpParameters }, done, fail) => {
      signaling
        .request({ type: 'produce', transportId: send.id, source: 'microphone', rtpParameters })
        .then((result) => done({ id: (result as { producerId: string }).producerId }), fail);
    });
    await send.produce({ track: source.createTrack(), stopTracks: false });
    const { tracks } = (await signaling.request({
      type: 'subscribe',
      rtpCapabilities: device.recvRtpCapabilities,
    })) as {
      tracks: { consumerId: string; producerId: string; kind: 'audio'; rtpParameters: never; source: string }[];
    };
    const agent = tracks.find((track) => track.source === 'agent');
    if (!agent) throw new MicroturnError('edge/internal', 'the agent’s voice was not offered');
    const consumer = await receive.consume({
      id: agent.consumerId,
      producerId: agent.producerId,
      kind: 'audio',
      rtpParameters: agent.rtpParameters,
    });
    const sink = new audio.RTCAudioSink(consumer.track);
    let heardRms = 0;
    sink.ondata = ({ samples }) => {
      const power = samples.reduce((sum, sample) => sum + (sample / 32_768) ** 2, 0) / samples.length;
      heardRms = Math.max(heardRms, Math.sqrt(power));
    };
    await signaling.request({ type: 'say', text: TEXT });
    await signaling.until((event) => event.type === 'response.completed' || event.type === 'response.interrupted');
    const stats = await signaling.until((event) => event.type === 'stats');
    sink.stop();
    consumer.close();
    send.close();
    receive.close();
    return { heardRms, turns: signaling.lastTurn, stepMs: stats.type === 'stats' ? stats.stepMs : 0 };
  } finally {
    clearInterval(microphone);
    signaling.close();
  }
}

/** As much of a client as the doctor needs. */
class DoctorSocket {
  readonly #socket: WebSocket;
  readonly #replies = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  readonly #waiters = new Set<(event: SessionEvent) => void>();
  #id = 0;
  lastTurn = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) =>
      this.#onMessage(JSON.parse(data.toString('utf8')) as Record<string, unknown>),
    );
  }

  static open(url: string): Promise<DoctorSocket> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      socket.once('open', () => resolve(new DoctorSocket(socket)));
      socket.once('error', (cause) => reject(new MicroturnError('net/unreachable', url, { cause })));
    });
  }

  request(message: object): Promise<unknown> {
    const id = ++this.#id;
    return withTimeout((resolve, reject) => {
      this.#replies.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ ...message, id }));
    });
  }

  until(predicate: (event: SessionEvent) => boolean): Promise<SessionEvent> {
    return withTimeout((resolve) => {
      const waiter = (event: SessionEvent) => {
        if (!predicate(event)) return;
        this.#waiters.delete(waiter);
        resolve(event);
      };
      this.#waiters.add(waiter);
    });
  }

  close(): void {
    this.#socket.close();
  }

  #onMessage(message: Record<string, unknown>): void {
    if (message['type'] === 'reply') {
      const waiting = this.#replies.get(message['id'] as number);
      this.#replies.delete(message['id'] as number);
      const error = message['error'] as ReturnType<MicroturnError['toWire']> | undefined;
      if (error) waiting?.reject(MicroturnError.fromWire(error));
      else waiting?.resolve(message['result']);
      return;
    }
    const event = message as unknown as SessionEvent;
    if (typeof event.turn === 'number') this.lastTurn = event.turn;
    for (const waiter of this.#waiters) waiter(event);
  }
}

function withTimeout<T>(start: (resolve: (value: T) => void, reject: (error: Error) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new MicroturnError('net/timeout', 'the loopback call stood still')),
      TIMEOUT_MS,
    );
    start(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
