// The media thread: one mediasoup worker, packets both ways, and the tick. Started by `MediaHost`.
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { MicroturnError } from '@microturn/protocol';
import { monotonicClock } from '../clock.js';
import type { EngineId } from '../engine/engine-worker.js';
import type { MicroTurn } from '../engine/types.js';
import { RtcServer } from '../rtc/index.js';
import { favourThread } from '../thread-priority.js';
import type { Log } from '../telemetry/log.js';
import type { Clip } from './clip-ring.js';
import { MediaServer } from './media-server.js';
import type { FromMediaThread, MediaThreadData, ToMediaThread } from './thread-messages.js';
import type { SpeechMessage } from './types.js';

const main = parentPort;
if (!main) throw new TypeError('media-thread is started as a worker thread, by MediaHost');
const { options } = workerData as MediaThreadData;

// Before the worker is started, which is as urgent.
favourThread();

const post = (message: FromMediaThread) => main.postMessage(message);
const write = (level: keyof Log) => (fields: object, message: string) => post({ log: { level, fields, message } });
const log: Log = { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };

const enginePorts = new Map<EngineId, MessagePort>();
let voicePort: MessagePort | undefined;

function takeEnginePort(engine: EngineId, port: MessagePort): void {
  enginePorts.get(engine)?.close();
  enginePorts.set(engine, port);
  // The thread at its other end has exited. One that takes its place brings a port of its own.
  port.once('close', () => enginePorts.get(engine) === port && enginePorts.delete(engine));
}

/** A micro-turn for a thread that has just exited is nobody's: its leases ended with it, or wait for the next one. */
function postTurn(turn: MicroTurn, engine: EngineId): void {
  const buffers = [turn.pcm.buffer, turn.ref?.buffer].filter((buffer) => buffer !== undefined) as ArrayBuffer[];
  enginePorts.get(engine)?.postMessage(turn, buffers);
}

/** Sound is handed over, not copied. */
function transferable(result: unknown): ArrayBuffer[] {
  const pcm = (result as Partial<Clip> | undefined)?.pcm;
  return pcm ? [pcm.buffer as ArrayBuffer] : [];
}

try {
  const rtc = await RtcServer.create({
    ...options,
    onDied: (message) => post({ event: { type: 'worker.died', message } }),
    onStalled: (stalled) => post({ event: { type: 'worker.stalled', stalled } }),
  });
  const server = new MediaServer({
    rtc,
    clock: monotonicClock,
    log,
    postTurn,
    postEvent: (event) => post({ event }),
  });
  const listenTo = (port: MessagePort) => {
    voicePort?.close();
    voicePort = port;
    port.on('message', (speech: SpeechMessage) => {
      try {
        server.say(speech);
      } catch (error) {
        log.error({ detail: String(error) }, 'speech could not be sent');
      }
    });
  };
  main.on('message', async (message: ToMediaThread) => {
    if ('enginePort' in message) {
      takeEnginePort(message.engine, message.enginePort);
      return;
    }
    if ('voicePort' in message) {
      listenTo(message.voicePort);
      return;
    }
    const { id, method, params } = message;
    try {
      const result = await server.request(method, params as never);
      main.postMessage({ id, result } satisfies FromMediaThread, transferable(result));
    } catch (error) {
      post({ id, error: MicroturnError.from(error, 'edge/internal').toWire() });
    }
    if (method !== 'close') return;
    for (const port of enginePorts.values()) port.close();
    voicePort?.close();
    main.close();
  });
  post({ event: { type: 'ready', port: rtc.port } });
} catch (error) {
  const { code, message } = MicroturnError.from(error, 'edge/internal');
  post({ event: { type: 'failed', code, message } });
  main.close();
}
