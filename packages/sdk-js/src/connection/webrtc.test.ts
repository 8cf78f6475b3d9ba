import type { ClientRequest, JoinResult, MicroturnError, TrackOffer } from '@microturn/protocol';
import { Device, FakeHandler, testFakeParameters, type types } from 'mediasoup-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { noLogger } from '../logger.js';
import { FakeTrack } from '../testing/fake-media.js';
import { ManualClock } from '../testing/manual-clock.js';
import { openMediasoupPlane } from './mediasoup-plane.js';
import { openWebSocket } from './socket.js';
import { transportOver } from './transport-over.js';
import { describeTransport } from './transport.contract.js';
import { webrtc } from './webrtc.js';

/** As much of a WebSocket as is used, whose other end is the test. */
class FakeWebSocket {
  static readonly OPEN = 1;
  static refuseNext = false;
  static onMessage: (socket: FakeWebSocket, text: string) => void = () => undefined;
  static readonly open = new Set<FakeWebSocket>();
  static last: FakeWebSocket | undefined;
  readonly url: string;
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;

  constructor(url: string) {
    this.url = url;
    const refused = FakeWebSocket.refuseNext;
    FakeWebSocket.refuseNext = false;
    if (!refused) FakeWebSocket.open.add(this);
    FakeWebSocket.last = this;
    queueMicrotask(() => {
      if (refused) return this.drop(1006);
      this.readyState = FakeWebSocket.OPEN;
      this.onopen?.();
      return undefined;
    });
  }
  send(text: string): void {
    FakeWebSocket.onMessage(this, text);
  }
  close(): void {
    this.readyState = 3;
    FakeWebSocket.open.delete(this);
  }
  drop(code: number): void {
    this.close();
    this.onclose?.({ code, reason: '' });
  }
}

function offer(consumerId: string, participant: string, source: TrackOffer['source']): TrackOffer {
  const { producerId, rtpParameters } = testFakeParameters.generateConsumerRemoteParameters({
    codecMimeType: 'audio/opus',
  });
  return { consumerId, producerId, kind: 'audio', rtpParameters: { ...rtpParameters }, participant, source };
}

function joinResult(): JoinResult {
  const remote = () => testFakeParameters.generateTransportRemoteParameters() as unknown as JoinResult['sendTransport'];
  return {
    sessionId: 'session-1',
    room: 'room-1',
    participant: 'caller',
    resumeToken: 'resume-1',
    resumeMs: 120_000,
    resumed: false,
    model: 'fake',
    microTurnMs: 200,
    sessionMs: 0,
    routerRtpCapabilities: { ...testFakeParameters.generateRouterRtpCapabilities() },
    sendTransport: remote(),
    recvTransport: remote(),
    iceServers: [],
    participants: [{ identity: 'caller', attributes: {}, away: false, speaking: false, tracks: [] }],
  };
}

describeTransport('webrtc, over a fake WebSocket and mediasoup-client’s fake handler', () => {
  vi.stubGlobal('WebSocket', FakeWebSocket);
  FakeWebSocket.open.clear();
  const sent: ClientRequest[] = [];
  const answers = new Map<string, (message: ClientRequest) => unknown>();
  const handlers: FakeHandler[] = [];
  let made = 0;
  const asAnEdge = (message: ClientRequest): unknown => {
    if (message.type === 'join') return joinResult();
    if (message.type === 'subscribe') return { tracks: [offer('agent-1', 'agent', 'agent')] };
    if (message.type === 'produce') return { producerId: `producer-${++made}` };
    return {};
  };
  FakeWebSocket.onMessage = (socket, text) => {
    const message = JSON.parse(text) as ClientRequest;
    sent.push(message);
    if (!('id' in message)) return;
    const reply = (body: object) =>
      socket.onmessage?.({ data: JSON.stringify({ type: 'reply', id: message.id, ...body }) });
    Promise.resolve()
      .then(() => (answers.get(message.type) ?? asAnEdge)(message))
      .then(
        (result) => reply({ result }),
        (error: MicroturnError) => reply({ error: error.toWire() }),
      )
      .catch(() => undefined);
  };
  const real = FakeHandler.createFactory(testFakeParameters);
  const handlerFactory: types.HandlerFactory = {
    ...real,
    factory(options) {
      const handler = real.factory(options);
      handlers.push(handler as unknown as FakeHandler);
      return handler;
    },
  };
  const receiveText = (text: string) => FakeWebSocket.last?.onmessage?.({ data: text });
  return {
    transport: transportOver({
      openSocket: openWebSocket,
      openMediaPlane: (parts) => openMediasoupPlane({ ...parts, device: new Device({ handlerFactory }) }),
    }),
    sent,
    get openSockets() {
      return FakeWebSocket.open.size;
    },
    refuse: () => {
      FakeWebSocket.refuseNext = true;
    },
    answer: (type, fn) => answers.set(type, fn),
    receiveText,
    addTrack: () => {
      const consumerId = `other-${++made}`;
      receiveText(JSON.stringify({ type: 'track.added', track: offer(consumerId, 'someone', 'microphone') }));
      return consumerId;
    },
    drop: () => FakeWebSocket.last?.drop(1006),
    failMedia: () => handlers[0]?.setConnectionState('failed'),
    dispose: () => vi.unstubAllGlobals(),
  };
});

