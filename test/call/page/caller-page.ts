// The page of the call tool: joins the edge through the SDK, records both directions, and tells the tool of every event.
import { createSession, type InteractionSession, type InterruptResult } from '@microturn/sdk';
import { HEADER_BYTES, RECEIVED_PACKET, RECORDED, type PageMessage, type PageOptions } from './page-messages.js';

const RATE_HZ = 48_000;
/** How often the audio clock is held against the page's. */
const CLOCK_EVERY_MS = 40;
const CLOCK_SAMPLES = 101;

/** As facts of the recording matter here, nothing may change the sound on its way. */
const UNPROCESSED = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

type OnPacket = (rtpTimestamp: number, pcm: Int16Array) => void;

/** Called with the sound of every packet of a track, as it was sent. */
const packetListeners = new Map<MediaStreamTrack, OnPacket>();
/** Set before there are connections; without it they are left as they are. */
let tapPackets = false;

// The SDK's own connections: a transform is taken only where it is set as soon as there is a receiver.
window.RTCPeerConnection = class extends window.RTCPeerConnection {
  constructor(configuration?: RTCConfiguration) {
    super(configuration);
    this.addEventListener('track', ({ receiver, track }) => {
      if (!tapPackets || track.kind !== 'audio' || !('RTCRtpScriptTransform' in window)) return;
      const worker = new Worker('/content-worker.js');
      worker.addEventListener('message', ({ data }: MessageEvent<{ rtpTimestamp: number; pcm: Int16Array }>) =>
        packetListeners.get(track)?.(data.rtpTimestamp, data.pcm),
      );
      receiver.transform = new RTCRtpScriptTransform(worker);
    });
  }
};

type RecorderMessage = { readonly startFrame: number; readonly pcm: Int16Array } | { readonly quiet: 0 | 1 };

/** Records two tracks on one clock, and says where on it a moment of `performance.now()` lies. */
class Recorder {
  readonly #context: AudioContext;
  readonly #node: AudioWorkletNode;
  readonly #offsets: number[] = [];
  readonly #tracks: (MediaStreamTrack | undefined)[] = [];
  readonly #sources: (MediaStreamAudioSourceNode | undefined)[] = [];
  #startMs = 0;

  private constructor(context: AudioContext, node: AudioWorkletNode) {
    this.#context = context;
    this.#node = node;
  }

