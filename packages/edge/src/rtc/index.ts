export { RtcEndpoint, type RtcTransportState } from './rtc-endpoint.js';
export { RtcRoom, type RtcTap, type RtcVoice } from './rtc-room.js';
export { RtcServer, type RtcServerOptions } from './rtc-server.js';
