import { MicroturnError } from '@microturn/protocol';
import type { types } from 'mediasoup';
import * as v from 'valibot';

// mediasoup serialises what it is given into one buffer that all its requests share, and a value that throws half way
// leaves that buffer broken for every caller. So nothing of a client reaches it that was not checked here.

const Uint = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
const Name = v.pipe(v.string(), v.minLength(1), v.maxLength(256));
const Many = <S extends v.GenericSchema>(item: S, max: number) => v.pipe(v.array(item), v.maxLength(max));
const Scalar = v.union([v.pipe(v.string(), v.maxLength(1024)), v.pipe(v.number(), v.safeInteger()), v.boolean()]);
/** `null` and `undefined` values are dropped, as JSON peers send both. */
const Parameters = v.pipe(
  v.record(v.pipe(v.string(), v.maxLength(64)), v.nullish(Scalar)),
  v.check((record) => Object.keys(record).length <= 64, 'too many parameters'),
  v.transform((record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value != null))),
);
const Feedback = v.object({ type: Name, parameter: v.optional(v.pipe(v.string(), v.maxLength(64))) });
const Kind = v.picklist(['audio', 'video']);
const Mime = v.pipe(v.string(), v.regex(/^(audio|video)\/[\w.+-]{1,64}$/i, 'expected a MIME type'));
const PayloadType = Uint(127);

const Codec = v.object({
  mimeType: Mime,
  payloadType: PayloadType,
  clockRate: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000)),
  channels: v.optional(Uint(255)),
  parameters: v.optional(Parameters),
  rtcpFeedback: v.optional(Many(Feedback, 32)),
});

const Encoding = v.object({
  ssrc: v.optional(Uint(0xffff_ffff)),
  rid: v.optional(v.pipe(v.string(), v.regex(/^[\w-]{1,16}$/, 'expected a rid'))),
  codecPayloadType: v.optional(PayloadType),
  rtx: v.optional(v.object({ ssrc: Uint(0xffff_ffff) })),
  dtx: v.optional(v.boolean()),
  scalabilityMode: v.optional(
    v.pipe(v.string(), v.regex(/^[LS][1-9]T[1-9](h|_KEY|_KEY_SHIFT)?$/, 'expected a scalability mode')),
  ),
  maxBitrate: v.optional(Uint(0xffff_ffff)),
});

const RtpParameters = v.object({
  mid: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(8))),
  codecs: v.pipe(Many(Codec, 32), v.minLength(1)),
  headerExtensions: v.optional(
    Many(
      v.object({
        uri: Name,
        id: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(255)),
        encrypt: v.optional(v.boolean()),
        parameters: v.optional(Parameters),
      }),
      32,
    ),
  ),
  encodings: v.pipe(Many(Encoding, 8), v.minLength(1)),
  rtcp: v.optional(v.object({ cname: v.optional(Name), reducedSize: v.optional(v.boolean()) })),
});

const RtpCapabilities = v.object({
  codecs: v.optional(
    Many(
      v.object({
        kind: Kind,
        mimeType: Mime,
        preferredPayloadType: v.optional(PayloadType),
        clockRate: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000)),
        channels: v.optional(Uint(255)),
        parameters: v.optional(Parameters),
        rtcpFeedback: v.optional(Many(Feedback, 32)),
      }),
      64,
    ),
  ),
  headerExtensions: v.optional(
    Many(
      v.object({
        kind: v.optional(Kind),
        uri: Name,
        preferredId: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(255)),
        preferredEncrypt: v.optional(v.boolean()),
        direction: v.optional(v.picklist(['sendrecv', 'sendonly', 'recvonly', 'inactive'])),
      }),
      64,
    ),
  ),
});

const DtlsParameters = v.object({
  role: v.optional(v.picklist(['auto', 'client', 'server'])),
  fingerprints: v.pipe(
    Many(
      v.object({
        algorithm: v.picklist(['sha-1', 'sha-224', 'sha-256', 'sha-384', 'sha-512']),
        value: v.pipe(
          v.string(),
          v.regex(/^[0-9A-F]{2}(:[0-9A-F]{2}){19,63}$/i, 'expected pairs of hexadecimal digits'),
        ),
      }),
      8,
    ),
    v.minLength(1),
  ),
});

/** @throws {MicroturnError} `protocol/malformed`, naming the field */
export function parseRtpParameters(value: unknown, kind: types.MediaKind): types.RtpParameters {
  const parameters = parse(RtpParameters, value, 'rtpParameters');
  const other = parameters.codecs.find((codec) => !codec.mimeType.toLowerCase().startsWith(`${kind}/`));
  if (other)
    throw new MicroturnError('protocol/malformed', `rtpParameters.codecs: expected ${kind}, got ${other.mimeType}`);
  return parameters as types.RtpParameters;
}

/** @throws {MicroturnError} `protocol/malformed`, naming the field */
export function parseRtpCapabilities(value: unknown): types.RtpCapabilities {
  return parse(RtpCapabilities, value, 'rtpCapabilities') as types.RtpCapabilities;
}

/** @throws {MicroturnError} `protocol/malformed`, naming the field */
export function parseDtlsParameters(value: unknown): types.DtlsParameters {
  return parse(DtlsParameters, value, 'dtlsParameters') as types.DtlsParameters;
}

function parse<S extends v.GenericSchema>(schema: S, value: unknown, name: string): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const issue = parsed.issues[0];
  const path = v.getDotPath(issue);
  // It quotes what was received, and no one wants all of that back.
  throw new MicroturnError('protocol/malformed', `${name}${path ? `.${path}` : ''}: ${issue.message}`.slice(0, 200));
}
