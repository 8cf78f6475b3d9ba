import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { MicroturnError } from '@microturn/protocol';
import { type Clock, monotonicClock } from '../clock.js';
import type { VoiceKey } from '../media/types.js';
import type { Log } from '../telemetry/log.js';
import { MAX_TEXT_CHARS } from './clauses.js';
import { fliteVoices } from './flite.js';
import type { Manner } from './manner.js';
import type { VoiceSpec } from './open-voice.js';
import type { SpokenClause, VoiceReport, VoiceRequest, VoiceThreadData } from './messages.js';

export interface VoiceHostOptions {
  /** One of `fliteVoices`, or `tones`, the fake. `slt` unless told otherwise. */
  readonly voice?: string;
  /** More voices, for those who ask for one by name. */
  readonly speakers?: Readonly<Record<string, VoiceSpec>>;
  readonly log: Log;
  /** The built `voice-thread.js`; found beside this file unless told otherwise. */
  readonly threadUrl?: URL;
  /** Texts to know in advance; the numbers to fifteen unless told otherwise. */
  readonly warm?: readonly string[];
  /** The thread died and another took its place: hand the media thread a new `connect()`. Called before anything is said. */
  readonly onRestart?: () => void;
  /** It died too often: it stays dead. */
  readonly onFailed?: (error: MicroturnError) => void;
  readonly clock?: Clock;
  /** Between two signs of life that are asked for; 1 s where nothing is given. */
  readonly pingMs?: number;
}

export interface SpeakRequest {
  /** Who hears it. */
  readonly voiceKey: VoiceKey;
  /** Calls with the same id follow each other in one response. */
  readonly responseId: string;
  readonly text: string;
  /** Called as each clause is made, in order. */
  readonly onClause: (clause: SpokenClause) => void;
  /** Who speaks, of `speakers`. */
  readonly speaker?: string | undefined;
  /** Whose response it is: they are given what was rehearsed for them, and not what was for others. */
  readonly caller?: string | undefined;
  readonly manner?: Manner | undefined;
  /** Something went wrong and was made up for. */
  readonly onProblem?: (error: MicroturnError) => void;
  /** Nothing follows in this response: the same as `end` after it. */
  readonly last?: boolean;
}

/** What may wait to be said, over all responses. Policy `reject`: more is refused with `voice/failed`, and nothing is dropped. */
export const voiceQueue = { policy: 'reject', calls: 1024, chars: 524_288, responses: 4096 } as const;

/** They make no sound in advance: meanwhile nobody else's would be made. */
const ON_THREAD: ReadonlySet<VoiceSpec['provider']> = new Set(['flite', 'tones']);
const NUMBERS = 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen'.split(' ');
const START_MS = 30_000;
const PING_MS = 1_000;
/**
 * A clause takes 0.1 s: a thread that leaves so many signs of life unanswered while it has work hangs. One that starts answers
 * none before its voices are there.
 */
const HANG_PINGS = 10;
const START_PINGS = 30;
/** A thread that dies more often than this stays dead: something is wrong that another start does not mend. */
const RESTARTS = { most: 3, withinMs: 600_000 };
/** Responses that ended lately, so that a late `speak` to one is told apart from a new response. */
const REMEMBERED = 1_024;

interface Call {
  readonly request: SpeakRequest;
  readonly resolve: (result: { lengthMs: number }) => void;
  readonly reject: (error: Error) => void;
}

interface OpenResponse {
  readonly voice: VoiceKey;
  lengthMs: number;
  ending: boolean;
}

/**
 * The voice, seen from main: it lives on a thread of its own and sends sound straight to the media thread, over the port that
 * `connect` gives. Main sees the words and their times.
 */
export class VoiceHost {
  readonly #options: VoiceHostOptions;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #calls = new Map<number, Call>();
  readonly #responses = new Map<string, OpenResponse>();
  readonly #ended = new Set<string>();
  readonly #diedAtMs: number[] = [];
  #worker: Worker | undefined;
  #nextJob = 1;
  #queuedChars = 0;
  #ready = false;
  #unanswered = 0;
  #watch: NodeJS.Timeout | undefined;
  #started = false;
  #closed = false;

  private constructor(options: VoiceHostOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#clock = options.clock ?? monotonicClock;
  }

