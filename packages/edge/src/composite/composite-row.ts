import { MicroturnError, type SessionEvent } from '@microturn/protocol';
import type { Remembered } from '../engine/index.js';
import type { DecodedWord, Decision, Perceived, Recovery } from '../engine/types.js';
import type { EngineOutlet, SessionEngine, SessionRow, Shown, TypedText } from '../session/index.js';
import { TRANSCRIBE_HZ, type Transcriber, type Transcription } from '../transcribe/index.js';
import { LlmAnswers, type LlmAnswersParts } from './llm-answers.js';
import { startTurnTaking, stepTurnTaking, type TurnTakingInput } from './turn-taking.js';
import type { ClipSource, Composed, CompositeEffect, TurnTakingOptions } from './types.js';

export interface CompositeParts extends LlmAnswersParts {
  /** The floor bundle's own words are taken where there is none, or where it failed. */
  readonly transcriber?: Transcriber | undefined;
  readonly clip: ClipSource;
  readonly turnTaking: Omit<TurnTakingOptions, 'microTurnMs' | 'rehears'>;
}

/** One utterance on its way to the transcriber. */
interface Hearing {
  readonly utterance: number;
  readonly transcription: Transcription;
  /** Sound was fetched up to here, and is wanted up to there. */
  fetchedMs: number;
  wantedMs: number;
  settleMs: number;
  fetching: boolean;
}

/**
 * A row of a floor bundle whose words and answers come from elsewhere: the bundle decides when, a transcriber tells what
 * was said, an LLM what to say. Decisions pass through on their clock; nothing is waited for.
 */
export class CompositeRow implements SessionRow {
  readonly #parts: CompositeParts;
  readonly #outlet: EngineOutlet;
  readonly #floor: SessionRow;
  readonly #onDecision: (decision: Decision) => void;
  readonly #microTurnMs: number;
  #state;
  #hearing: Hearing | undefined;
  /** Words of the floor bundle in this utterance, for where there is no transcriber; behind those of one that failed. */
  #own: { utterance: number; words: DecodedWord[]; before: readonly string[]; fromMs: number } | undefined;
  readonly #answers: LlmAnswers;
  /** Words that became known between two decisions, until the next. */
  #words: DecodedWord[] = [];
  #released = false;
  #transcribed = { requests: 0, seconds: 0 };

