export { mintJoinToken, verifyAdminToken, verifyJoinToken, type ApiKeys, type Grant } from './auth.js';
export { Call, type CallParts } from './call.js';
export { Connection, type ConnectionParts } from './connection.js';
export { spareDescriptors } from './descriptors.js';
export { Turnstile } from './turnstile.js';
export { WaitingRoom } from './waiting-room.js';
export { createHttpServer, type HttpServerParts } from './http-server.js';
export { certifies, type Certificate } from './certificate.js';
