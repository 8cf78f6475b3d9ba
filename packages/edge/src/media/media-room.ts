import type { TrackOffer } from '@microturn/protocol';
import type { Subscription } from 'rxjs';
import type { RtcEndpoint, RtcRoom } from '../rtc/index.js';
import type { Ears } from './ears.js';
import type { MediaRow } from './media-row.js';
import type { EndpointId, MediaEvent, RoomId } from './types.js';
import type { Voice } from './voice.js';

export type Source = TrackOffer['source'];

export interface Track {
  readonly producerId: string;
  readonly source: Source;
  readonly participant: string;
  /** Of the agent's voice. */
  readonly audience?: TrackOffer['audience'];
  muted: boolean;
}

/** One caller's end of a room. */
export interface MediaEndpoint {
  readonly id: EndpointId;
  readonly room: MediaRoom;
  readonly participant: string;
  readonly hidden: boolean;
  /** Replaced when the caller comes back; closed while they are away. */
  rtc: RtcEndpoint;
  readonly tracks: Map<string, Track>;
  readonly ears: Ears;
  /** A voice of the agent that this caller alone hears, once it was asked for. */
  ownVoice: Voice | undefined;
  /** Producers that were offered to this caller; undefined until they subscribe. */
  offered: Set<string> | undefined;
  row: MediaRow | undefined;
}

/** How long a voice waits for a device that does not say that it receives it. */
const RECEIVED_WITHIN_MS = 1000;

/** One call: its endpoints, the agent's voice, and who is offered what. */
export class MediaRoom {
  readonly id: RoomId;
  readonly rtc: RtcRoom;
  readonly voice: Voice;
  readonly endpoints = new Map<EndpointId, MediaEndpoint>();
  readonly #post: (event: MediaEvent) => void;
  readonly #speaking: Subscription;
  #speakers: readonly string[] = [];
  /** Offers whose caller is to say that they receive them, by consumerId. */
  readonly #awaited = new Map<string, () => void>();

  constructor(id: RoomId, rtc: RtcRoom, voice: Voice, post: (event: MediaEvent) => void) {
    this.id = id;
    this.rtc = rtc;
    this.voice = voice;
    this.#post = post;
    this.#speaking = rtc.speakers$.subscribe((producerIds) => this.#tellSpeakers(producerIds));
  }

  /** Offers all there is to a caller who can now take it. */
  async subscribe(endpoint: MediaEndpoint): Promise<TrackOffer[]> {
    const offered = (endpoint.offered = new Set<string>());
    const agent = [voiceTrack(this.voice, 'room')];
    if (endpoint.ownVoice) agent.push(voiceTrack(endpoint.ownVoice, 'self'));
    const others = [...this.endpoints.values()].filter((other) => other !== endpoint && !other.hidden);
    const tracks = [...agent, ...others.flatMap((other) => [...other.tracks.values()])];
    const offers = await Promise.all(tracks.map((track) => this.#consume(endpoint, track)));
    // One may have ended while others were awaited: its caller was told before it is offered, and would never lose it.
    return offers.filter((offer) => offer !== undefined).filter(({ producerId }) => offered.has(producerId));
  }

  /** Offers a new track to the others who have subscribed. */
  async publish(from: MediaEndpoint, track: Track): Promise<void> {
    if (from.hidden) return;
    const others = [...this.endpoints.values()].filter((other) => other !== from && other.offered);
    await Promise.all(others.map((other) => this.#offer(other, track)));
  }

  /** Offers a voice to the one caller who hears it; resolves when they say that they receive it, or after a second. */
  async publishVoice(to: MediaEndpoint, voice: Voice): Promise<void> {
    const consumerId = await this.#offer(to, voiceTrack(voice, 'self'));
    // Who has not subscribed yet gets it with all the others.
    if (consumerId === undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.ready(consumerId), RECEIVED_WITHIN_MS);
      this.#awaited.set(consumerId, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** The caller receives what was offered. */
  ready(consumerId: string): void {
    this.#awaited.get(consumerId)?.();
    this.#awaited.delete(consumerId);
  }

  /** Hears the endpoint's microphone in its row, where it has both. */
  async listen(endpoint: MediaEndpoint): Promise<void> {
    const { row } = endpoint;
    const microphone = [...endpoint.tracks.values()].find((track) => track.source === 'microphone');
    if (!row || !microphone) return;
    const tap = await this.rtc.tap(microphone.producerId);
    const current = endpoint.row === row && endpoint.tracks.has(microphone.producerId) && !endpoint.rtc.closed;
    if (current) row.attach(tap, microphone.muted);
    else tap.close();
  }

  close(): void {
    this.#speaking.unsubscribe();
    for (const consumerId of this.#awaited.keys()) this.ready(consumerId);
    this.voice.close();
    this.rtc.close();
  }

  #tellSpeakers(producerIds: readonly string[]): void {
    const endpoints = [...this.endpoints.values()];
    const participants = producerIds.flatMap(
      (producerId) => endpoints.find(({ tracks }) => tracks.has(producerId))?.participant ?? [],
    );
    if (participants.join('\n') === this.#speakers.join('\n')) return;
    this.#speakers = participants;
    this.#post({ type: 'speakers', room: this.id, participants });
  }

  async #offer(to: MediaEndpoint, track: Track): Promise<string | undefined> {
    const offer = await this.#consume(to, track);
    if (offer) this.#post({ type: 'track.added', endpoint: to.id, track: offer });
    return offer?.consumerId;
  }

  async #consume(to: MediaEndpoint, track: Track): Promise<TrackOffer | undefined> {
    const { offered } = to;
    const { producerId, source, participant, audience } = track;
    if (!offered || offered.has(producerId)) return undefined;
    offered.add(producerId);
    const consumer = await to.rtc.consume(producerId, (consumerId) => {
      offered.delete(producerId);
      this.#post({ type: 'track.removed', endpoint: to.id, consumerId });
    });
    return (
      consumer && {
        ...consumer,
        rtpParameters: { ...consumer.rtpParameters },
        source,
        participant,
        ...(audience && { audience }),
      }
    );
  }
}

function voiceTrack({ producerId }: Voice, audience: NonNullable<Track['audience']>): Track {
  return { producerId, source: 'agent', participant: 'agent', audience, muted: false };
}
