import { MicroturnError } from '@microturn/protocol';
import { randomUUID } from 'node:crypto';

/** An agent that was sent to a room. */
export interface Dispatch {
  readonly id: string;
  readonly room: string;
  readonly agentName: string;
  /** As it was given; no agent reads it. */
  readonly metadata: string;
  readonly createdAtMs: number;
}

/** Of all rooms. Policy: dropOldest. */
const MOST = 4096;

/**
 * Which agent the app's server sent to which room. Whoever joins after that talks with it; a room that nobody is in yet may
 * have one as well. Dispatches end with their room.
 */
export class Dispatches {
  readonly #agents: readonly string[];
  readonly #byId = new Map<string, Dispatch>();

  /** @param agents those that there are, by name */
  constructor(agents: readonly string[]) {
    this.#agents = agents;
  }

  /** @throws {MicroturnError} `protocol/malformed` where there is no such agent */
  create({ room, agentName, metadata }: Pick<Dispatch, 'room' | 'agentName' | 'metadata'>): Dispatch {
    if (!this.#agents.includes(agentName)) {
      throw new MicroturnError('protocol/malformed', `agentName: expected one of ${this.#agents.join(', ')}`);
    }
    const dispatch = { id: `AD_${randomUUID()}`, room, agentName, metadata, createdAtMs: Date.now() };
    this.#byId.set(dispatch.id, dispatch);
    const [oldest] = this.#byId.keys();
    if (this.#byId.size > MOST && oldest !== undefined) this.#byId.delete(oldest);
    return dispatch;
  }

  /** Those of a room, in the order in which they were made, or the one of an id. */
  list(room: string, id?: string): Dispatch[] {
    return [...this.#byId.values()].filter((one) => one.room === room && (id === undefined || one.id === id));
  }

  /** @throws {MicroturnError} `room/unknown` where there is none */
  delete(room: string, id: string): Dispatch {
    const [dispatch] = this.list(room, id);
    if (!dispatch) throw new MicroturnError('room/unknown', 'no such dispatch');
    this.#byId.delete(id);
    return dispatch;
  }

  /** Who talks to those who join now: the latest that was sent. */
  agentFor(room: string): string | undefined {
    return this.list(room).at(-1)?.agentName;
  }

  endRoom(room: string): void {
    for (const { id } of this.list(room)) this.#byId.delete(id);
  }
}
