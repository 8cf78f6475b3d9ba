import type { SessionEventBody } from '@microturn/protocol';
import type { AudienceSeat, ResponseEvent, RoomAudience } from './audience.js';
import type { LiveResponse } from './conversation-state.js';

export interface SharedSpeechHost {
  /** Whether the participant is told of anything yet. */
  listens(): boolean;
  /** Tells the participant of another's response. */
  emit(event: ResponseEvent): void;
  /** Ends what is being said to the room for this one. */
  overruled(by: 'user' | 'client'): void;
}

/** What one session shares with the others of its room: what the agent says there, to each of them and to this one. */
export class SharedSpeech {
  readonly #seat: AudienceSeat;
  readonly #host: SharedSpeechHost;

  constructor(audience: RoomAudience, host: SharedSpeechHost) {
    this.#host = host;
    this.#seat = audience.join({
      overhear: (event) => this.#tell(event),
      overrule: (by) => host.overruled(by),
    });
  }

  /** The agent says something to the room for another participant. */
  get overhears(): boolean {
    return this.#seat.overhears();
  }
  /** Of this participant's responses, those that wait for another's: it was begun before them. */
  get behind(): ReadonlySet<string> {
    return this.#seat.behind();
  }

  /** The participant is there from now on: what the agent is saying to the room for others is theirs to stop, too. */
  tellOverheard(): void {
    for (const event of this.#seat.overheard()) this.#tell(event);
  }

  /** Tells the others, where it is of a response to the room. */
  share(event: SessionEventBody): void {
    if (isResponseEvent(event)) this.#seat.share(event);
  }

  /** Runs `say` when the room's voice is this response's. False where too much waits. */
  speak(responseId: string, say: () => void): boolean {
    return this.#seat.speak(responseId, say);
  }

  /** What is made need not keep the room's voice from others, who are played after it. */
  settle(responses: readonly LiveResponse[]): void {
    const unfinished = responses.filter((r) => r.phase === 'speaking' || (r.phase === 'ending' && r.speaking > 0));
    this.#seat.settle(new Set(unfinished.map(({ id }) => id)));
  }

  /** Ends what the other members have the agent say to the room. */
  overrule(by: 'user' | 'client'): void {
    this.#seat.overrule(by);
  }

  leave(): void {
    this.#seat.leave();
  }

  #tell(event: ResponseEvent): void {
    if (this.#host.listens()) this.#host.emit(event);
  }
}

function isResponseEvent(event: SessionEventBody): event is ResponseEvent {
  return event.type.startsWith('response.');
}
