import type { types } from 'mediasoup';
import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { RtcEndpoint } from './rtc-endpoint.js';

/** An endpoint that receives so many tracks, of which `knows` says who has a report on its path. */
async function receiving(tracks: number, knows: (consumerId: string) => boolean) {
  const getStats = vi.fn<(id: string) => void>();
  const consumers: (EventEmitter & { observer: EventEmitter })[] = [];
  const createConsumer = () => {
    const id = `c${consumers.length}`;
    const consumer = Object.assign(new EventEmitter(), {
      id,
      kind: 'audio',
      rtpParameters: {},
      observer: new EventEmitter(),
      getStats: () => {
        getStats(id);
        return Promise.resolve([{ type: 'outbound-rtp', ...(knows(id) && { roundTripTime: 20 }) }]);
      },
    });
    consumers.push(consumer);
    return consumer;
  };
  const router = {
    canConsume: () => true,
    createWebRtcTransport: () =>
      Promise.resolve({ id: 't', on: () => {}, consume: () => Promise.resolve(createConsumer()) }),
  };
  const endpoint = await RtcEndpoint.create(
    router as unknown as types.Router,
    {} as types.WebRtcServer,
    {} as types.AudioLevelObserver,
    () => {},
  );
  endpoint.setCapabilities({ codecs: [] });
  for (let i = 0; i < tracks; i++) await endpoint.consume(`p${i}`, () => {});
  const asked = async (times: number) => {
    getStats.mockClear();
    const rtts = [];
    for (let i = 0; i < times; i++) rtts.push(await endpoint.rttMs());
    return { rtts, questions: getStats.mock.calls.length };
  };
  return { asked, close: (i: number) => consumers[i]!.observer.emit('close') };
}

describe('the round trip to a caller', () => {
  it('is asked of few consumers at a time, however many there are, until one knows, and then of that one', async () => {
    let known = 'nobody';
    const { asked, close } = await receiving(200, (id) => id === known);
    expect(await asked(10)).toEqual({ rtts: Array(10).fill(undefined), questions: 20 });
    known = 'c23';
    expect(await asked(3)).toEqual({ rtts: [undefined, 20, 20], questions: 5 });
    expect(await asked(10)).toEqual({ rtts: Array(10).fill(20), questions: 10 });
    close(23);
    known = 'c26';
    expect((await asked(3)).rtts).toContain(20);
  });

  it('is asked of one consumer once, and of none where there is none', async () => {
    const { asked } = await receiving(1, () => false);
    expect(await asked(1)).toEqual({ rtts: [undefined], questions: 1 });
    expect(await (await receiving(0, () => true)).asked(1)).toEqual({ rtts: [undefined], questions: 0 });
  });
});
