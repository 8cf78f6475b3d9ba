import wrtc from '@roamhq/wrtc';
import { Device } from 'mediasoup-client';
import { WebSocket } from 'ws';
import {
  createSession,
  TokenSource,
  type InteractionSession,
  type SessionOptions,
} from '../../packages/sdk-js/src/index.js';
import { openMediasoupPlane } from '../../packages/sdk-js/src/connection/mediasoup-plane.js';
import { openWebSocket } from '../../packages/sdk-js/src/connection/socket.js';
import { transportOver } from '../../packages/sdk-js/src/connection/transport-over.js';
import { FakeMedia } from '../../packages/sdk-js/src/testing/index.js';
import type { EdgeProcess } from './edge-process.js';

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

(globalThis as Record<string, unknown>)['WebSocket'] ??= WebSocket;

/** The SDK as it is, over libwebrtc, in a call with a silent microphone: what is not there in Node is the loudspeaker. */
export async function connectSdk(
  edge: EdgeProcess,
  { room, ...options }: Pick<SessionOptions, 'recipe'> & { readonly room?: string } = {},
): Promise<InteractionSession> {
  const source = new wrtc.nonstandard.RTCAudioSource();
  const track = source.createTrack();
  const silence = new Int16Array(480);
  const microphone = setInterval(
    () =>
      source.onData({ samples: silence, sampleRate: 48_000, bitsPerSample: 16, channelCount: 1, numberOfFrames: 480 }),
    10,
  );
  const session = createSession({
    ...options,
    url: edge.url,
    microphone: track,
    tokenSource: TokenSource.custom(async () => ({
      participantToken: await edge.token({ identity: 'ann', ...(room !== undefined && { room }) }),
    })),
    transport: transportOver({
      openSocket: openWebSocket,
      openMediaPlane: async (parts) =>
        openMediasoupPlane({ ...parts, device: await Device.factory({ handlerName: 'Chrome111' }) }),
      media: new FakeMedia(),
    }),
  });
  session.connection.subscribe({ complete: () => clearInterval(microphone) });
  await session.connect();
  return session;
}
