import type { Participant as WireParticipant } from '@microturn/protocol';
import type { RosterUpdate } from './connection/transport.js';
import { StateSource } from './state.js';

/** Somebody in the room. The agent is none of them. */
export interface Participant {
  readonly identity: string;
  /** As their token says; their identity where it says none. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** This client's own user. */
  readonly isLocal: boolean;
  /** Among the loudest now. */
  readonly speaking: boolean;
  /** Their connection is lost, and they may come back. */
  readonly away: boolean;
  readonly tracks: readonly ParticipantTrack[];
}

/** What a participant sends. `id` is what `muteParticipant` takes. */
export interface ParticipantTrack {
  readonly id: string;
  readonly source: 'microphone' | 'camera' | 'screen';
  readonly kind: 'audio' | 'video';
  readonly muted: boolean;
}

/** The list of a session; a participant who has not changed stays the same object. */
export class ParticipantList {
  readonly state = new StateSource<readonly Participant[]>([]);
  #me = '';

  take(update: RosterUpdate): void {
    this.state.set(this.#reduce(this.state.value, update));
  }

  /** The call is over. */
  clear(): void {
    this.state.set([]);
  }

  close(): void {
    this.state.close();
  }

  #reduce(list: readonly Participant[], update: RosterUpdate): readonly Participant[] {
    switch (update.type) {
      case 'present': {
        this.#me = update.me;
        const seen = update.participants.map((one) => this.#see(one));
        return seen.sort((a, b) => Number(b.isLocal) - Number(a.isLocal));
      }
      case 'participant.joined':
      case 'participant.updated': {
        const participant = this.#see(update.participant);
        const index = list.findIndex(({ identity }) => identity === participant.identity);
        return index < 0 ? [...list, participant] : list.with(index, participant);
      }
      case 'participant.left':
        return list.filter(({ identity }) => identity !== update.identity);
      case 'speakers.changed':
        return list.map((participant) => {
          const speaking = update.speakers.includes(participant.identity);
          return speaking === participant.speaking ? participant : { ...participant, speaking };
        });
      case 'track.muted':
        return list;
      default:
        return update satisfies never;
    }
  }

  #see({ name, ...participant }: WireParticipant): Participant {
    return { ...participant, name: name ?? participant.identity, isLocal: participant.identity === this.#me };
  }
}
