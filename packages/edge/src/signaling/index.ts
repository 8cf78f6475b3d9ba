export {
  mintJoinToken,
  mintServerToken,
  verifyJoinToken,
  verifyServerToken,
  type ApiKeys,
  type Grant,
} from './auth.js';
export type { Call } from './call.js';
export { Connection, type ConnectionParts } from './connection.js';
export { spareDescriptors } from './descriptors.js';
export { trustedProxies } from './caller-address.js';
export { Dispatches } from './dispatches.js';
export { Gate } from './gate.js';
export { KeyRing } from './key-ring.js';
export { Removals } from './removals.js';
export { Turnstile } from './turnstile.js';
export { UsedTokens } from './used-tokens.js';
export { Webhooks } from './webhooks.js';
export { WaitingRoom } from './waiting-room.js';
export type { AdministeredRoom } from './room-service.js';
export { iceServersFor, parseIceUrl, type IceServer, type IceServerConfig, type IceUrl } from './ice-servers.js';
export { createHttpServer, type HttpServerParts } from './http-server.js';
export { certifies, type Certificate } from './certificate.js';
export { callsToShed } from './shedding.js';
