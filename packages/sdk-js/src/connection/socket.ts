import { MicroturnError } from '@microturn/protocol';

/** An open, ordered, message-wise connection. `WebSocket` is one, through `openWebSocket`. */
export interface Socket {
  send(text: string): void;
  /**
   * Nothing is called afterwards. Closing twice is harmless.
   * @param returning tells the edge that this is not the end of the session: another socket will carry it
   */
  close(returning?: boolean): void;
}

export interface SocketObserver {
  message(text: string): void;
  /** The other side, or the network, ended it. Once, and the last call. */
  closed(error: MicroturnError): void;
}

export type OpenSocket = (url: string, observer: SocketObserver, signal: AbortSignal) => Promise<Socket>;

const TOO_LARGE = 1009;
/** A code of our own, above those of RFC 6455: an ordinary close would end the session at the edge. */
const RETURNING = 4000;

/** @throws {MicroturnError} `net/unreachable`, or the signal's reason, with the socket closed */
export const openWebSocket: OpenSocket = (url, observer, signal) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    let ws: WebSocket;
    try {
      ws = new WebSocket(url);
    } catch (cause) {
      reject(new MicroturnError('net/unreachable', url, { cause }));
      return;
    }
    const release = () => {
      ws.onopen = ws.onmessage = ws.onclose = null;
      signal.removeEventListener('abort', onAbort);
    };
    const onAbort = () => {
      release();
      ws.close();
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort);
    ws.onmessage = ({ data }) => {
      if (typeof data === 'string') observer.message(data);
    };
    // An error event says nothing that the close event after it does not.
    ws.onclose = () => {
      release();
      reject(new MicroturnError('net/unreachable', url));
    };
    ws.onopen = () => {
      signal.removeEventListener('abort', onAbort);
      ws.onclose = ({ code, reason }) => {
        release();
        const detail = `code ${code}${reason && `, ${reason}`}`;
        observer.closed(new MicroturnError(code === TOO_LARGE ? 'protocol/too-large' : 'net/closed', detail));
      };
      resolve({
        send(text) {
          if (ws.readyState === WebSocket.OPEN) ws.send(text);
        },
        close(returning = false) {
          release();
          if (returning) ws.close(RETURNING);
          else ws.close();
        },
      });
    };
  });
