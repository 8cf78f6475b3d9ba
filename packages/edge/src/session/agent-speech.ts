import { MicroturnError, type Audience, type AudienceChoice } from '@microturn/protocol';
import type { VoiceKey } from '../media/index.js';
import { REHEARSED } from '../voice/index.js';
import type { ConversationEffect, ConversationInput } from './conversation-state.js';
import type { SessionParts } from './session-parts.js';
import type { SharedSpeech } from './shared-speech.js';

type Speak = ConversationEffect & { do: 'speak' };
type SpeakOrEnd = ConversationEffect & { do: 'speak' | 'end' };

export interface AgentSpeechParts extends Pick<
  SessionParts,
  'room' | 'participant' | 'media' | 'voice' | 'speaker' | 'log'
> {
  readonly endpoint: string;
  readonly shared: SharedSpeech;
  /** Session ms now. */
  nowMs(): number;
  apply(input: ConversationInput): void;
  /** Whether a response is still to be said. */
  isLive(responseId: string): boolean;
  report(error: MicroturnError): void;
}

/** Has what the conversation decides said: to the room in the one voice that it has, or to its participant alone. */
export class AgentSpeech {
  readonly #parts: AgentSpeechParts;
  /** Open once it may be needed: a voice that nobody else hears. */
  #privateVoice: Promise<void> | undefined;
  #spoken = { characters: 0, seconds: 0 };
  /** What its voice was given in advance, the latest last: that is not counted again when it is said. */
  #rehearsed: readonly string[] = [];

  constructor(parts: AgentSpeechParts) {
    this.#parts = parts;
  }

  /** What its voice was given to say so far, and what it has made of it. */
  get spoken() {
    return this.#spoken;
  }

  audienceOf(choice: AudienceChoice): Audience {
    return choice === 'room' ? 'room' : { participant: this.#parts.participant };
  }

  run(effect: ConversationEffect): void {
    const { voice, media, log, shared } = this.#parts;
    switch (effect.do) {
      case 'speak':
        this.#whenVoiceIsFree(effect, () => this.#speak(effect));
        return;
      case 'end':
        this.#whenVoiceIsFree(effect, () => voice.end(effect.responseId));
        return;
      case 'cut':
        voice.cancel(effect.responseId);
        media
          .request('speech.cut', { voice: this.#voiceKey(effect.audience), responseId: effect.responseId })
          .catch((error: unknown) => log.warn({ err: error }, 'a response could not be cut'));
        return;
      case 'overrule':
        shared.overrule('user');
        return;
      default:
        effect satisfies never;
    }
  }

  /** What it may say soon is made in advance, where its voice does that. */
  rehearse(text: string): void {
    const { voice, speaker, endpoint: caller } = this.#parts;
    if (!voice.rehearse?.({ text, speaker, caller })) return;
    // Older ones are dropped by the voice.
    this.#rehearsed = [...this.#rehearsed, text].slice(-REHEARSED);
    this.#count(text.length);
  }

  failed(responseId: string, error: MicroturnError): void {
    const { apply, nowMs } = this.#parts;
    apply({ type: 'voice-failed', atMs: nowMs(), responseId, ...error.toWire(), code: error.code });
  }

  /** Resolves when what it says is heard from the start. It stays open as long as the endpoint. */
  openPrivateVoice(): Promise<void> {
    this.#privateVoice ??= this.#parts.media.request('voice.open', { endpoint: this.#parts.endpoint });
    this.#privateVoice.catch(() => (this.#privateVoice = undefined));
    return this.#privateVoice;
  }

  /** Another media thread carries the endpoint: what was open is opened there. */
  async reopenPrivateVoice(): Promise<void> {
    if (!this.#privateVoice) return;
    this.#privateVoice = undefined;
    await this.openPrivateVoice();
  }

  /** The room's voice says one response at a time; a private one is this session's alone, once it is open. */
  #whenVoiceIsFree({ responseId, audience }: SpeakOrEnd, say: () => void): void {
    if (audience !== 'room') {
      this.openPrivateVoice().then(
        () => this.#parts.isLive(responseId) && say(),
        (cause: unknown) => this.failed(responseId, MicroturnError.from(cause, 'voice/failed')),
      );
    } else if (!this.#parts.shared.speak(responseId, say)) {
      this.failed(responseId, new MicroturnError('voice/failed', 'too much waits to be said to the room'));
    }
  }

  #speak({ responseId, audience, text, last, manner }: Speak): void {
    const { voice, speaker, endpoint: caller, apply, report } = this.#parts;
    const ready = this.#rehearsed.findLast((one) => text.startsWith(one));
    this.#rehearsed = this.#rehearsed.filter((one) => one !== ready);
    this.#count(text.length - (ready?.length ?? 0));
    voice
      .speak({
        voiceKey: this.#voiceKey(audience),
        responseId,
        text,
        last,
        speaker,
        caller,
        manner,
        onProblem: (error) => report(error),
        onClause: ({ text, words, lengthMs }) => {
          this.#spoken = { ...this.#spoken, seconds: this.#spoken.seconds + lengthMs / 1000 };
          apply({ type: 'clause', responseId, text, words, lengthMs });
        },
      })
      .then(
        () => apply({ type: 'spoken', responseId }),
        (cause: unknown) => this.failed(responseId, MicroturnError.from(cause, 'voice/failed')),
      );
  }

  #count(characters: number): void {
    this.#spoken = { ...this.#spoken, characters: this.#spoken.characters + characters };
  }

  #voiceKey(audience: Audience): VoiceKey {
    return audience === 'room' ? `room:${this.#parts.room}` : `endpoint:${this.#parts.endpoint}`;
  }
}
