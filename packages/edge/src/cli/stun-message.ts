import { createHash, createHmac, randomBytes } from 'node:crypto';

// As much of STUN (RFC 8489) and TURN (RFC 8656) as it takes to ask a server whether it would relay.

const COOKIE = 0x2112_a442;
const HEADER_BYTES = 20;
const INTEGRITY_BYTES = 24;

export const BINDING = 0x0001;
export const ALLOCATE = 0x0003;
export const REFRESH = 0x0004;
const SUCCESS = 0x0100;
const FAILURE = 0x0110;

const ATTRIBUTE = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  lifetime: 0x000d,
  realm: 0x0014,
  nonce: 0x0015,
  xorRelayedAddress: 0x0016,
  requestedTransport: 0x0019,
} as const;
const UDP = 17;

/** How a long-term credential is shown, after the server has named its realm and a nonce. */
export interface Login {
  readonly username: string;
  readonly credential: string;
  readonly realm: Buffer;
  readonly nonce: Buffer;
}

export interface StunRequest {
  readonly transaction: Buffer;
  readonly bytes: Buffer;
}

export interface StunResponse {
  readonly transaction: Buffer;
  readonly success: boolean;
  /** Of a failure. */
  readonly errorCode: number;
  readonly reason: string;
  readonly realm: Buffer | undefined;
  readonly nonce: Buffer | undefined;
  readonly relayed: { readonly address: string; readonly port: number } | undefined;
}

/** @param lifetime seconds that an allocation is asked to last; 0 gives it back */
export function encodeRequest(
  method: number,
  { login, lifetime }: { login?: Login; lifetime?: number } = {},
): StunRequest {
  const transaction = randomBytes(12);
  const attributes: Buffer[] = [];
  if (method === ALLOCATE) attributes.push(attribute(ATTRIBUTE.requestedTransport, Buffer.of(UDP, 0, 0, 0)));
  if (lifetime !== undefined) attributes.push(attribute(ATTRIBUTE.lifetime, uint32(lifetime)));
  if (login) {
    attributes.push(attribute(ATTRIBUTE.username, Buffer.from(login.username)));
    attributes.push(attribute(ATTRIBUTE.realm, login.realm), attribute(ATTRIBUTE.nonce, login.nonce));
  }
  const body = Buffer.concat(attributes);
  const header = (bytes: number) =>
    Buffer.concat([Buffer.of(method >> 8, method & 0xff, bytes >> 8, bytes & 0xff), uint32(COOKIE), transaction]);
  if (!login) return { transaction, bytes: Buffer.concat([header(body.length), body]) };
  // What is signed has the length that it has with its signature.
  const signed = Buffer.concat([header(body.length + INTEGRITY_BYTES), body]);
  const integrity = createHmac('sha1', keyOf(login)).update(signed).digest();
  return { transaction, bytes: Buffer.concat([signed, attribute(ATTRIBUTE.messageIntegrity, integrity)]) };
}

/** Undefined for what is no response, or not whole. */
export function decodeResponse(bytes: Buffer): StunResponse | undefined {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32BE(4) !== COOKIE) return undefined;
  const end = HEADER_BYTES + bytes.readUInt16BE(2);
  if (bytes.length < end) return undefined;
  const kind = bytes.readUInt16BE(0) & FAILURE;
  if (kind !== SUCCESS && kind !== FAILURE) return undefined;
  const attributes = new Map<number, Buffer>();
  for (let at = HEADER_BYTES; at + 4 <= end;) {
    const length = bytes.readUInt16BE(at + 2);
    attributes.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, Math.min(at + 4 + length, end)));
    at += 4 + length + padding(length);
  }
  const error = attributes.get(ATTRIBUTE.errorCode);
  return {
    transaction: bytes.subarray(8, HEADER_BYTES),
    success: kind === SUCCESS,
    errorCode: error && error.length >= 4 ? error[2]! * 100 + error[3]! : 0,
    reason: error?.subarray(4).toString('utf8') ?? '',
    realm: attributes.get(ATTRIBUTE.realm),
    nonce: attributes.get(ATTRIBUTE.nonce),
    relayed: addressIn(attributes.get(ATTRIBUTE.xorRelayedAddress)),
  };
}

/** IPv4 only: it is shown to a person, and not used. */
function addressIn(value: Buffer | undefined): StunResponse['relayed'] {
  if (!value || value.length < 8 || value[1] !== 1) return undefined;
  const port = value.readUInt16BE(2) ^ (COOKIE >>> 16);
  const address = [...uint32((value.readUInt32BE(4) ^ COOKIE) >>> 0)].join('.');
  return { address, port };
}

function attribute(type: number, value: Buffer): Buffer {
  const head = Buffer.of(type >> 8, type & 0xff, value.length >> 8, value.length & 0xff);
  return Buffer.concat([head, value, Buffer.alloc(padding(value.length))]);
}

const padding = (length: number) => (4 - (length % 4)) % 4;

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function keyOf({ username, credential, realm }: Login): Buffer {
  return createHash('md5').update(`${username}:`).update(realm).update(`:${credential}`).digest();
}
