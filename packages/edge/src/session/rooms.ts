import type { SessionMedia } from './session.js';

/** A call: who is in it, and what its tracks can be encoded with. */
export class Room<Member> {
  readonly id: string;
  readonly rtpCapabilities: object;
  /** By identity: a participant is in a room once. */
  readonly members = new Map<string, Member>();
  constructor(id: string, rtpCapabilities: object) {
    this.id = id;
    this.rtpCapabilities = rtpCapabilities;
  }
}

/** One member's time in a room. */
export interface RoomStay<Member> {
  readonly room: Room<Member>;
  /** Leaving twice is harmless. */
  leave(): Promise<void>;
}

interface Entry<Member> {
  users: number;
  readonly opening: Promise<Room<Member>>;
}

/** Opens a room on the media thread for the first who enters, and closes it behind the last who leaves. */
export class RoomRegistry<Member> {
  readonly #media: SessionMedia;
  readonly #entries = new Map<string, Entry<Member>>();
  /** Closings under way: a room of the same name opens after them. */
  readonly #closing = new Map<string, Promise<void>>();

  constructor(media: SessionMedia) {
    this.#media = media;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The stay that it resolves with is left once, by whoever entered, also where what comes after fails. */
  async enter(id: string): Promise<RoomStay<Member>> {
    let entry = this.#entries.get(id);
    if (!entry) {
      entry = { users: 0, opening: this.#open(id) };
      this.#entries.set(id, entry);
    }
    entry.users++;
    try {
      const room = await entry.opening;
      let left: Promise<void> | undefined;
      return { room, leave: () => (left ??= this.#leave(id)) };
    } catch (error) {
      // The next one tries again with a fresh entry.
      if (this.#entries.get(id) === entry) this.#entries.delete(id);
      throw error;
    }
  }

  /** The media thread was lost and another is up: it gets the rooms that are in use. */
  async restore(): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((room) => this.#media.request('room.open', { room })));
  }

  async #leave(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (!entry || --entry.users > 0) return;
    this.#entries.delete(id);
    const closing = this.#media
      .request('room.close', { room: id })
      .finally(() => this.#closing.get(id) === closing && this.#closing.delete(id));
    this.#closing.set(id, closing);
    await closing;
  }

  async #open(id: string): Promise<Room<Member>> {
    await this.#closing.get(id);
    const { rtpCapabilities } = await this.#media.request('room.open', { room: id });
    return new Room<Member>(id, rtpCapabilities);
  }
}
