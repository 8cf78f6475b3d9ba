import {
  MicroturnError,
  isErrorCode,
  type InterruptResult,
  type SessionEventOf,
  type SessionEventType,
} from '@microturn/protocol';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, CDPSession, Page } from 'playwright';
import { CallError } from './call-error.js';
import { launchChromium } from './chromium.js';
import { MICROPHONE_HZ, toMicrophone } from './microphone-file.js';
import type { PageMessage } from './page/page-messages.js';
import { PageServer } from './page-server.js';
import type { SentPacket } from './sent-audio.js';
import type { CallRecording } from './summary.js';
import type { TimedEvent } from './timed-event.js';
import { fetchToken } from './token.js';
import { encodeWav, toFloat, toInt16, type Pcm } from './wav.js';

export interface CallerOptions {
  /** Base of the edge. */
  readonly url: string;
  /** Default: one from the edge's /dev/token. */
  readonly token?: string | undefined;
  readonly room?: string | undefined;
  /** What the caller says; at least 1 s of silence is put in front. Without it the caller has no microphone. */
  readonly microphone?: Pcm | undefined;
  readonly loop?: boolean;
  /** Default true. */
  readonly record?: boolean;
  /** Lowers the agent at the user's onset, as the SDK does of itself; default false, since it takes the page's time. */
  readonly ducking?: boolean;
  /** False: sound must be unlocked by a click. */
  readonly autoplay?: boolean;
  /** True: a TURN server may have a certificate that nobody vouches for. */
  readonly anyCertificate?: boolean;
  /** Runs in the page before anything of its own, for a caller that does as none should. */
  readonly initScript?: string;
  readonly onEvent?: ((event: TimedEvent) => void) | undefined;
  readonly onMessage?: ((message: PageMessage) => void) | undefined;
}

const WAIT_MS = 20_000;
const PAGE_MS = 90_000;

/** One call: a headless Chromium that joins an edge through the SDK, with a file as its microphone. */
export class Caller implements AsyncDisposable {
  readonly #options: CallerOptions;
  readonly #closers: (() => Promise<unknown>)[] = [];
  readonly #events: TimedEvent[] = [];
  readonly #waiters = new Set<() => void>();
  readonly #chunks: Int16Array[] = [];
  readonly #packets: SentPacket[] = [];
  #page: Page | undefined;
  #devtools: CDPSession | undefined;
  #browser: Browser | undefined;
  #microphoneMs = 0;
  #ended: Error | undefined;
  #hungUp = false;

  private constructor(options: CallerOptions) {
    this.#options = options;
  }

  /**
   * Starts a browser, and resolves when it is connected.
   * @throws {CallError | MicroturnError} with nothing left running
   */
  static async open(options: CallerOptions): Promise<Caller> {
    const caller = new Caller(options);
    try {
      await caller.#open();
      return caller;
    } catch (error) {
      await caller.close();
      throw error;
    }
  }

