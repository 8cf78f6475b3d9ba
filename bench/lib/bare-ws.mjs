// The least that holds WebSockets open: what an idle one costs at best. Started with IPC, by bench/idle-sockets.ts.
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, maxPayload: 256 * 1024 });
server.on('connection', (socket) => {
  socket.on('message', (data) => socket.send(data));
  socket.on('error', () => undefined);
});
server.on('listening', () => process.send?.(/** @type {import('node:net').AddressInfo} */ (server.address()).port));
process.on('disconnect', () => process.exit());
