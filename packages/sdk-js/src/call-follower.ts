import { MicroturnError, type SessionEvent } from '@microturn/protocol';
import { Subject } from 'rxjs';
import type { Clock } from './clock.js';
import type { RosterUpdate, TransportLink } from './connection/transport.js';
import { endConversation, newConversation, reduceConversation, setLive } from './conversation/reduce.js';
import { ConversationStates } from './conversation/states.js';
import type { ObservedFields } from './input/observed-fields.js';
import type { SessionMedia } from './media/session-media.js';
import { ParticipantList } from './participants.js';
import type { SessionInfo } from './session.js';
import { SessionClock } from './session-clock.js';
import { StateSource } from './state.js';
import type { PageTools } from './tools/page-tools.js';

export interface CallFollowerParts {
  readonly clock: Clock;
  readonly media: SessionMedia;
  readonly tools: PageTools;
  readonly fields: ObservedFields;
  /** After the states have changed, once for all of them. */
  changed(): void;
  report(error: MicroturnError): void;
}

/** Follows a call over the links that carry it, one after the other: its states, and its time, are what they say. */
export class CallFollower {
  readonly info = new StateSource<SessionInfo | undefined>(undefined);
  readonly states = new ConversationStates(newConversation());
  readonly events = new Subject<SessionEvent>();
  readonly #roster = new ParticipantList();
  readonly #parts: CallFollowerParts;
  #lastSeq = 0;
  #time: SessionClock;

  constructor(parts: CallFollowerParts) {
    this.#parts = parts;
    this.#time = this.#startTime();
  }

  get participants() {
    return this.#roster.state;
  }
  /** Of the newest event: what a link that carries on is to begin behind. */
  get lastSeq(): number {
    return this.#lastSeq;
  }
  /** Session ms. */
  get nowMs(): number {
    return this.#time.nowMs;
  }

  /** A new call knows nothing of the one before. */
  startOver(): void {
    this.#lastSeq = 0;
    this.#parts.fields.startOver();
    this.#time = this.#startTime();
    this.info.set(undefined);
    this.#show(newConversation());
  }

  /** A link is up: sends over it what there is to send. */
  async joined(link: TransportLink, signal: AbortSignal): Promise<void> {
    const { media, tools, fields } = this.#parts;
    const { sessionId, room, participant, model, microTurnMs, sessionMs } = link.joined;
    this.info.set({ sessionId, room, participant, model, microTurnMs });
    this.#time.tell(sessionMs);
    tools.connected();
    fields.tellAgain(link);
    // Whoever was told of it may have left: nothing is to be sent over this link later.
    signal.throwIfAborted();
    await media.sendOver(link, signal);
  }

  take(event: SessionEvent): void {
    const { media, tools, report } = this.#parts;
    if (event.seq <= this.#lastSeq) return;
    this.#lastSeq = event.seq;
    this.#time.tell(event.at);
    media.obey(event, this.states.newest);
    this.#reduce(event);
    media.follow(event, this.states.newest);
    if (event.type === 'tool.call') tools.call(event);
    else if (event.type === 'tool.result') tools.settled(event);
    if (event.type === 'error') report(MicroturnError.fromWire(event));
    this.events.next(event);
  }

  takeRoster(update: RosterUpdate): void {
    const { media, changed, report } = this.#parts;
    // Told to the edge again, so that it and the device agree where both changed at once.
    if (update.type === 'track.muted') {
      media[update.source].setMuted(true).catch((error: unknown) => report(MicroturnError.from(error, 'net/closed')));
    }
    this.#roster.take(update);
    changed();
  }

  /** The link, or its media, is lost or back. */
  setLive(live: boolean): void {
    this.#show(setLive(this.states.newest, live));
  }

  /** The call is over. */
  end(): void {
    this.#parts.media.release();
    this.#roster.clear();
    this.#parts.tools.release();
    this.#show(endConversation(this.states.newest));
  }

  /** The states are over; `events` is for its owner to end, as the last of all. */
  close(): void {
    this.states.close();
    this.#roster.close();
    this.info.close();
  }

  #reduce(event: SessionEvent): void {
    try {
      this.#show(reduceConversation(this.states.newest, event));
    } catch (error) {
      if (!(error instanceof MicroturnError)) throw error;
      this.#parts.report(error);
    }
  }

  #show(conversation: ConversationStates['newest']): void {
    this.states.show(conversation);
    this.#parts.changed();
  }

  #startTime(): SessionClock {
    return new SessionClock(() => this.#parts.clock.now());
  }
}
