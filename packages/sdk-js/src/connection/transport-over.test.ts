import { MicroturnError, type ClientRequest } from '@microturn/protocol';
import { expect, it } from 'vitest';
import { noLogger } from '../logger.js';
import { ManualClock } from '../testing/manual-clock.js';
import { transportOver } from './transport-over.js';
import type { TransportLink } from './transport.js';

const nothing = () => undefined;
const joined = {
  sessionId: 'session-1',
  room: 'room-1',
  participant: 'caller',
  resumeToken: 'resume-1',
  resumeMs: 120_000,
  resumed: false,
  model: 'fake',
  microTurnMs: 200,
  sessionMs: 0,
  routerRtpCapabilities: {},
  sendTransport: { id: 'send', iceParameters: {}, iceCandidates: [], dtlsParameters: {} },
  recvTransport: { id: 'recv', iceParameters: {}, iceCandidates: [], dtlsParameters: {} },
  iceServers: [],
  participants: [],
};

it.each<[string, boolean, (link: TransportLink) => void]>([
  ['closed', false, (link) => link.close()],
  ['closed because the call is left', false, (link) => link.close(new MicroturnError('net/closed'))],
  ['dropped', true, (link) => link.drop()],
])('a link that is %s tells the edge by its socket whether it comes back: %s', async (_how, comesBack, end) => {
  const closed: (boolean | undefined)[] = [];
  const transport = transportOver({
    openSocket: (_url, { message }) =>
      Promise.resolve({
        send: (text) => {
          const { type, id } = JSON.parse(text) as ClientRequest;
          const result = type === 'join' ? joined : { tracks: [] };
          queueMicrotask(() => message(JSON.stringify({ type: 'reply', id, result })));
        },
        close: (returning) => closed.push(returning),
      }),
    openMediaPlane: () =>
      Promise.resolve({
        rtpCapabilities: {},
        publish: () => Promise.reject(new Error('not asked')),
        receive: () => Promise.reject(new Error('not asked')),
        drop: nothing,
        findPath: nothing,
        ready: () => Promise.resolve(),
        close: nothing,
      }),
  });
  const link = await transport.open({
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
      problem: (error) => expect.unreachable(error.message),
      closed: (error) => expect.unreachable(error.message),
    },
  });
  end(link);
  end(link);
  expect(closed).toEqual([comesBack]);
});
