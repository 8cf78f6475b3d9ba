import type { TrackOffer } from '@microturn/protocol';
import type { Subscription } from 'rxjs';
import type { RtcEndpoint, RtcRoom, RtcVoice } from '../rtc/index.js';
import type { Downlink } from './downlink.js';
import type { Listener } from './listener.js';
import type { MediaRow } from './media-row.js';
import type { EndpointId, MediaEvent, RoomId } from './types.js';

export type Source = TrackOffer['source'];

export interface Track {
  readonly producerId: string;
  readonly source: Source;
  readonly participant: string;
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
  readonly listener: Listener;
  /** Producers that were offered to this caller; undefined until they subscribe. */
  offered: Set<string> | undefined;
  row: MediaRow | undefined;
}

/** One call: its endpoints, the agent's voice, and who is offered what. */
export class MediaRoom {
  readonly id: RoomId;
  readonly rtc: RtcRoom;
  readonly downlink: Downlink;
  readonly endpoints = new Map<EndpointId, MediaEndpoint>();
  readonly #voice: RtcVoice;
  readonly #post: (event: MediaEvent) => void;
  readonly #speaking: Subscription;
  #speakers: readonly string[] = [];

  constructor(id: RoomId, rtc: RtcRoom, voice: RtcVoice, downlink: Downlink, post: (event: MediaEvent) => void) {
    this.id = id;
    this.rtc = rtc;
    this.downlink = downlink;
    this.#voice = voice;
    this.#post = post;
    this.#speaking = rtc.speakers$.subscribe((producerIds) => this.#tellSpeakers(producerIds));
  }

  get voiceKey(): string {
    return `room:${this.id}`;
  }

  /** Offers all there is to a caller who can now take it. */
  async subscribe(endpoint: MediaEndpoint): Promise<TrackOffer[]> {
    endpoint.offered = new Set();
    const agent: Track = { producerId: this.#voice.producerId, source: 'agent', participant: 'agent', muted: false };
    const others = [...this.endpoints.values()].filter((other) => other !== endpoint && !other.hidden);
    const tracks = [agent, ...others.flatMap((other) => [...other.tracks.values()])];
    const offers = await Promise.all(tracks.map((track) => this.#consume(endpoint, track)));
    return offers.filter((offer) => offer !== undefined);
  }

  /** Offers a new track to the others who have subscribed. */
  async publish(from: MediaEndpoint, track: Track): Promise<void> {
    if (from.hidden) return;
    const others = [...this.endpoints.values()].filter((other) => other !== from && other.offered);
    await Promise.all(
      others.map(async (other) => {
        const offer = await this.#consume(other, track);
        if (offer) this.#post({ type: 'track.added', endpoint: other.id, track: offer });
      }),
    );
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
    this.#voice.close();
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

  async #consume(to: MediaEndpoint, track: Track): Promise<TrackOffer | undefined> {
    const { offered } = to;
    const { producerId, source, participant } = track;
    if (!offered || offered.has(producerId)) return undefined;
    offered.add(producerId);
    const consumer = await to.rtc.consume(producerId, (consumerId) => {
      offered.delete(producerId);
      this.#post({ type: 'track.removed', endpoint: to.id, consumerId });
    });
    return consumer && { ...consumer, rtpParameters: { ...consumer.rtpParameters }, source, participant };
  }
}
