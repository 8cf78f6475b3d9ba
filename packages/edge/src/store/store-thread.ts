import { parentPort, workerData } from 'node:worker_threads';
import { MicroturnError } from '@microturn/protocol';
import { SessionDatabase } from './database.js';
import type { FromStoreThread, StoreThreadData, ToStoreThread } from './messages.js';

// The store thread: started by DiskStore, and the one thread that waits for a disk.

const main = parentPort;
if (!main) throw new Error('store-thread is the entry of a worker thread, and is started by DiskStore');
const { file, maxBytes } = workerData as StoreThreadData;
const post = (message: FromStoreThread) => main.postMessage(message);
const onSetAside = (name: string, reason: string) => post({ setAside: { name, reason } });

let database: SessionDatabase | undefined;

main.on('message', (request: ToStoreThread) => {
  const { id } = request;
  try {
    post({ id, result: answer(request) });
    if (request.method === 'close') main.close();
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    post({ id, error: new MicroturnError('edge/store', [code, message].filter(Boolean).join(' ')).toWire() });
    // Only the end of its thread makes libsql let go of a file. By then there may be room, or another disk, or none.
    main.close();
  }
});

function answer(request: ToStoreThread): unknown {
  if (request.method === 'close') return undefined;
  database ??= SessionDatabase.open({ file, maxBytes, onSetAside });
  switch (request.method) {
    case 'write':
      return database.write(request.params);
    case 'find':
      return database.find(request.params.tokenHash, request.params.now);
    case 'list':
      return database.list(request.params.sessionId, request.params.kind);
    case 'expire':
      return database.expire(request.params.now);
    default:
      return request satisfies never;
  }
}
