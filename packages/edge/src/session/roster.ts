import type { Participant, ParticipantTrack, RosterMessage } from '@microturn/protocol';

/** Who somebody is, by their token. */
export interface Profile {
  readonly identity: string;
  readonly name?: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  /** Nobody else sees them. */
  readonly hidden: boolean;
}

export type RosterListener = (message: RosterMessage) => void;

/** Somebody outside the room, who is told of everybody in it: also of those whom the others do not see. */
export interface RosterWatcher {
  joined(participant: Participant): void;
  left(participant: Participant): void;
  published(participant: Participant, track: ParticipantTrack): void;
  unpublished(participant: Participant, track: ParticipantTrack): void;
}

interface Entry {
  readonly profile: Profile;
  readonly tracks: Map<string, ParticipantTrack>;
  away: boolean;
  listener: RosterListener | undefined;
}

/** Who is in one room, as everybody in it sees it. Knows nothing of sessions: a room's members say what they do. */
export class Roster {
  readonly #entries = new Set<Entry>();
  /** Identities, loudest first. */
  #speakers: readonly string[] = [];
  readonly #watcher: RosterWatcher | undefined;

  constructor(watcher?: RosterWatcher) {
    this.#watcher = watcher;
  }

  /** Those who are seen, in the order in which they came. */
  get participants(): Participant[] {
    return this.#seenBy(undefined);
  }

  /** The seat that it returns is left once, by whoever joined. */
  join(profile: Profile): RosterSeat {
    const entry: Entry = { profile, tracks: new Map(), away: false, listener: undefined };
    this.#entries.add(entry);
    this.#tell(entry, { type: 'participant.joined', participant: this.#describe(entry) });
    this.#watcher?.joined(this.#describe(entry));
    return new RosterSeat(entry, {
      update: () => {
        if (!this.#entries.has(entry)) return;
        // Who is muted is silent at once, and not by the next measurement.
        this.setSpeakers(this.#speakers);
        this.#tell(entry, { type: 'participant.updated', participant: this.#describe(entry) });
      },
      published: (track) => this.#watcher?.published(this.#describe(entry), track),
      unpublished: (track) => this.#watcher?.unpublished(this.#describe(entry), track),
      see: () => this.#seenBy(entry),
      leave: () => {
        if (!this.#entries.delete(entry)) return;
        this.#speakers = this.#speakers.filter((identity) => identity !== profile.identity);
        this.#tell(entry, { type: 'participant.left', identity: profile.identity });
        this.#watcher?.left(this.#describe(entry));
      },
    });
  }

  /** Who speaks now, loudest first; unknown and hidden ones are passed over. Told where it changed. */
  setSpeakers(identities: readonly string[]): void {
    const seen = new Set([...this.#entries].filter((entry) => isAudible(entry)).map(({ profile }) => profile.identity));
    const speakers = identities.filter((identity) => seen.has(identity));
    if (speakers.join('\n') === this.#speakers.join('\n')) return;
    this.#speakers = speakers;
    for (const { listener } of this.#entries) listener?.({ type: 'speakers.changed', speakers: [...speakers] });
  }

  /** What happens to a hidden participant is their own business. */
  #tell(about: Entry, message: RosterMessage): void {
    if (about.profile.hidden) {
      about.listener?.(message);
      return;
    }
    for (const { listener } of this.#entries) listener?.(message);
  }

  #seenBy(viewer: Entry | undefined): Participant[] {
    return [...this.#entries]
      .filter((entry) => entry === viewer || !entry.profile.hidden)
      .map((entry) => this.#describe(entry));
  }

  #describe({ profile, away, tracks }: Entry): Participant {
    const { identity, name, attributes } = profile;
    return {
      identity,
      ...(name !== undefined && { name }),
      attributes: { ...attributes },
      away,
      speaking: this.#speakers.includes(identity),
      tracks: [...tracks.values()],
    };
  }
}

function isAudible({ profile, tracks }: Entry): boolean {
  return !profile.hidden && [...tracks.values()].some(({ kind, muted }) => kind === 'audio' && !muted);
}

interface SeatActions {
  update(): void;
  published(track: ParticipantTrack): void;
  unpublished(track: ParticipantTrack): void;
  see(): Participant[];
  leave(): void;
}

/** One participant's place in a roster. */
export class RosterSeat {
  readonly #entry: Entry;
  readonly #actions: SeatActions;

  constructor(entry: Entry, actions: SeatActions) {
    this.#entry = entry;
    this.#actions = actions;
  }

  /** What this participant sends now. */
  get tracks(): readonly ParticipantTrack[] {
    return [...this.#entry.tracks.values()];
  }

  /** Tells of every change from now on; returns what there is now. */
  listen(listener: RosterListener): Participant[] {
    if (this.#entry.away) {
      this.#entry.away = false;
      this.#actions.update();
    }
    this.#entry.listener = listener;
    return this.#actions.see();
  }

  /** Their connection is lost, and their tracks with it. */
  goAway(): void {
    this.#entry.listener = undefined;
    this.#entry.away = true;
    const tracks = this.tracks;
    this.#entry.tracks.clear();
    this.#actions.update();
    for (const track of tracks) this.#actions.unpublished(track);
  }

  publish(track: ParticipantTrack): void {
    this.#entry.tracks.set(track.id, track);
    this.#actions.update();
    this.#actions.published(track);
  }

  unpublish(id: string): void {
    const track = this.#entry.tracks.get(id);
    if (!track) return;
    this.#entry.tracks.delete(id);
    this.#actions.update();
    this.#actions.unpublished(track);
  }

  setMuted(id: string, muted: boolean): void {
    const track = this.#entry.tracks.get(id);
    if (!track || track.muted === muted) return;
    this.#entry.tracks.set(id, { ...track, muted });
    this.#actions.update();
  }

  /** Leaving twice is harmless. */
  leave(): void {
    this.#entry.listener = undefined;
    this.#actions.leave();
  }
}