describe('the media plane, over mediasoup-client’s fake handler', () => {
  it('fault 10, the address changes: restarts ICE of the transport that lost its path, and says when sound flows again', async () => {
    const handlers: FakeHandler[] = [];
    const real = FakeHandler.createFactory(testFakeParameters);
    const factory: types.HandlerFactory['factory'] = (options) => {
      const handler = real.factory(options);
      handlers.push(handler as unknown as FakeHandler);
      return handler;
    };
    const joined = joinResult();
    const asked: unknown[] = [];
    const flowing: boolean[] = [];
    const plane = await openMediasoupPlane({
      joined,
      clock: new ManualClock(),
      device: new Device({ handlerFactory: { ...real, factory } }),
      request: (body) => {
        asked.push(body);
        return Promise.resolve({ iceParameters: { usernameFragment: 'u', password: 'p', iceLite: true } });
      },
      observer: { flowing: (flows) => flowing.push(flows), failed: (error) => expect.unreachable(error.message) },
    });
    const [send] = handlers;
    const restarted = vi.spyOn(send!, 'restartIce');
    send!.setConnectionState('connected');
    send!.setConnectionState('disconnected');
    await vi.waitFor(() => expect(restarted).toHaveBeenCalledOnce());
    send!.setConnectionState('connected');
    expect(asked).toEqual([{ type: 'transport.restart-ice', transportId: joined.sendTransport.id }]);
    expect(flowing).toEqual([true, false, true]);
    plane.close();
    plane.findPath();
    expect(asked).toHaveLength(1);
  });

  it('bounds what cameras and screens take, and not the microphone', async () => {
    const produced: unknown[] = [];
    const plane = await openMediasoupPlane({
      joined: joinResult(),
      clock: new ManualClock(),
      device: new Device({ handlerFactory: FakeHandler.createFactory(testFakeParameters) }),
      request: (body) => {
        if (body.type !== 'produce') return Promise.resolve({});
        const { encodings } = body.rtpParameters as unknown as types.RtpParameters;
        produced.push([body.source, encodings?.map(({ maxBitrate }) => maxBitrate)]);
        return Promise.resolve({ producerId: body.source });
      },
      observer: { flowing: () => undefined, failed: (error) => expect.unreachable(error.message) },
    });
    await plane.publish(new FakeTrack('audio').asTrack(), 'microphone');
    await plane.publish(new FakeTrack('video').asTrack(), 'camera');
    await plane.publish(new FakeTrack('video').asTrack(), 'screen');
    expect(produced).toEqual([
      ['microphone', [undefined]],
      ['camera', [600_000]],
      ['screen', [1_500_000]],
    ]);
    plane.close();
  });

  it('fault 10, both ways are lost: sound flows again when both are back', async () => {
    const handlers: FakeHandler[] = [];
    const real = FakeHandler.createFactory(testFakeParameters);
    const factory: types.HandlerFactory['factory'] = (options) => {
      const handler = real.factory(options);
      handlers.push(handler as unknown as FakeHandler);
      return handler;
    };
    const flowing: boolean[] = [];
    const plane = await openMediasoupPlane({
      joined: joinResult(),
      clock: new ManualClock(),
      device: new Device({ handlerFactory: { ...real, factory } }),
      request: () => Promise.reject(new Error('not asked')),
      observer: { flowing: (flows) => flowing.push(flows), failed: (error) => expect.unreachable(error.message) },
    });
    const [send, recv] = handlers;
    for (const handler of [send, recv]) handler!.setConnectionState('connected');
    for (const handler of [send, recv]) handler!.setConnectionState('disconnected');
    expect(flowing.at(-1)).toBe(false);
    recv!.setConnectionState('connected');
    expect(flowing.at(-1)).toBe(false);
    send!.setConnectionState('connected');
    expect(flowing.at(-1)).toBe(true);
    plane.close();
  });

  it('fault 10, the edge hears nothing: looks for the path of what is used, and once more where that is asked for meanwhile', async () => {
    const joined = joinResult();
    const asked: unknown[] = [];
    const answers: (() => void)[] = [];
    const plane = await openMediasoupPlane({
      joined,
      clock: new ManualClock(),
      device: new Device({ handlerFactory: FakeHandler.createFactory(testFakeParameters) }),
      request: (body) => {
        if (body.type !== 'transport.restart-ice') return Promise.resolve({});
        asked.push(body.transportId);
        return new Promise((resolve) => {
          answers.push(() => resolve({ iceParameters: { usernameFragment: 'u', password: 'p', iceLite: true } }));
        });
      },
      observer: { flowing: () => undefined, failed: (error) => expect.unreachable(error.message) },
    });
    const recv = joined.recvTransport.id;
    plane.findPath();
    expect(asked).toEqual([]);
    await plane.receive(offer('agent-1', 'agent', 'agent'));
    plane.findPath();
    // The address may have changed after the edge gave what this restart uses.
    plane.findPath();
    plane.findPath();
    expect(asked).toEqual([recv]);
    answers[0]!();
    await vi.waitFor(() => expect(asked).toEqual([recv, recv]));
    answers[1]!();
    await new Promise((resolve) => setTimeout(resolve));
    expect(asked).toHaveLength(2);
    // A change that follows at once is looked at like any other.
    plane.findPath();
    expect(asked).toHaveLength(3);
    plane.close();
    answers[2]!();
    await new Promise((resolve) => setTimeout(resolve));
    expect(asked).toHaveLength(3);
  });
});

