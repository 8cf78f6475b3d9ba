import { MicroturnError } from '@microturn/protocol';
import type * as mediasoup from 'mediasoup-client';
import { openMediasoupPlane } from './mediasoup-plane.js';
import { openWebSocket } from './socket.js';
import { transportOver } from './transport-over.js';
import type { Transport } from './transport.js';

/** The transport for browsers: one WebSocket for messages, mediasoup-client for media. */
export function webrtc(): Transport {
  return transportOver({
    openSocket: openWebSocket,
    prepare: () => {
      loadMediasoup().catch(() => undefined);
    },
    async openMediaPlane(parts) {
      const { Device } = await loadMediasoup();
      return openMediasoupPlane({ ...parts, device: await createDevice(Device) });
    },
  });
}

// On its own, so that a page which only imports the SDK, or a server that renders it, does not load WebRTC.
function loadMediasoup(): Promise<typeof mediasoup> {
  return import('mediasoup-client');
}

async function createDevice(Device: typeof mediasoup.Device): Promise<mediasoup.Device> {
  try {
    return await Device.factory();
  } catch (cause) {
    throw MicroturnError.from(cause, 'media/unsupported');
  }
}
