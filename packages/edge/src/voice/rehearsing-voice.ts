import type { SpeakOptions, SpeechClause, Voice } from './types.js';

/** Of one caller: a draft of each that is kept, and what is being said. Policy `dropOldest`. */
export const REHEARSED = 4;
/** Older ones are of an utterance that is over. */
const KEPT_MS = 15_000;

/**
 * A voice that makes what may be said soon, and keeps it until it is. Said is what begins with it, too: the rest is made when
 * it is asked for. What nobody says is given up, and was paid for in vain.
 */
export class RehearsingVoice implements Voice {
  readonly name: string;
  readonly concurrent: boolean;
  readonly #voice: Voice;
  readonly #now: () => number;
  /** Oldest first. */
  readonly #rehearsals = new Set<Rehearsal>();

  constructor(voice: Voice, now: () => number = () => performance.now()) {
    this.name = voice.name;
    this.concurrent = voice.concurrent ?? false;
    this.#voice = voice;
    this.#now = now;
  }

  rehearse(text: string, caller = ''): void {
    this.#forgetOld();
    const ofCaller = this.#of(caller);
    if (text === '' || ofCaller.some((one) => one.text === text)) return;
    if (ofCaller.length >= REHEARSED) this.#drop(ofCaller[0]!);
    // One that fails is none: whoever says it asks again, and is told.
    const one: Rehearsal = new Rehearsal(this.#voice, { text, caller, atMs: this.#now() }, () =>
      this.#rehearsals.delete(one),
    );
    this.#rehearsals.add(one);
  }

  async *speak(text: string, options: SpeakOptions = {}): AsyncGenerator<SpeechClause, void, void> {
    // What was rehearsed was at the voice's own pace.
    const ready = (options.rate ?? 1) === 1 ? this.#take(text, options.caller) : undefined;
    if (ready) yield* ready.say(options.signal);
    const rest = ready ? text.slice(ready.text.length) : text;
    if (options.signal?.aborted || (ready && !/[\p{L}\p{N}]/u.test(rest))) return;
    yield* this.#voice.speak(rest, options);
  }

  async close(): Promise<void> {
    for (const one of this.#rehearsals) this.#drop(one);
    await this.#voice.close();
  }

  /** The longest of this caller's that the text begins with. */
  #take(text: string, caller = ''): Rehearsal | undefined {
    this.#forgetOld();
    let longest: Rehearsal | undefined;
    for (const one of this.#of(caller)) {
      const begins = text.startsWith(one.text) && !/^[\p{L}\p{N}]/u.test(text.slice(one.text.length));
      if (begins && one.text.length > (longest?.text.length ?? 0)) longest = one;
    }
    if (longest) this.#rehearsals.delete(longest);
    return longest;
  }

  #of(caller: string): Rehearsal[] {
    return [...this.#rehearsals].filter((one) => one.caller === caller);
  }

  #forgetOld(): void {
    for (const one of this.#rehearsals) if (this.#now() - one.atMs > KEPT_MS) this.#drop(one);
  }

  #drop(one: Rehearsal): void {
    one.cancel();
    this.#rehearsals.delete(one);
  }
}

/** A text that is being spoken to nobody yet. */
class Rehearsal {
  readonly text: string;
  readonly caller: string;
  readonly atMs: number;
  readonly #abort = new AbortController();
  readonly #clauses: SpeechClause[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(voice: Voice, { text, caller, atMs }: Pick<Rehearsal, 'text' | 'caller' | 'atMs'>, onFailed: () => void) {
    this.text = text;
    this.caller = caller;
    this.atMs = atMs;
    void this.#make(voice, onFailed);
  }

  cancel(): void {
    this.#abort.abort();
  }

  /** What there is at once, what is still being made as it comes. Once. */
  async *say(signal: AbortSignal | undefined): AsyncGenerator<SpeechClause, void, void> {
    const onAbort = () => this.cancel();
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      for (;;) {
        const clause = this.#clauses.shift();
        if (signal?.aborted) return;
        if (clause) yield clause;
        else if (this.#end && 'error' in this.#end) throw this.#end.error;
        else if (this.#end) return;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.cancel();
    }
  }

  async #make(voice: Voice, onFailed: () => void): Promise<void> {
    try {
      for await (const clause of voice.speak(this.text, { signal: this.#abort.signal })) {
        this.#clauses.push(clause);
        this.#wake();
      }
      this.#end = {};
    } catch (error) {
      this.#end = { error };
      onFailed();
    }
    this.#wake();
  }
}