it('what is being published when the link goes is told that it is gone, and not that the browser cannot do it', async () => {
  const plane = await openMediasoupPlane({
    joined: joinResult(),
    clock: new ManualClock(),
    device: new Device({ handlerFactory: FakeHandler.createFactory(testFakeParameters) }),
    request: () => new Promise(() => undefined),
    observer: { flowing: () => undefined, failed: (error) => expect.unreachable(error.message) },
  });
  const publishing = plane.publish(new FakeTrack('audio').asTrack(), 'microphone');
  plane.close();
  await expect(publishing).rejects.toMatchObject({ code: 'net/closed' });
});

it('what is received is played as it comes, where the browser can be asked for that, and says how far it is', async () => {
  const receiver = { jitterBufferTarget: null, getSynchronizationSources: () => [{ rtpTimestamp: 4711 }] };
  const real = FakeHandler.createFactory(testFakeParameters);
  const factory: types.HandlerFactory['factory'] = (options) => {
    const handler = real.factory(options);
    const receive = handler.receive.bind(handler);
    handler.receive = async (list) =>
      (await receive(list)).map((one) => ({ ...one, rtpReceiver: receiver as unknown as RTCRtpReceiver }));
    return handler;
  };
  const plane = await openMediasoupPlane({
    joined: joinResult(),
    clock: new ManualClock(),
    device: new Device({ handlerFactory: { ...real, factory } }),
    request: () => Promise.resolve({}),
    observer: { flowing: () => undefined, failed: (error) => expect.unreachable(error.message) },
  });
  const { playedRtpTimestamp } = await plane.receive(offer('agent-1', 'agent', 'agent'));
  expect(receiver.jitterBufferTarget).toBe(0);
  expect(playedRtpTimestamp()).toBe(4711);
  plane.close();
});

describe('webrtc()', () => {
  afterEach(() => {
    vi.doUnmock('./device.js');
    vi.unstubAllGlobals();
  });

  it('says net/unreachable where its own code cannot be loaded, as after a deployment with other file names', async () => {
    vi.doMock('./device.js', () => {
      throw new TypeError('Failed to fetch dynamically imported module');
    });
    vi.stubGlobal('WebSocket', FakeWebSocket);
    FakeWebSocket.onMessage = (socket, text) => {
      const { id } = JSON.parse(text) as ClientRequest;
      queueMicrotask(() => socket.onmessage?.({ data: JSON.stringify({ type: 'reply', id, result: joinResult() }) }));
    };
    const nothing = () => undefined;
    const opening = webrtc().open({
      url: 'http://edge',
      token: 'token',
      signal: new AbortController().signal,
      clock: new ManualClock(),
      logger: noLogger,
      observer: {
        event: nothing,
        trackAdded: nothing,
        trackRemoved: nothing,
        roster: nothing,
        media: nothing,
        problem: nothing,
        closed: nothing,
      },
    });
    await expect(opening).rejects.toMatchObject({
      code: 'net/unreachable',
      message: expect.stringContaining('reload the page') as unknown,
    });
  });

  it.each([
    [false, 0],
    [true, 1],
  ])('loads its code ahead where there is a network, since a browser keeps a failure: %s', async (onLine, loads) => {
    const load = vi.fn<() => object>(() => ({}));
    vi.doMock('./device.js', load);
    vi.stubGlobal('RTCPeerConnection', vi.fn());
    vi.stubGlobal('navigator', { onLine });
    webrtc().prepare?.();
    await vi.dynamicImportSettled();
    expect(load).toHaveBeenCalledTimes(loads);
  });
});

describe('openWebSocket', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('knows a message that was too large for the edge by the close code', async () => {
    vi.stubGlobal('WebSocket', FakeWebSocket);
    const closed = vi.fn<(error: MicroturnError) => void>();
    await openWebSocket('ws://edge/v1/connect', { message: () => undefined, closed }, new AbortController().signal);
    FakeWebSocket.last?.drop(1009);
    expect(closed.mock.calls.map(([error]) => error.code)).toEqual(['protocol/too-large']);
  });
});
