import type { SessionEventBody } from '@microturn/protocol';
import type { AudienceSeat, ResponseEvent, RoomAudience } from './audience.js';
import type { LiveResponse } from './conversation-state.js';

/** What one session shares with the others of its room: what the agent says there, to each of them and to this one. */
export class SharedSpeech {
  readonly #seat: AudienceSeat;
  /** Responses to the room that are going on: this participant's, and the others'. */
  readonly #shared = new Set<string>();
  readonly #overheard = new Set<string>();

  /** @param host `emit` tells the participant of another's response; `overruled` ends what is being said for this one */
  constructor(
    audience: RoomAudience,
    host: { emit(event: ResponseEvent): void; overruled(by: 'user' | 'client'): void; listens(): boolean },
  ) {
    this.#seat = audience.join({
      overhear: (event) => {
        if (!host.listens()) return;
        if (event.type === 'response.started') this.#overheard.add(event.responseId);
        else if (isEnd(event)) this.#overheard.delete(event.responseId);
        host.emit(event);
      },
      overrule: (by) => host.overruled(by),
    });
  }

  /** The agent says something to the room for another participant. */
  get overhears(): boolean {
    return this.#overheard.size > 0;
  }

  /** Tells the others, where it is of a response to the room. */
  share(event: SessionEventBody): void {
    if (!isResponseEvent(event)) return;
    if (event.type === 'response.started' && event.audience === 'room') this.#shared.add(event.responseId);
    if (!this.#shared.has(event.responseId)) return;
    if (isEnd(event)) this.#shared.delete(event.responseId);
    this.#seat.share(event);
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
}

function isResponseEvent(event: SessionEventBody): event is ResponseEvent {
  return event.type.startsWith('response.');
}

function isEnd({ type }: ResponseEvent): boolean {
  return type === 'response.completed' || type === 'response.interrupted';
}