  /** In order of arrival. */
  get events(): readonly TimedEvent[] {
    return this.#events;
  }
  /** When the page had its microphone, on the recording's clock. The file began before: `fileStartMs` tells when. */
  get microphoneMs(): number {
    return this.#microphoneMs;
  }
  /** For what only the browser can tell. */
  get page(): Page {
    if (!this.#page) throw new CallError('call/browser', 'the call is over');
    return this.#page;
  }

  eventsOf<T extends SessionEventType>(type: T): (SessionEventOf<T> & { readonly receivedMs: number })[] {
    return this.#events.filter((event) => event.type === type) as (SessionEventOf<T> & {
      readonly receivedMs: number;
    })[];
  }

  say(text: string): Promise<{ responseId: string }> {
    return this.#inPage(`say(${JSON.stringify(text)})`);
  }

  interrupt(): Promise<InterruptResult & { askedMs: number }> {
    return this.#inPage('interrupt()');
  }

  /** ms since the recording's first sample. */
  recordedMs(): Promise<number> {
    return this.#inPage('recordedMs');
  }

  /**
   * The first event, of those that came and of those to come, that `predicate` accepts.
   * @throws {Error} after `timeoutMs`, naming what was waited for
   */
  async until<T extends TimedEvent>(
    what: string,
    predicate: (event: TimedEvent) => event is T,
    timeoutMs?: number,
  ): Promise<T>;
  async until(what: string, predicate: (event: TimedEvent) => boolean, timeoutMs?: number): Promise<TimedEvent>;
  async until(what: string, predicate: (event: TimedEvent) => boolean, timeoutMs = WAIT_MS): Promise<TimedEvent> {
    let seen = 0;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      for (; seen < this.#events.length; seen++) if (predicate(this.#events[seen]!)) return this.#events[seen]!;
      if (this.#ended) throw this.#ended;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0)
        throw new Error(
          `no ${what} in ${timeoutMs} ms; last events: ${this.#events
            .slice(-5)
            .map(({ type }) => type)
            .join(', ')}`,
        );
      await this.#changed(leftMs);
    }
  }

  /** Resolves when the recording is `ms` long. */
  async untilRecorded(ms: number): Promise<void> {
    for (;;) {
      if (this.#ended) throw this.#ended;
      const leftMs = ms - (await this.recordedMs());
      if (leftMs <= 0) return;
      await this.#changed(Math.min(leftMs, 200));
    }
  }

  /** Resolves when every response that has started has ended, or after `timeoutMs`. */
  async untilQuiet(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    const live = () => {
      const started = this.eventsOf('response.started').length;
      return started > this.eventsOf('response.completed').length + this.eventsOf('response.interrupted').length;
    };
    while (live() && !this.#ended && performance.now() < deadline) await this.#changed(deadline - performance.now());
  }

  /** Ends the call, and gives what was recorded of it. */
  async hangUp(): Promise<CallRecording> {
    this.#hungUp = true;
    await this.#inPage('hangUp()');
    const recording = this.recording();
    await this.close();
    return recording;
  }

  /** What was recorded so far. */
  recording(): CallRecording {
    const frames = this.#chunks.reduce((sum, { length }) => sum + length / 2, 0);
    const sent = new Int16Array(frames);
    const received = new Int16Array(frames);
    let at = 0;
    for (const chunk of this.#chunks) {
      for (let i = 0; i < chunk.length; i += 2, at++) {
        sent[at] = chunk[i]!;
        received[at] = chunk[i + 1]!;
      }
    }
    return {
      sent: toFloat(sent),
      received: toFloat(received),
      rateHz: MICROPHONE_HZ,
      packets: this.#packets,
      events: this.#events,
    };
  }

  /** Closing twice is harmless. */
  async close(): Promise<void> {
    this.#hungUp = true;
    this.#ended ??= new CallError('call/browser', 'the call is over');
    for (const close of this.#closers.splice(0).reverse()) await close().catch(() => undefined);
    this.#page = undefined;
    this.#devtools = undefined;
    this.#wake();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(): Promise<void> {
    const { url, room, microphone, loop, autoplay, anyCertificate, record = true, ducking = false } = this.#options;
    const token = this.#options.token ?? (await fetchToken(url, room));
    const folder = await mkdtemp(join(tmpdir(), 'microturn-call-'));
    this.#closers.push(() => rm(folder, { recursive: true, force: true }));
    const microphoneFile = microphone && join(folder, 'microphone.wav');
    if (microphone && microphoneFile) {
      await writeFile(microphoneFile, encodeWav([toInt16(toMicrophone(microphone).samples)], MICROPHONE_HZ));
    }
    const server = await PageServer.open({
      onMessage: (message) => this.#onMessage(message),
      onRecorded: (pcm) => this.#chunks.push(pcm),
      onPacket: (rtpTimestamp, receivedMs, pcm) =>
        this.#packets.push({ rtpTimestamp, receivedMs, samples: toFloat(pcm) }),
    });
    this.#closers.push(() => server.close());
    this.#browser = await launchChromium({
      microphoneFile,
      ...(loop !== undefined && { loop }),
      ...(autoplay !== undefined && { autoplay }),
      ...(anyCertificate !== undefined && { anyCertificate }),
    });
    this.#closers.push(() => this.#browser?.close() ?? Promise.resolve());
    this.#browser.once('disconnected', () => this.#end(new CallError('call/browser', 'it ended')));
    const page = await this.#browser.newPage();
    page.once('crash', () => this.#end(new CallError('call/browser', 'its page crashed')));
    this.#page = page;
    if (this.#options.initScript !== undefined) await page.addInitScript(this.#options.initScript);
    // The soak test opens its page while all else starts, and has little of the machine.
    await page.goto(server.url, { timeout: PAGE_MS });
    const options = {
      url,
      token,
      microphone: microphone !== undefined,
      record,
      ducking,
      ...(room !== undefined && { room }),
    };
    this.#devtools = await page.context().newCDPSession(page);
    await this.#inPage(`start(${JSON.stringify(options)})`);
  }

  /**
   * Calls the page. To the browser that is the user's act, as a click is, unless autoplay is to be refused.
   * @throws what the page throws, coded as it was there
   */
  async #inPage<T>(call: string): Promise<T> {
    if (!this.#devtools) throw this.#ended ?? new CallError('call/browser', 'the call is over');
    const { result } = await this.#devtools
      .send('Runtime.evaluate', {
        expression: `window.caller.then((caller) => caller.${call}).then((value) => ({ value }), ({ code, message }) => ({ code, message }))`,
        awaitPromise: true,
        returnByValue: true,
        userGesture: this.#options.autoplay !== false,
      })
      .catch((cause: unknown) => {
        throw (
          this.#ended ??
          new CallError('call/browser', cause instanceof Error ? cause.message : String(cause), { cause })
        );
      });
    const { value, code, message } = result.value as { value?: T; code?: string; message?: string };
    if (message !== undefined) throw this.#ended ?? codedError(code, message);
    return value as T;
  }

  #onMessage(message: PageMessage): void {
    if (message.type === 'event') {
      const event = { ...message.event, receivedMs: message.receivedMs };
      this.#events.push(event);
      this.#options.onEvent?.(event);
    } else if (message.type === 'microphone') {
      this.#microphoneMs = message.atMs;
    } else if (message.type === 'connection' && message.status === 'failed') {
      this.#end(codedError(message.code, message.message ?? 'the call failed'));
    }
    this.#options.onMessage?.(message);
    this.#wake();
  }

  #end(error: Error): void {
    if (this.#hungUp) return;
    this.#ended ??= error;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiters) wake();
  }

  #changed(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiters.add(done);
    });
  }
}

/** An error of the page as it was thrown there. */
function codedError(code: string | undefined, message: string): Error {
  if (isErrorCode(code)) return MicroturnError.fromWire({ code, message, retryable: false, hint: '' });
  return new CallError('call/browser', message);
}