  static async open(onPcm: (pcm: Int16Array) => void): Promise<Recorder> {
    const context = new AudioContext({ sampleRate: RATE_HZ });
    await context.audioWorklet.addModule('/recorder-worklet.js');
    await context.resume();
    const node = new AudioWorkletNode(context, 'recorder', {
      numberOfInputs: 2,
      numberOfOutputs: 1,
      channelCount: 1,
      channelCountMode: 'explicit',
    });
    // Silent; a node that leads nowhere is not run.
    node.connect(context.destination);
    const recorder = new Recorder(context, node);
    await new Promise<void>((started) => {
      node.port.addEventListener('message', ({ data }: MessageEvent<RecorderMessage>) => {
        if ('quiet' in data) {
          recorder.#takeUp(data.quiet);
          return;
        }
        recorder.#startMs = (data.startFrame / RATE_HZ) * 1000;
        onPcm(data.pcm);
        started();
      });
      node.port.start();
    });
    setInterval(() => recorder.#readClock(), CLOCK_EVERY_MS);
    recorder.#readClock();
    return recorder;
  }

  record(track: MediaStreamTrack, input: 0 | 1): void {
    this.#tracks[input] = track;
    this.#takeUp(input);
  }

  /**
   * Connects a track, anew where it was connected: after a moment in which the machine was too busy, a source node keeps what
   * had piled up in front of it, up to 100 ms, and everything after it is late by as much. Done in silence, it is not heard.
   */
  #takeUp(input: 0 | 1): void {
    const track = this.#tracks[input];
    if (!track) return;
    const source = this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#sources[input]?.disconnect();
    source.connect(this.#node, 0, input);
    // Held, since it would be collected otherwise.
    this.#sources[input] = source;
  }

  /** ms since the recording's first sample. */
  at(performanceMs: number): number {
    const sorted = [...this.#offsets].sort((a, b) => a - b);
    return performanceMs + (sorted[sorted.length >> 1] ?? 0) - this.#startMs;
  }

  /** The audio clock moves in bursts of 10 ms; the median of many readings lies in the middle of a burst. */
  #readClock(): void {
    this.#offsets.push(this.#context.currentTime * 1000 - performance.now());
    if (this.#offsets.length > CLOCK_SAMPLES) this.#offsets.shift();
  }
}

class CallerPage {
  readonly #socket: WebSocket;
  #recorder: Recorder | undefined;
  #session: InteractionSession | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Opens the microphone, and from then on the call. Resolves when it is connected. */
  async start({ url, token, room, microphone, record, ducking }: PageOptions): Promise<void> {
    tapPackets = record;
    if (record) this.#recorder = await Recorder.open((pcm) => this.#sendSound(RECORDED, 0, pcm));
    const track = microphone ? await this.#openMicrophone() : undefined;
    const session = createSession({
      url,
      token,
      ...(room !== undefined && { room }),
      microphone: track ?? false,
      ducking,
    });
    this.#session = session;
    session.events.subscribe((event) => this.#tell({ type: 'event', event, receivedMs: this.#now() }));
    session.errors.subscribe(({ code, message, hint }) => this.#tell({ type: 'problem', code, message, hint }));
    session.connection.subscribe(({ status, error }) =>
      this.#tell({
        type: 'connection',
        status,
        atMs: this.#now(),
        ...(error && { code: error.code, message: error.message, hint: error.hint }),
      }),
    );
    session.speaker.state.subscribe(({ blocked, ducked }) =>
      this.#tell({ type: 'speaker', blocked, ducked, atMs: this.#now() }),
    );
    session.agentTrack.subscribe((agent) => agent && record && this.#recordAgent(agent));
    await session.connect();
  }

  say(text: string): Promise<{ responseId: string }> {
    return this.#call.say(text);
  }

  /** @returns what the edge answered, and when the agent was asked to be silent */
  async interrupt(): Promise<InterruptResult & { askedMs: number }> {
    const askedMs = this.#now();
    return { ...(await this.#call.interrupt()), askedMs };
  }

  unlock(): Promise<void> {
    return this.#call.speaker.unlock();
  }

  get blocked(): boolean {
    return this.#call.speaker.state.value.blocked;
  }

  get recordedMs(): number {
    return this.#now();
  }

  hangUp(): Promise<void> {
    return this.#session?.close() ?? Promise.resolve();
  }

  /** For a test that does more than this page. */
  get session(): InteractionSession {
    return this.#call;
  }

  get #call(): InteractionSession {
    if (!this.#session) throw new Error('expected `start` first');
    return this.#session;
  }

  async #openMicrophone(): Promise<MediaStreamTrack> {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: UNPROCESSED });
    this.#tell({ type: 'microphone', atMs: this.#now() });
    const [track] = stream.getAudioTracks();
    if (!track) throw new Error('the microphone has no track');
    this.#recorder?.record(track, 0);
    return track;
  }

  #recordAgent(track: MediaStreamTrack): void {
    packetListeners.set(track, (rtpTimestamp, pcm) => this.#sendSound(RECEIVED_PACKET, rtpTimestamp, pcm));
    this.#recorder?.record(track, 1);
  }

  #sendSound(kind: number, rtpTimestamp: number, pcm: Int16Array): void {
    const message = new Uint8Array(HEADER_BYTES + pcm.byteLength);
    new Uint32Array(message.buffer, 0, 2).set([kind, rtpTimestamp]);
    new Float64Array(message.buffer, 8, 1)[0] = this.#now();
    message.set(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength), HEADER_BYTES);
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(message);
  }

  #now(): number {
    const now = performance.now();
    return Math.round((this.#recorder?.at(now) ?? now) * 10) / 10;
  }

  #tell(message: PageMessage): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}

declare global {
  interface Window {
    /** What the tool calls. */
    caller: Promise<CallerPage>;
  }
}

window.caller = new Promise((resolve, reject) => {
  const socket = new WebSocket(`ws://${location.host}/`);
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('open', () => resolve(new CallerPage(socket)));
  socket.addEventListener('error', () => reject(new Error('the tool does not answer its page')));
});
// An autoplay test clicks here: sound is unlocked by a gesture only.
document.querySelector('button')?.addEventListener('click', () => {
  window.caller.then((caller) => caller.unlock()).catch((error: unknown) => console.error(error));
});
