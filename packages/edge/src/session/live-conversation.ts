import { MicroturnError, limits, type AudienceChoice } from '@microturn/protocol';
import { AgentSpeech } from './agent-speech.js';
import {
  startConversation,
  type Conversation,
  type ConversationInput,
  type LiveResponse,
} from './conversation-state.js';
import { stepConversation } from './conversation.js';
import type { SessionEvents } from './session-events.js';
import type { SessionParts } from './session-parts.js';
import { SharedSpeech } from './shared-speech.js';

/** What one caller may have waiting to be said, so that none fills the voice of everybody. */
const LIVE_RESPONSES = 16;
const LIVE_CHARS = 2 * limits.textChars;

export interface LiveConversationParts extends Pick<
  SessionParts,
  'room' | 'participant' | 'roomAudience' | 'audience' | 'media' | 'engine' | 'voice' | 'speaker' | 'log'
> {
  readonly endpoint: string;
  readonly events: SessionEvents;
  /** Session ms now. */
  nowMs(): number;
}

/** Holds the conversation as it stands, and does what each step of it asks for: tells of it, and has it said. */
export class LiveConversation {
  readonly speech: AgentSpeech;
  readonly #parts: LiveConversationParts;
  readonly #shared: SharedSpeech;
  #state: Conversation;

  constructor(parts: LiveConversationParts) {
    const { events, nowMs } = parts;
    this.#parts = parts;
    this.#shared = new SharedSpeech(parts.roomAudience, {
      // Nothing comes before `session.started`.
      listens: () => !events.closed && events.seq > 0,
      emit: (event) => events.emit(event),
      overruled: (by) => this.apply({ type: 'overruled', atMs: nowMs(), by }),
    });
    this.speech = new AgentSpeech({
      ...parts,
      shared: this.#shared,
      apply: (input) => this.apply(input),
      isLive: (id) => this.#isLive(id),
      report: (error) => events.report(error),
    });
    const { participant, audience, engine } = parts;
    this.#state = startConversation(participant, this.speech.audienceOf(audience), engine.repliesKeep);
  }

  get responses(): readonly LiveResponse[] {
    return this.#state.responses;
  }
  /** The participant is there to hear. */
  get listening(): boolean {
    return this.#state.listening;
  }
  /** The agent says something to the room for another participant. */
  get overhears(): boolean {
    return this.#shared.overhears;
  }
  /** Of this participant's responses, those that another's was begun before. */
  get behind(): ReadonlySet<string> {
    return this.#shared.behind;
  }

  /** Whether a response has not ended: it is to be said, or cut and not yet told what was heard of it. */
  has(responseId: string): boolean {
    return this.#state.responses.some(({ id }) => id === responseId);
  }

  /** It was of another process, and nobody listens yet. */
  takeUp(reminders: number, shown: Conversation['shown']): void {
    this.#state = { ...this.#state, listening: false, reminders, shown };
  }

  /** The participant is told what the agent is saying to the room for others: they came in the middle of it. */
  tellOverheard(): void {
    this.#shared.tellOverheard();
  }

  /**
   * Whoever is told of an event may bring the next input in the middle of this one: a listener whose socket is cut off there
   * ends what was about to be said. So what is done at the end is done by how things stand then.
   */
  apply(input: ConversationInput): void {
    if (this.#parts.events.closed) return;
    const { state, events, effects } = stepConversation(this.#state, input);
    this.#state = state;
    for (const event of events) {
      // First, so that the others are told of each in this order, also where whoever is told here brings the next.
      this.#shared.share(event);
      this.#parts.events.emit(event);
      // Nothing comes after its end.
      if (this.#parts.events.closed) return;
    }
    for (const effect of effects) {
      if (effect.do !== 'speak' || this.#isLive(effect.responseId)) this.speech.run(effect);
    }
    this.#shared.settle(this.#state.responses);
  }

  /**
   * The app speaks through the agent.
   * @throws {MicroturnError} `protocol/rate` where too much waits to be said, `session/closed`
   */
  say(text: string, audience: AudienceChoice = this.#parts.audience): { responseId: string } {
    const { events, nowMs } = this.#parts;
    events.assertOpen();
    const { responses } = this.#state;
    if (responses.length >= LIVE_RESPONSES) {
      throw new MicroturnError('protocol/rate', `${LIVE_RESPONSES} responses are waiting to be said`);
    }
    const waitingChars = responses.reduce((sum, response) => sum + response.chars, text.length);
    if (waitingChars > LIVE_CHARS) {
      throw new MicroturnError('protocol/rate', `at most ${LIVE_CHARS} characters may wait to be said`);
    }
    const responseId = events.nextResponseId();
    this.apply({ type: 'say', atMs: nowMs(), responseId, text, audience: this.speech.audienceOf(audience) });
    return { responseId };
  }

  /** The user's client stops what the agent says to the room for another, where it says something. */
  overrule(): void {
    if (this.#shared.overhears) this.#shared.overrule('client');
  }

  /** More of a response was made than its voice can hold: it ends here. */
  speechFull(responseId: string): void {
    if (!this.has(responseId)) return;
    this.speech.failed(responseId, new MicroturnError('voice/failed', 'more speech waits than its queue holds'));
  }

  /** Gives up its place in the room, once its events are closed. Leaving twice is harmless. */
  leave(): void {
    this.#shared.leave();
  }

  /** Whether a response is still to be said. */
  #isLive(responseId: string): boolean {
    return this.#state.responses.some(({ id, phase }) => id === responseId && phase !== 'cut');
  }
}
