import type { AudienceChoice } from '@microturn/protocol';
import type { ReceivedTrack, SessionNotice } from '../connection/transport.js';
import { StateSource, type State } from '../state.js';
import { AgentVoice, type AgentVoiceParts } from './agent-voice.js';
import type { HeardPosition } from './heard-reporter.js';

export interface AgentVoicesParts extends Omit<AgentVoiceParts, 'notify'> {
  notify(message: SessionNotice): void;
}

/** Where the listener is, and on which voice. */
export interface VoicePosition extends HeardPosition {
  readonly audience: AudienceChoice;
}

/** What the agent says to the room, and what it says to this listener alone: two tracks, which may sound together. */
export class AgentVoices {
  readonly #voices: Readonly<Record<AudienceChoice, AgentVoice>>;
  readonly #track = new StateSource<MediaStreamTrack | undefined>(undefined);
  /** The voice that spoke last. */
  #current: AudienceChoice = 'room';

  constructor(parts: AgentVoicesParts) {
    const voice = (audience: AudienceChoice) =>
      new AgentVoice({ ...parts, notify: (message) => parts.notify({ ...message, audience }) });
    this.#voices = { room: voice('room'), self: voice('self') };
  }

  /** Of the voice that speaks, or spoke last: the room's until then. */
  get track(): State<MediaStreamTrack | undefined> {
    return this.#track;
  }

  /** Where the listener is on that voice; undefined where nothing was played yet. */
  get position(): VoicePosition | undefined {
    const { position } = this.#voices[this.#current];
    return position && { ...position, audience: this.#current };
  }

  /** Whether the listener hears a response of either, as far as is known here. */
  get audible(): boolean {
    return this.#all.some((voice) => voice.audible);
  }

  receive(received: ReceivedTrack): void {
    this.#voices[received.audience ?? 'room'].receive(received);
    this.#show();
  }

  drop(id: string): void {
    for (const voice of this.#all) voice.drop(id);
    this.#show();
  }

  /** A response that this listener hears begins. */
  begin(audience: AudienceChoice): void {
    this.#current = audience;
    this.#voices[audience].begin();
    this.#show();
  }

  /** Everything has been said by the voices that do not speak; it may still be on its way. */
  settle(speaks: (audience: AudienceChoice) => boolean): void {
    for (const audience of ['room', 'self'] as const) if (!speaks(audience)) this.#voices[audience].end();
  }

  /** At once, and until the next response begins. */
  silence(audience: AudienceChoice): void {
    this.#voices[audience].silence();
  }

  /** The loudspeaker begins, or ceases, to render sound. */
  follow(audible: boolean): void {
    for (const voice of this.#all) voice.follow(audible);
  }

  /** The call is over. */
  release(): void {
    for (const voice of this.#all) voice.release();
    this.#current = 'room';
    this.#show();
  }

  close(): void {
    for (const voice of this.#all) voice.close();
    this.#track.close();
  }

  get #all(): readonly AgentVoice[] {
    return [this.#voices.room, this.#voices.self];
  }

  #show(): void {
    this.#track.set(this.#voices[this.#current].track.value ?? this.#voices.room.track.value);
  }
}
