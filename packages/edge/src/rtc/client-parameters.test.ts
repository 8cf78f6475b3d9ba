import { MicroturnError } from '@microturn/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDtlsParameters, parseRtpCapabilities, parseRtpParameters } from './client-parameters.js';

/** As mediasoup-client sends them for a microphone, and for a camera with three layers. */
const microphone = {
  codecs: [
    {
      mimeType: 'audio/opus',
      payloadType: 111,
      clockRate: 48_000,
      channels: 2,
      parameters: { minptime: 10, useinbandfec: 1 },
      rtcpFeedback: [
        { type: 'transport-cc', parameter: '' },
        { type: 'nack', parameter: '' },
      ],
    },
  ],
  headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4, encrypt: false, parameters: {} }],
  encodings: [{ ssrc: 1_234_567_890, dtx: false }],
  rtcp: { cname: 'c2f5', reducedSize: true },
  mid: '0',
  msid: '- 5f2',
};
const camera = {
  ...microphone,
  codecs: [
    {
      mimeType: 'video/VP8',
      payloadType: 96,
      clockRate: 90_000,
      parameters: {},
      rtcpFeedback: [{ type: 'nack', parameter: 'pli' }],
    },
    { mimeType: 'video/rtx', payloadType: 97, clockRate: 90_000, parameters: { apt: 96 }, rtcpFeedback: [] },
  ],
  encodings: ['r0', 'r1', 'r2'].map((rid, i) => ({
    rid,
    scaleResolutionDownBy: 4 >> i,
    maxBitrate: 300_000,
    scalabilityMode: 'L1T3',
    active: true,
  })),
};
const fingerprint = {
  algorithm: 'sha-256',
  value: Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(2, '0'))
    .join(':')
    .toUpperCase(),
};

const malformed = (call: () => unknown): boolean => {
  try {
    call();
    return true;
  } catch (error) {
    return error instanceof MicroturnError && error.code === 'protocol/malformed';
  }
};

describe('what a client says of its media', () => {
  it('is taken as mediasoup-client sends it', () => {
    const { msid: _, ...known } = microphone;
    expect(parseRtpParameters(microphone, 'audio')).toEqual(known);
    expect(parseRtpParameters(camera, 'video').encodings?.map((encoding) => encoding.rid)).toEqual(['r0', 'r1', 'r2']);
    expect(parseDtlsParameters({ role: 'server', fingerprints: [fingerprint] }).role).toBe('server');
    expect(
      parseRtpCapabilities({
        codecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 }],
        headerExtensions: [],
      }).codecs,
    ).toHaveLength(1);
  });

  it('drops parameters without a value', () => {
    const codecs = [{ ...microphone.codecs[0], parameters: { a: null, b: undefined, c: 'd' } }];
    expect(parseRtpParameters({ ...microphone, codecs }, 'audio').codecs[0]?.parameters).toEqual({ c: 'd' });
  });

  it.each([
    ['no codec', { ...microphone, codecs: [] }, 'rtpParameters.codecs'],
    ['no encoding', { ...microphone, encodings: [] }, 'rtpParameters.encodings'],
    ['an SSRC that is none', { ...microphone, encodings: [{ ssrc: -1 }] }, 'rtpParameters.encodings.0.ssrc'],
    [
      'a codec parameter that is an object',
      { ...microphone, codecs: [{ ...microphone.codecs[0], parameters: { a: {} } }] },
      'parameters.a',
    ],
    ['a codec of the other kind', { ...microphone, codecs: camera.codecs }, 'video/VP8'],
    [
      'a number that nobody can write',
      { ...microphone, codecs: [{ ...microphone.codecs[0], parameters: { a: 1e300 } }] },
      'parameters.a',
    ],
  ])('is refused with %s, naming the field', (_, given, field) => {
    expect(() => parseRtpParameters(given, 'audio')).toThrow(field);
  });

  it.each([
    ['no fingerprint', { fingerprints: [] }],
    ['an unknown algorithm', { fingerprints: [{ ...fingerprint, algorithm: 'md5' }] }],
    ['a fingerprint that is none', { fingerprints: [{ ...fingerprint, value: 'zz:zz' }] }],
    ['a role that is none', { role: 'both', fingerprints: [fingerprint] }],
  ])('is refused with %s', (_, given) =>
    expect(malformed(() => parseDtlsParameters(given)) && !accepted(() => parseDtlsParameters(given))).toBe(true),
  );

  it('is refused with a code, whatever else it is', () => {
    fc.assert(
      fc.property(
        fc.anything(),
        (given) =>
          malformed(() => parseRtpParameters(given, 'audio')) &&
          malformed(() => parseRtpCapabilities(given)) &&
          malformed(() => parseDtlsParameters(given)),
      ),
      { seed: 1, numRuns: 500 },
    );
  });
});

function accepted(call: () => unknown): boolean {
  try {
    call();
    return true;
  } catch {
    return false;
  }
}
