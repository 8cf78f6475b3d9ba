/** mediasoup-client’s device, in a file of its own: whoever only imports the SDK does not load it. */
export { Device } from 'mediasoup-client';
