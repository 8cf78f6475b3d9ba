import type { types } from 'mediasoup';

/** Ticks a second of Opus on RTP, whatever its audio bandwidth (RFC 7587, section 4.1). */
const OPUS_CLOCK_HZ = 48_000;

/**
 * Opus for speech and VP8 for faces and screens: every WebRTC browser has both, and the decode side stays simple.
 * NACK on Opus, because no decoder binding exposes the in-band FEC of a received packet.
 */
export const routerCodecs: types.RouterRtpCodecCapability[] = [
  {
    kind: 'audio',
    mimeType: 'audio/opus',
    preferredPayloadType: 111,
    clockRate: OPUS_CLOCK_HZ,
    channels: 2,
    parameters: { minptime: 10, useinbandfec: 1 },
    rtcpFeedback: [{ type: 'nack' }, { type: 'transport-cc' }],
  },
  {
    kind: 'video',
    mimeType: 'video/VP8',
    preferredPayloadType: 96,
    clockRate: 90_000,
    rtcpFeedback: [
      { type: 'nack' },
      { type: 'nack', parameter: 'pli' },
      { type: 'ccm', parameter: 'fir' },
      { type: 'goog-remb' },
      { type: 'transport-cc' },
    ],
  },
];

/** What the edge itself sends as the agent's voice: mono Opus with in-band FEC. */
export function voiceRtpParameters(ssrc: number, payloadType: number): types.RtpParameters {
  return {
    codecs: [
      {
        mimeType: 'audio/opus',
        payloadType,
        clockRate: OPUS_CLOCK_HZ,
        channels: 2,
        parameters: { useinbandfec: 1 },
        rtcpFeedback: [],
      },
    ],
    headerExtensions: [],
    encodings: [{ ssrc }],
    rtcp: { cname: 'agent' },
  };
}
