import { once } from 'node:events';
import { WebSocket } from 'ws';

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly sessionId: string; readonly message?: string; readonly workerInfo?: { title: string } };
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Speaks with a process that was started with `--inspect`: what its own metrics cannot tell, such as a heap that has just been collected. */
export class Inspector implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  /** Sessions of its worker threads. */
  readonly #threads = new Set<string>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#receive(JSON.parse(data.toString('utf8')) as Reply));
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the inspected process went away'));
      this.#waiting.clear();
    });
  }

  /**
   * @param stderr what the process has printed: it names its address there
   * @throws {Error} where it was started without `--inspect`
   */
  static async attach(stderr: string): Promise<Inspector> {
    const url = /Debugger listening on (ws:\S+)/.exec(stderr)?.[1];
    if (url === undefined) throw new Error('expected a process that was started with --inspect');
    const socket = new WebSocket(url);
    await once(socket, 'open');
    const inspector = new Inspector(socket);
    await inspector.#ask('NodeWorker.enable', { waitForDebuggerOnStart: false });
    return inspector;
  }

  /** Bytes in use on the heap of the main thread and, in all, on those of its worker threads, after a collection. */
  async heaps(): Promise<{ main: number; threads: number }> {
    const threads = await Promise.all([...this.#threads].map((thread) => this.#heap(thread)));
    return { main: await this.#heap(), threads: threads.reduce((sum, bytes) => sum + bytes, 0) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
  }

  async #heap(thread?: string): Promise<number> {
    await this.#ask('HeapProfiler.collectGarbage', {}, thread);
    return ((await this.#ask('Runtime.getHeapUsage', {}, thread)) as { usedSize: number }).usedSize;
  }

  #ask(method: string, params: object, thread?: string): Promise<unknown> {
    const id = ++this.#lastId;
    const message = JSON.stringify({ id, method, params });
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      if (thread === undefined) this.#socket.send(message);
      else
        // Its own answer says only that the message was passed on, and nobody waits for it.
        this.#socket.send(
          JSON.stringify({
            id: ++this.#lastId,
            method: 'NodeWorker.sendMessageToWorker',
            params: { sessionId: thread, message },
          }),
        );
    });
  }

  #receive({ id, method, params, result, error }: Reply): void {
    if (method === 'NodeWorker.attachedToWorker') this.#threads.add(params!.sessionId);
    else if (method === 'NodeWorker.detachedFromWorker') this.#threads.delete(params!.sessionId);
    else if (method === 'NodeWorker.receivedMessageFromWorker') this.#receive(JSON.parse(params!.message!) as Reply);
    else if (id !== undefined) {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result);
    }
  }
}
