import { MicroturnError } from '@microturn/protocol';
import type { types } from 'mediasoup-client';
import type { MediaPlane, MediaPlaneParts } from './media-plane.js';
import type { Publication, TransportLink } from './transport.js';

type Source = Parameters<TransportLink['publish']>[1];

/** Bits a second. One layer: it is forwarded as it is, and everybody in the room has to have room for it. */
const MAX_BITRATE = { camera: 600_000, screen: 1_500_000 };

/** How long ICE and DTLS may take. */
const CONNECT_TIMEOUT_MS = 10_000;

export interface MediasoupParts extends MediaPlaneParts {
  readonly device: types.Device;
}

/**
 * The media plane over a mediasoup-client device.
 * @throws {MicroturnError} `media/unsupported` where the browser shares no codec with the edge
 */
export async function openMediasoupPlane({
  device,
  joined,
  clock,
  request,
  observer,
}: MediasoupParts): Promise<MediaPlane> {
  const { routerRtpCapabilities, sendTransport, recvTransport, iceServers } = joined;
  await device
    .load({ routerRtpCapabilities: routerRtpCapabilities as unknown as types.RtpCapabilities })
    .catch((cause: unknown) => Promise.reject(MicroturnError.from(cause, 'media/unsupported')));

  const withIce = (options: object) => ({ ...options, iceServers }) as unknown as types.TransportOptions;
  const send = device.createSendTransport(withIce(sendTransport));
  const recv = device.createRecvTransport(withIce(recvTransport));
  const consumers = new Map<string, types.Consumer>();
  let publishing = false;
  let closed = false;
  /** One that nothing goes over has no path yet. */
  const used = () => [...(publishing ? [send] : []), ...(consumers.size > 0 ? [recv] : [])];

  /** The way to the edge may be another one now. */
  const findPath = new Map(
    [send, recv].map((transport) => [transport, oneAtATime(() => restartIce(transport, request))]),
  );

  const stalled = new Set<types.Transport>();
  for (const [transport, find] of findPath) {
    transport.on('connect', ({ dtlsParameters }, done, fail) => {
      const message = { type: 'transport.connect', transportId: transport.id } as const;
      settle(request({ ...message, dtlsParameters: { ...dtlsParameters } }), done, fail);
    });
    transport.on('connectionstatechange', (state) => {
      if (state === 'connected') {
        stalled.delete(transport);
        if (stalled.size === 0) observer.flowing(true);
      } else if (state === 'disconnected') {
        stalled.add(transport);
        observer.flowing(false);
        // Where this does not help either, the path fails.
        find();
      } else if (state === 'failed' && !closed) observer.failed(new MicroturnError('net/ice-failed'));
    });
  }
  send.on('produce', ({ rtpParameters, appData }, done, fail) => {
    const { source } = appData as { source: Source };
    const reply = request({ type: 'produce', transportId: send.id, source, rtpParameters: { ...rtpParameters } });
    settle(reply, (result) => done({ id: producerIdIn(result) }), fail);
  });

  return {
    rtpCapabilities: device.recvRtpCapabilities,

    async publish(track, source) {
      publishing = true;
      const producer = await send
        .produce({
          track,
          appData: { source },
          stopTracks: false,
          // The track's `enabled` is the input device's to set.
          disableTrackOnPause: false,
          ...(source !== 'microphone' && { encodings: [{ maxBitrate: MAX_BITRATE[source] }] }),
          ...(track.kind === 'audio' && { codecOptions: { opusStereo: false, opusDtx: false, opusNack: true } }),
        })
        .catch((cause: unknown) =>
          Promise.reject(MicroturnError.from(cause, closed ? 'net/closed' : 'media/unsupported')),
        );
      return publication(producer, request);
    },

    async receive(offer) {
      const consumer = await recv.consume({
        id: offer.consumerId,
        producerId: offer.producerId,
        kind: offer.kind,
        rtpParameters: offer.rtpParameters as unknown as types.RtpParameters,
        // Each on its own: one stream would be held back to be in step with another.
        streamId: offer.consumerId,
        appData: {},
      });
      consumers.set(consumer.id, consumer);
      const receiver = consumer.rtpReceiver;
      // Least delay: what arrives is played. The edge never sends ahead of real time.
      if (receiver && 'jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
      return {
        track: consumer.track,
        playedRtpTimestamp: () => receiver?.getSynchronizationSources?.()[0]?.rtpTimestamp,
      };
    },

    drop(consumerId) {
      consumers.get(consumerId)?.close();
      consumers.delete(consumerId);
    },

    findPath() {
      for (const transport of used()) findPath.get(transport)?.();
    },

    ready: async () => {
      await Promise.all(used().map((transport) => whenConnected(transport, clock)));
    },

    close() {
      closed = true;
      send.close();
      recv.close();
      consumers.clear();
    },
  };
}

async function restartIce(transport: types.Transport, request: MediasoupParts['request']): Promise<void> {
  if (transport.closed) return;
  const reply = await request({ type: 'transport.restart-ice', transportId: transport.id });
  const { iceParameters, iceServers } = reply as { iceParameters: types.IceParameters; iceServers?: RTCIceServer[] };
  if (transport.closed) return;
  if (iceServers) await transport.updateIceServers({ iceServers });
  await transport.restartIce({ iceParameters });
}

/**
 * Runs `work` when called. Called again meanwhile, however often, it runs once more afterwards, and not never: what was
 * called for may have happened too late for the run that is on.
 */
function oneAtATime(work: () => Promise<void>): () => void {
  let running = false;
  let wanted = false;
  const run = async () => {
    running = true;
    while (wanted) {
      wanted = false;
      await work().catch(() => undefined);
    }
    running = false;
  };
  return () => {
    wanted = true;
    if (!running) void run();
  };
}

/** mediasoup-client asks with callbacks. */
async function settle(reply: Promise<unknown>, done: (result: unknown) => void, fail: (error: Error) => void) {
  try {
    done(await reply);
  } catch (error) {
    fail(MicroturnError.from(error, 'net/closed'));
  }
}

function publication(producer: types.Producer, request: MediasoupParts['request']): Publication {
  return {
    async setMuted(muted) {
      if (producer.closed) return;
      await request({ type: 'producer.mute', producerId: producer.id, muted });
    },
    replaceTrack: (track) => producer.replaceTrack({ track }),
    async close() {
      if (producer.closed) return;
      producer.close();
      await request({ type: 'producer.close', producerId: producer.id });
    },
  };
}

function whenConnected(transport: types.Transport, clock: MediasoupParts['clock']): Promise<void> {
  return new Promise((resolve, reject) => {
    const follow = (state: types.ConnectionState) => {
      if (state !== 'connected' && state !== 'failed' && state !== 'closed') return;
      release();
      if (state === 'connected') resolve();
      else reject(new MicroturnError(state === 'failed' ? 'net/ice-failed' : 'net/closed'));
    };
    const onClose = () => follow('closed');
    const cancelTimeout = clock.after(CONNECT_TIMEOUT_MS, () => {
      release();
      reject(new MicroturnError('net/ice-failed', `not connected after ${CONNECT_TIMEOUT_MS / 1000} s`));
    });
    const release = () => {
      cancelTimeout();
      transport.off('connectionstatechange', follow);
      transport.observer.off('close', onClose);
    };
    transport.on('connectionstatechange', follow);
    transport.observer.on('close', onClose);
    follow(transport.connectionState);
  });
}

function producerIdIn(reply: unknown): string {
  const id = (reply as { producerId?: unknown } | undefined)?.producerId;
  if (typeof id !== 'string') throw new MicroturnError('protocol/malformed', 'produce: expected a producerId');
  return id;
}