  constructor(
    parts: CompositeParts,
    floor: SessionEngine,
    callbacks: {
      readonly onDecision: (decision: Decision) => void;
      readonly onFailed: (error: MicroturnError) => void;
      readonly onReset: (error: MicroturnError, recovery: Recovery) => void;
      readonly outlet: EngineOutlet;
    },
  ) {
    const { microTurnMs } = floor.info;
    this.#parts = parts;
    this.#microTurnMs = microTurnMs;
    this.#outlet = callbacks.outlet;
    this.#onDecision = callbacks.onDecision;
    this.#answers = new LlmAnswers(parts, {
      nowMs: () => this.#nowMs,
      tools: () => this.#outlet.tools?.(),
      apply: (input) => this.#apply(input),
      isAnswer: (draftId) => this.#state.answer?.draft.id === draftId,
      mayBeAnswer: (draftId) =>
        this.#state.held?.draft.id === draftId || this.#state.drafts.some(({ id }) => id === draftId),
      userSpeaks: () => this.#state.utterance !== undefined,
      report: (error) => this.#report(error),
    });
    const { rehears = false } = parts.transcriber ?? {};
    this.#state = startTurnTaking({ ...parts.turnTaking, microTurnMs, rehears });
    this.#floor = floor.lease(
      (decision) => this.#decide(decision),
      (error) => {
        this.#end();
        callbacks.onFailed(error);
      },
      callbacks.onReset,
      callbacks.outlet,
    );
  }

  get id() {
    return this.#floor.id;
  }
  get engine() {
    return this.#floor.engine;
  }
  get zeroMs() {
    return this.#floor.zeroMs;
  }
  /** Tokens of the session so far. What is being written counts when it ends. */
  get spent() {
    return this.#answers.spent;
  }

  /** What the transcriber was sent so far; none where the words are the bundle's. */
  get transcribed() {
    return this.#parts.transcriber && this.#transcribed;
  }

  observe(event: SessionEvent): void {
    this.#apply({ type: 'event', event });
  }
  restore(events: readonly SessionEvent[]): void {
    this.#apply({ type: 'restore', events });
  }
  /** The floor's: what the answers need of what was said is in the events. */
  remembered(): Remembered | undefined {
    return this.#floor.remembered?.();
  }
  goOn(remembered: Remembered): boolean {
    return this.#floor.goOn?.(remembered) ?? false;
  }
  speechStarted(responseId: string, atMs: number): void {
    this.#apply({ type: 'speech-started', responseId, atMs });
  }
  typed({ field, text, sent }: TypedText): void {
    this.#apply({ type: 'typed', atMs: this.#nowMs, field, text, sent });
  }
  show(shown: Shown): void {
    this.#apply({ type: 'shown', ...shown });
  }
  /** The floor bundle is told as it is alone, but for messages: those are the LLM's to answer. */
  perceive(perceived: Perceived): void {
    if (perceived.type !== 'typed') this.#floor.perceive?.(perceived);
  }
  /** Gives the floor's row back, and gives everything up that is under way. Twice is harmless. */
  release(): void {
    this.#end();
    this.#floor.release();
  }

  get #nowMs(): number {
    return this.#outlet.nowMs();
  }

  #end(): void {
    this.#released = true;
    this.#answers.close();
    this.#hearing?.transcription.close();
    this.#hearing = undefined;
  }

  #decide(decision: Decision): void {
    if (this.#released) return;
    const { effects, composed } = this.#step({
      type: 'decision',
      atMs: this.#nowMs,
      decision,
      firstTokenMs: this.#parts.llm.firstTokenMs,
    });
    const { acts, takesBack, speech } = composed;
    const words = [...this.#words.splice(0), ...composed.words];
    this.#onDecision({
      ...decision,
      // Without a transcriber they are the bundle's, and pass through when it has them.
      words: this.#parts.transcriber ? words : decision.words,
      acts,
      ...(takesBack !== undefined && { takesBack }),
      say: speech?.say ?? '',
      ...(speech?.more && { more: true }),
    });
    this.#said(composed);
    this.#run(effects);
    this.#hearOwn(decision);
  }

  /** Anything but a decision: what it makes the agent say is said at once, as more of what was decided. */
  #apply(input: Exclude<TurnTakingInput, { type: 'decision' }>): void {
    if (this.#released) return;
    const { effects, composed } = this.#step(input);
    this.#words.push(...composed.words);
    if (composed.speech && composed.speech.say !== '') this.#outlet.more(composed.speech.say);
    this.#said(composed);
    this.#run(effects);
  }

  /** The session has told by now which response it is. */
  #said({ speech }: Composed): void {
    if (speech && speech.say !== '') this.#step({ type: 'said' });
  }

  #step(input: TurnTakingInput): { effects: readonly CompositeEffect[]; composed: Composed } {
    const { state, effects, composed } = stepTurnTaking(this.#state, input);
    this.#state = state;
    this.#answers.settle();
    return { effects, composed };
  }

  #run(effects: readonly CompositeEffect[]): void {
    for (const effect of effects) {
      switch (effect.do) {
        case 'listen':
          this.#listen(effect.utterance, effect.fromMs);
          break;
        case 'hear':
          if (this.#hearing?.utterance !== effect.utterance) break;
          this.#hearing.wantedMs = effect.toMs;
          void this.#fetch(this.#hearing);
          break;
        case 'settle':
          if (this.#hearing?.utterance === effect.utterance) this.#hearing.settleMs = effect.toMs;
          break;
        case 'hear-own':
          if (this.#hearing?.utterance !== effect.utterance) break;
          this.#hearing.transcription.close();
          this.#giveUpHearing(new MicroturnError('transcriber/failed', effect.detail));
          break;
        case 'unlisten':
          if (this.#own?.utterance === effect.utterance) this.#own = undefined;
          if (this.#hearing?.utterance !== effect.utterance) break;
          this.#hearing.transcription.close();
          this.#hearing = undefined;
          break;
        case 'heard':
          // Without a transcriber the words are the bundle's, and go with its decisions.
          if (this.#parts.transcriber) this.#outlet.heard?.({ words: effect.words, fromMs: effect.fromMs });
          break;
        case 'ask':
          void this.#answers.ask(effect.ask);
          break;
        case 'cancel':
          this.#answers.cancel(effect.draftId);
          break;
        case 'add':
          this.#answers.add(effect.draftId, effect.words);
          break;
        case 'rehearse':
          this.#outlet.rehearse?.(effect.text);
          break;
        case 'mark':
          this.#floor.perceive?.({ type: 'mark', mark: effect.mark });
          break;
        case 'emit':
          this.#outlet.emit(effect.event);
          break;
        default:
          effect satisfies never;
      }
    }
  }

  #listen(utterance: number, fromMs: number): void {
    this.#own = { utterance, words: [], before: [], fromMs: -Infinity };
    const { transcriber } = this.#parts;
    if (!transcriber) return;
    const transcription = transcriber.start(fromMs, {
      onTranscript: ({ words, stable, covered = words.length, coveredMs }) => {
        // What the bundle's own words would follow.
        if (this.#own?.utterance === utterance && covered > 0) {
          this.#own = { ...this.#own, before: words.slice(0, covered), fromMs: coveredMs };
        }
        this.#apply({ type: 'words', atMs: this.#nowMs, utterance, words, stable, coveredMs });
      },
      onSent: ({ requests, seconds }) => {
        const before = this.#transcribed;
        this.#transcribed = { requests: before.requests + requests, seconds: before.seconds + seconds };
      },
      onFailed: (error) => {
        if (this.#hearing?.utterance === utterance) this.#giveUpHearing(error);
        else this.#report(error);
      },
    });
    this.#hearing = {
      utterance,
      transcription,
      fetchedMs: fromMs,
      wantedMs: fromMs,
      settleMs: Infinity,
      fetching: false,
    };
  }

  /** One request at a time: what is wanted meanwhile comes with the next. */
  async #fetch(hearing: Hearing): Promise<void> {
    if (hearing.fetching) return;
    hearing.fetching = true;
    try {
      while (hearing === this.#hearing && hearing.fetchedMs < hearing.wantedMs) {
        const toMs = hearing.wantedMs;
        const clip = await this.#parts.clip(hearing.fetchedMs, toMs);
        if (hearing !== this.#hearing) return;
        if (clip.rateHz !== TRANSCRIBE_HZ) throw new RangeError(`a clip of ${clip.rateHz} Hz cannot be transcribed`);
        hearing.fetchedMs = toMs;
        hearing.transcription.push(clip.pcm, toMs);
        if (toMs >= hearing.settleMs) {
          hearing.settleMs = Infinity;
          hearing.transcription.settle();
        }
      }
    } catch (cause) {
      // The media thread is gone or being replaced: this utterance is understood by the bundle's own words.
      if (hearing !== this.#hearing) return;
      hearing.transcription.close();
      this.#giveUpHearing(MicroturnError.from(cause, 'transcriber/failed'));
    } finally {
      hearing.fetching = false;
    }
  }

  /** What the transcriber has understood so far stays, and the bundle's own words follow. */
  #giveUpHearing(error: MicroturnError): void {
    this.#hearing = undefined;
    this.#report(error);
  }

  /** The floor bundle's words, one micro-turn late, since one may end just before a boundary and be told after it. */
  #hearOwn({ words, index }: Decision): void {
    const own = this.#own;
    if (!own) return;
    own.words.push(...words);
    if (this.#hearing?.utterance === own.utterance) return;
    const coveredMs = index * this.#microTurnMs;
    const after = own.words.filter(({ endMs }) => endMs > own.fromMs).map(({ text }) => text);
    const known = [...own.before, ...after];
    this.#apply({
      type: 'words',
      atMs: this.#nowMs,
      utterance: own.utterance,
      words: known,
      stable: known.length,
      coveredMs,
    });
  }

  #report(error: MicroturnError): void {
    if (this.#released) return;
    this.#parts.log.warn({ code: error.code, err: error }, 'a part of the composite failed');
    this.#outlet.emit({ type: 'error', ...error.toWire() });
  }
}
