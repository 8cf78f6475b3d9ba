import { MicroturnError } from '@microturn/protocol';
import { RoomAudience } from './audience.js';
import { Roster, type RosterWatcher } from './roster.js';
import type { SessionMedia } from './session-parts.js';

/** Somebody outside, who is told what happens in a room. */
export interface RoomWatcher extends RosterWatcher {
  opened(): void;
  closed(): void;
}

export interface WatchedRoom {
  readonly id: string;
  readonly roster: Pick<Roster, 'participants'>;
}

/** A call: who is in it, and what its tracks can be encoded with. */
export class Room<Member> {
  readonly id: string;
  readonly rtpCapabilities: object;
  /** By identity: a participant is in a room once. */
  readonly members = new Map<string, Member>();
  readonly watcher: RoomWatcher | undefined;
  readonly roster: Roster;
  readonly audience = new RoomAudience();
  constructor(id: string, rtpCapabilities: object, watch?: (room: WatchedRoom) => RoomWatcher) {
    this.id = id;
    this.rtpCapabilities = rtpCapabilities;
    this.watcher = watch?.(this);
    this.roster = new Roster(this.watcher);
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
  room: Room<Member> | undefined;
}

/** Opens a room on the media thread for the first who enters, and closes it behind the last who leaves. */
export class RoomRegistry<Member> {
  readonly #media: SessionMedia;
  readonly #maxMembers: number;
  readonly #watch: ((room: WatchedRoom) => RoomWatcher) | undefined;
  readonly #entries = new Map<string, Entry<Member>>();
  /** Closings under way: a room of the same name opens after them. */
  readonly #closing = new Map<string, Promise<void>>();

  /** @param watch makes whoever is to be told of a room, when it opens */
  constructor(
    media: SessionMedia,
    {
      maxMembers = Infinity,
      watch,
    }: { readonly maxMembers?: number; readonly watch?: (room: WatchedRoom) => RoomWatcher } = {},
  ) {
    this.#media = media;
    this.#watch = watch;
    this.#maxMembers = maxMembers;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Rooms that somebody is in. */
  get open(): Room<Member>[] {
    return [...this.#entries.values()].flatMap(({ room }) => room ?? []);
  }

  get(id: string): Room<Member> | undefined {
    return this.#entries.get(id)?.room;
  }

  /**
   * The stay that it resolves with is left once, by whoever entered, also where what comes after fails.
   * @throws {MicroturnError} `room/full`, unless `member` is in it already and makes room for this one
   */
  async enter(id: string, member: string): Promise<RoomStay<Member>> {
    let entry = this.#entries.get(id);
    if (!entry) {
      entry = { users: 0, opening: this.#open(id), room: undefined };
      this.#entries.set(id, entry);
    }
    const replaced = entry.room?.members.has(member) ? 1 : 0;
    if (entry.users - replaced >= this.#maxMembers) {
      throw new MicroturnError('room/full', `${this.#maxMembers} participants`);
    }
    entry.users++;
    try {
      const room = (entry.room = await entry.opening);
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
    entry.room?.watcher?.closed();
    await this.#close(id);
  }

  #close(id: string): Promise<void> {
    const closing = this.#media
      .request('room.close', { room: id })
      .finally(() => this.#closing.get(id) === closing && this.#closing.delete(id));
    this.#closing.set(id, closing);
    return closing;
  }

  async #open(id: string): Promise<Room<Member>> {
    // Where it did not close, whoever left was told so.
    await this.#closing.get(id)?.catch(() => undefined);
    const rtpCapabilities = await this.#openMedia(id);
    const room = new Room<Member>(id, rtpCapabilities, this.#watch);
    room.watcher?.opened();
    return room;
  }

  async #openMedia(id: string): Promise<object> {
    try {
      return (await this.#media.request('room.open', { room: id })).rtpCapabilities;
    } catch (error) {
      // An answer may only be late, and nobody would close what it opened; who enters next waits for that.
      this.#close(id).catch(() => undefined);
      throw error;
    }
  }
}
