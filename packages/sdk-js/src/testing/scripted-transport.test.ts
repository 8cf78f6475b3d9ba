import { describe, expect, it } from 'vitest';
import { describeTransport } from '../connection/transport.contract.js';
import { scriptedTransport } from './scripted-transport.js';

describeTransport('scriptedTransport()', () => {
  const transport = scriptedTransport();
  return {
    transport,
    sent: transport.sent,
    get openSockets() {
      return transport.openSockets;
    },
    refuse: () => transport.refuse(),
    answer: (type, fn) => transport.answer(type, fn),
    receiveText: (text) => transport.receiveText(text),
    addTrack: () => transport.addTrack('someone').offer.consumerId,
    drop: () => transport.drop(),
    failMedia: () => transport.failMedia(),
    dispose: () => undefined,
  };
});

describe('scriptedTransport()', () => {
  it('says what it expected where there is no call to script', () => {
    const transport = scriptedTransport();
    expect(() => transport.emit({ type: 'session.closed', reason: 'x' })).toThrow('expected an open call');
    expect(() => transport.agent).toThrow('expected a call with an agent');
  });
});
