import { fork, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { MicroturnError, type ErrorCode } from '@microturn/protocol';
import { monotonicClock } from '../clock.js';
import { RestartBudget } from '../restart-budget.js';
import type { SherpaJob, SherpaReport, SherpaRequest } from './messages.js';

/** The version that this was made with. */
const PACKAGE = 'sherpa-onnx-node';
const INSTALL = `npm install ${PACKAGE}@1.13.8`;
/** Of what a process that ended had written, as its reason. */
const REASON_CHARS = 500;

export interface SherpaHostOptions {
  /** The built `sherpa-process.js`; found beside this file unless told otherwise. */
  readonly processUrl?: URL | undefined;
  /** A module beside which the package is looked for. */
  readonly from?: string | undefined;
}

export interface SherpaListener {
  onReport(report: Exclude<SherpaReport, { type: 'ready' | 'failed' }>): void;
  /** The process ended: of what it was asked, nothing more comes. Another one begins with the next request. */
  onEnded(error: MicroturnError): void;
}

/** One model of sherpa-onnx in a process of its own. It ends with `close`, and with this process. */
export class SherpaHost {
  readonly #job: SherpaJob;
  readonly #code: ErrorCode;
  readonly #listener: SherpaListener;
  readonly #processUrl: URL;
  readonly #restarts = new RestartBudget(monotonicClock);
  #child: ChildProcess | undefined;
  #ready: Promise<number> | undefined;
  #closed = false;

  /**
   * @param code of what goes wrong with the process
   * @throws {MicroturnError} `edge/config` where the package is not installed
   */
  constructor(job: SherpaJob, code: ErrorCode, listener: SherpaListener, options: SherpaHostOptions = {}) {
    const { processUrl = new URL('./sherpa-process.js', import.meta.url), from = import.meta.url } = options;
    try {
      createRequire(from).resolve(PACKAGE);
    } catch (cause) {
      throw new MicroturnError('edge/config', `sherpa-onnx: ${PACKAGE} is not installed (${INSTALL})`, { cause });
    }
    this.#job = job;
    this.#code = code;
    this.#listener = listener;
    this.#processUrl = processUrl;
    this.#start();
  }

  /**
   * @returns Hz of the sound that it makes, once its model is loaded
   * @throws {MicroturnError} of the host's code, where it ended before
   */
  get ready(): Promise<number> {
    return this.#ready ?? Promise.reject(new MicroturnError(this.#code, 'the process of sherpa-onnx ended too often'));
  }

  /** @returns false where there is no process to ask */
  post(request: SherpaRequest): boolean {
    if (this.#closed) return false;
    if (!this.#child && request.type !== 'stop' && this.#restarts.take()) this.#start();
    return this.#child?.send(request) !== undefined;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#child?.kill('SIGKILL');
  }

  #start(): void {
    const child = fork(this.#processUrl, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child = child;
    let reason = '';
    child.stderr!.on('data', (text: Buffer) => (reason = `${reason}${text.toString('utf8')}`.slice(-REASON_CHARS)));
    const ready = new Promise<number>((resolve, reject) => {
      child.on('message', (report: SherpaReport) => {
        if (report.type === 'ready') resolve(report.rateHz);
        else if (report.type === 'failed') reason = report.problem;
        else this.#listener.onReport(report);
      });
      // After its last output, so that its reason is known.
      child.once('close', (code, signal) => {
        const detail = `the process of sherpa-onnx ended (${signal ?? code}): ${reason.trim().split('\n').at(-1)}`;
        const error = new MicroturnError(this.#code, detail);
        reject(error);
        if (this.#child === child) this.#child = undefined;
        if (!this.#closed) this.#listener.onEnded(error);
      });
    });
    // Whoever waits for it is told; where nobody does, its end is.
    ready.catch(() => {});
    child.on('error', () => {});
    this.#ready = ready;
    child.send(this.#job);
  }
}
