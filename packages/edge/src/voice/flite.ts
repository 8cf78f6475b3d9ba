import { MicroturnError, type ResponseWord } from '@microturn/protocol';
import { ClauseCache } from './clause-cache.js';
import { type Clause, splitClauses } from './clauses.js';
import { FliteLexicon } from './flite-lexicon.js';
import { FliteProgram, OUTPUT_PATH, parseWav } from './flite-program.js';
import { amplify } from './manner.js';
import { trimSilence } from './trim-silence.js';
import type { SpeakOptions, SpeechClause, Voice } from './types.js';
import { alignWords, parsePhoneEnds, type Span } from './word-times.js';

/**
 * `slt` sounds best and takes about 14 ms for each second of speech; `rms` and `awb` are like it, `kal16` (diphones) sounds worse
 * and takes a tenth of that.
 */
export const fliteVoices = ['slt', 'rms', 'awb', 'kal16'] as const;
export type FliteVoiceName = (typeof fliteVoices)[number];

/** Brings each voice to about -20 dBFS RMS over a sentence, which leaves 5 dB or more to full scale; `kal16` is peaky and stays lower. */
const GAIN: Record<FliteVoiceName, number> = { slt: 0.6, rms: 1.15, awb: 1.05, kal16: 1.8 };

export interface FliteOptions {
  readonly voice?: FliteVoiceName;
  /** Sound that is kept because it may be said again. 64 000 bytes are one second. */
  readonly cacheBytes?: number;
}

/** A minute of short clauses: those of up to 2 s are kept. */
const DEFAULT_CACHE_BYTES = 4 * 2 ** 20;

/** Flite, in WebAssembly, English only. Synthesis blocks the thread that iterates, clause by clause: give it one of its own. */
export class FliteVoice implements Voice {
  readonly name: FliteVoiceName;
  readonly #cache: ClauseCache;
  readonly #lexicon: FliteLexicon;
  #program: FliteProgram | undefined;

  private constructor(program: FliteProgram, { voice = 'slt', cacheBytes = DEFAULT_CACHE_BYTES }: FliteOptions) {
    this.name = voice;
    this.#program = program;
    this.#lexicon = new FliteLexicon(program);
    this.#cache = new ClauseCache(cacheBytes);
  }

  /** @throws {RangeError} if there is no such voice */
  static async open(options: FliteOptions = {}): Promise<FliteVoice> {
    if (options.voice !== undefined && !fliteVoices.includes(options.voice)) {
      throw new RangeError(`voice: expected one of ${fliteVoices.join(', ')}, got ${String(options.voice)}`);
    }
    return new FliteVoice(await FliteProgram.load(), options);
  }

  async *speak(text: string, { signal, rate = 1 }: SpeakOptions = {}): AsyncGenerator<SpeechClause, void, void> {
    for (const clause of splitClauses(text)) {
      if (signal?.aborted) return;
      yield this.#say(clause, rate);
    }
  }

  async close(): Promise<void> {
    this.#program = undefined;
    this.#cache.clear();
  }

  #say(clause: Clause, rate: number): SpeechClause {
    const program = this.#program;
    if (!program) throw new TypeError('the voice is closed');
    const key = rate === 1 ? clause.text : `${rate} ${clause.text}`;
    let said = this.#cache.get(key);
    if (!said) {
      try {
        said = this.#synthesise(program, clause, rate);
      } catch (error) {
        throw MicroturnError.from(error, 'voice/failed');
      }
      this.#cache.set(key, said);
    }
    return { ...said, pcm: said.pcm.slice(), pauseMs: clause.pauseMs };
  }

  #synthesise(program: FliteProgram, clause: Clause, rate: number): SpeechClause {
    const text = clause.words.map((word) => word.spoken).join(' ');
    const { stdout, wav } = program.run([
      ...['-voice', this.name, '--setf', `duration_stretch=${1 / rate}`],
      ...['-psdur', '-t', text, '-o', OUTPUT_PATH],
    ]);
    const phones = parsePhoneEnds(stdout);
    const first = phones[0];
    const last = phones.at(-1);
    if (!wav || !first || !last) throw new MicroturnError('voice/failed', 'Flite found nothing to say in a clause');
    const { pcm, rateHz } = parseWav(wav);
    const trimmed = trimSilence(pcm, rateHz, { startMs: first.startMs, endMs: last.endMs });
    amplify(trimmed.pcm, GAIN[this.name]);
    const lengthMs = (trimmed.pcm.length * 1_000) / rateHz;
    const spans = alignWords(phones, this.#lexicon.phonesOf(clause.words.map((word) => word.spoken)));
    const words = clause.words.map((word, i) => toWord(word.text, spans[i]!, trimmed.startMs, lengthMs));
    return { pcm: trimmed.pcm, rateHz, text: clause.text, words, pauseMs: clause.pauseMs };
  }
}

function toWord(text: string, span: Span, trimmedMs: number, lengthMs: number): ResponseWord {
  const inClause = (ms: number) => Math.min(Math.max(Math.round(ms - trimmedMs), 0), lengthMs);
  return { text, startMs: inClause(span.startMs), endMs: inClause(span.endMs) };
}