  /**
   * Resolves when the voice has spoken for the first time, to itself.
   * @throws {MicroturnError} `edge/config` if there is no such voice, `voice/failed` if it does not start
   */
  static async start(options: VoiceHostOptions): Promise<VoiceHost> {
    const voices = [...fliteVoices, 'tones'];
    if (options.voice !== undefined && !voices.includes(options.voice)) {
      throw new MicroturnError('edge/config', `voice.name: expected one of ${voices.join(', ')}, got ${options.voice}`);
    }
    const host = new VoiceHost(options);
    try {
      await host.#startThread();
      host.#started = true;
    } catch (error) {
      await host.close();
      throw error;
    }
    return host;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Calls of `speak` that have not settled. */
  get pending(): number {
    return this.#calls.size;
  }

  /**
   * The port on which `SpeechMessage`s arrive, for the media thread. There is one listener: the port of an earlier call is closed.
   * @throws {TypeError} if the host is closed
   */
  connect(): MessagePort {
    if (this.#closed) throw new TypeError('the voice is closed');
    const { port1, port2 } = new MessageChannel();
    this.#post({ type: 'connect', port: port1 }, [port1]);
    return port2;
  }

  /**
   * Says a text at the end of a response, and resolves when its sound is made (which is before it is heard, by up to 20 s).
   * A cancelled call resolves with what was made until then.
   * @returns length of the whole response so far
   * @throws {MicroturnError} `voice/failed` if the queue is full, the text cannot be spoken, or the thread died
   * @throws {TypeError} if the response has ended, or the host is closed
   */
  async speak(request: SpeakRequest): Promise<{ lengthMs: number }> {
    const { responseId, text, voiceKey, speaker, caller, manner, last = false } = request;
    if (this.#closed) throw new TypeError('the voice is closed');
    const open = this.#responses.get(responseId);
    if (open?.ending || this.#ended.has(responseId)) throw new TypeError(`response ${responseId} has ended`);
    this.#checkRoom(text, open);

    const response = open ?? { voice: voiceKey, lengthMs: 0, ending: false };
    this.#responses.set(responseId, response);
    response.ending = last;
    const job = this.#nextJob++;
    this.#queuedChars += text.length;
    return new Promise((resolve, reject) => {
      this.#calls.set(job, { request, resolve, reject });
      this.#watchThread();
      const offsetMs = response.lengthMs;
      this.#post({ type: 'speak', job, voice: voiceKey, responseId, text, last, speaker, caller, manner, offsetMs });
    });
  }

  /**
   * What may be said soon is made now, where that speaker makes it elsewhere.
   * @returns whether it is
   */
  rehearse({ text, speaker = '', caller }: Pick<SpeakRequest, 'text' | 'speaker' | 'caller'>): boolean {
    const spec = this.#options.speakers?.[speaker];
    if (!spec || ON_THREAD.has(spec.provider) || text.length > MAX_TEXT_CHARS) return false;
    this.#post({ type: 'rehearse', text, speaker, caller });
    return true;
  }

  /** Nothing follows in this response; what is queued is still said. Harmless where it has ended or never began. */
  end(responseId: string): void {
    const response = this.#responses.get(responseId);
    if (!response || response.ending) return;
    response.ending = true;
    this.#post({ type: 'end', voice: response.voice, responseId });
    if (!this.#callsOf(responseId).length) this.#forget(responseId);
  }

  /** Drops what is not made yet. What the media thread has is for the caller to cut there. */
  cancel(responseId: string): void {
    const response = this.#responses.get(responseId);
    if (!response) return;
    this.#post({ type: 'cancel', responseId });
    this.#forget(responseId);
    for (const job of this.#callsOf(responseId)) this.#settle(job)?.resolve({ lengthMs: response.lengthMs });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#rejectAll(new MicroturnError('voice/failed', 'the voice is closed'));
    this.#responses.clear();
    this.#ended.clear();
    await this.#worker?.terminate();
  }

  #checkRoom(text: string, open: OpenResponse | undefined): void {
    const refuse = (detail: string) => new MicroturnError('voice/failed', detail);
    if (!this.#worker) throw refuse('the voice thread died too often to be started again');
    if (text.length > MAX_TEXT_CHARS) throw refuse(`expected at most ${MAX_TEXT_CHARS} characters, got ${text.length}`);
    if (
      this.#calls.size >= voiceQueue.calls ||
      this.#queuedChars + text.length > voiceQueue.chars ||
      (!open && this.#responses.size >= voiceQueue.responses)
    ) {
      throw refuse('too much is waiting to be said');
    }
  }

  async #startThread(): Promise<void> {
    const { voice = 'slt', speakers = {}, warm = NUMBERS } = this.#options;
    const { threadUrl = new URL('./voice-thread.js', import.meta.url) } = this.#options;
    const workerData: VoiceThreadData = { voice, speakers, warm };
    const worker = new Worker(threadUrl, { workerData, name: 'microturn-voice' });
    this.#worker = worker;
    this.#ready = false;
    this.#unanswered = 0;
    await new Promise<void>((resolve, reject) => {
      const fail = (error: unknown) => reject(MicroturnError.from(error, 'voice/failed'));
      const timer = setTimeout(() => {
        fail(new Error(`the voice thread was not ready within ${START_MS / 1_000} s`));
        void worker.terminate();
      }, START_MS);
      let cause: unknown;
      worker.on('message', (report: VoiceReport) => {
        this.#unanswered = 0;
        if (report.type === 'ready') {
          this.#ready = true;
          clearTimeout(timer);
          this.#log.info({ voice: report.name }, 'the voice is ready');
          resolve();
        } else if (report.type === 'failed') {
          cause = MicroturnError.fromWire(report.error);
          void worker.terminate();
        } else this.#onReport(report);
      });
      worker.on('error', (error) => (cause = error));
      worker.on('exit', (code) => {
        clearTimeout(timer);
        cause ??= new Error(`the voice thread ended with status ${code}`);
        fail(cause);
        this.#onExit(worker, cause);
      });
    });
  }

  #onReport(report: Exclude<VoiceReport, { type: 'ready' | 'failed' }>): void {
    if (report.type === 'pong') return;
    const call = this.#calls.get(report.job);
    // It was cancelled while this was on its way.
    if (!call) return;
    const { responseId } = call.request;
    switch (report.type) {
      case 'clause': {
        const response = this.#responses.get(responseId);
        if (response) response.lengthMs = report.clause.offsetMs + report.clause.lengthMs;
        try {
          call.request.onClause(report.clause);
        } catch (error) {
          this.#log.error({ err: error }, 'the listener of a clause failed');
        }
        return;
      }
      case 'problem':
        call.request.onProblem?.(MicroturnError.fromWire(report.error));
        return;
      case 'done':
        this.#settle(report.job)?.resolve({ lengthMs: report.lengthMs });
        break;
      case 'refused':
        this.#settle(report.job)?.reject(MicroturnError.fromWire(report.error));
        break;
      default:
        report satisfies never;
    }
    if (this.#responses.get(responseId)?.ending && !this.#callsOf(responseId).length) this.#forget(responseId);
  }

  #onExit(worker: Worker, cause: unknown): void {
    if (this.#closed || !this.#started || worker !== this.#worker) return;
    const detail = cause instanceof Error ? cause.message : String(cause);
    this.#worker = undefined;
    this.#rejectAll(new MicroturnError('voice/failed', `the voice thread died: ${detail}`, { cause }));
    const now = this.#clock.now();
    this.#diedAtMs.push(now);
    while (this.#diedAtMs[0]! < now - RESTARTS.withinMs) this.#diedAtMs.shift();
    if (this.#diedAtMs.length > RESTARTS.most) {
      this.#log.error({ err: cause }, 'the voice thread died too often and is not started again');
      this.#options.onFailed?.(MicroturnError.from(cause, 'voice/failed'));
      return;
    }
    this.#log.warn({ err: cause }, 'the voice thread died and is started again');
    // Its own end is seen by `#onExit`, which counts it.
    this.#startThread().catch(() => {});
    this.#options.onRestart?.();
  }

  /** A thread that hangs in a synthesis answers nothing, and can only be ended. */
  #watchThread(): void {
    if (this.#watch) return;
    this.#unanswered = 0;
    this.#watch = setInterval(() => {
      // Counted, and not timed: where main itself stood still, the answers are there but were not read.
      if (++this.#unanswered > (this.#ready ? HANG_PINGS : START_PINGS)) {
        this.#log.warn({}, 'the voice thread hangs and is ended');
        this.#unanswered = 0;
        void this.#worker?.terminate();
      } else this.#post({ type: 'ping' });
    }, this.#options.pingMs ?? PING_MS);
    this.#watch.unref();
  }

  #callsOf(responseId: string): number[] {
    return [...this.#calls].filter(([, call]) => call.request.responseId === responseId).map(([job]) => job);
  }

  #settle(job: number): Call | undefined {
    const call = this.#calls.get(job);
    this.#calls.delete(job);
    if (call) this.#queuedChars -= call.request.text.length;
    if (this.#calls.size === 0) {
      clearInterval(this.#watch);
      this.#watch = undefined;
    }
    return call;
  }

  #rejectAll(error: MicroturnError): void {
    for (const job of this.#calls.keys()) this.#settle(job)?.reject(error);
    for (const [id, response] of this.#responses) if (response.ending) this.#forget(id);
  }

  #forget(responseId: string): void {
    this.#responses.delete(responseId);
    this.#ended.add(responseId);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= REMEMBERED) break;
      this.#ended.delete(oldest);
    }
  }

  #post(request: VoiceRequest, transfer: MessagePort[] = []): void {
    this.#worker?.postMessage(request, transfer);
  }
}
