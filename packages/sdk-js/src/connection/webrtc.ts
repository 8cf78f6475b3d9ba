import { MicroturnError } from '@microturn/protocol';
import type { Device } from 'mediasoup-client';
import { openMediasoupPlane } from './mediasoup-plane.js';
import { watchNetwork } from './network.js';
import { openWebSocket } from './socket.js';
import { transportOver } from './transport-over.js';
import type { Transport } from './transport.js';

/** The transport for browsers: one WebSocket for messages, mediasoup-client for media. */
export function webrtc(): Transport {
  return transportOver({
    openSocket: openWebSocket,
    watchNetwork,
    prepare: () => {
      // Before anybody is asked for a microphone, or for a token.
      if (typeof RTCPeerConnection === 'undefined') {
        throw new MicroturnError('media/unsupported', 'there is no WebRTC here: `connect()` needs a browser');
      }
      // Where that fails, a browser may fail it again until the page is loaded anew: not tried where it is bound to.
      if (navigator.onLine) loadDevice().catch(() => undefined);
    },
    async openMediaPlane(parts) {
      const { Device } = await loadDevice();
      return openMediasoupPlane({ ...parts, device: await createDevice(Device) });
    },
  });
}

// On its own, so that a page which only imports the SDK, or a server that renders it, does not load WebRTC.
async function loadDevice(): Promise<{ readonly Device: typeof Device }> {
  try {
    return await import('./device.js');
  } catch (cause) {
    throw new MicroturnError('net/unreachable', 'reload the page: its code could not be loaded', { cause });
  }
}

async function createDevice(Class: typeof Device): Promise<Device> {
  try {
    return await Class.factory();
  } catch (cause) {
    throw MicroturnError.from(cause, 'media/unsupported');
  }
}
