import { MicroturnError, type Audience, type AudienceChoice, type SessionEvent } from '@microturn/protocol';
import { EMPTY, Observable, distinctUntilChanged, map, type Subscription } from 'rxjs';
import type { Clock } from '../clock.js';
import type { ReceivedTrack, SessionNotice, TransportLink } from '../connection/transport.js';
import { isAudible, isAudibleTo, type Conversation } from '../conversation/reduce.js';
import { newest } from '../newest.js';
import type { RemoteTrack } from '../session.js';
import { StateSource, type State } from '../state.js';
import { unlessAborted } from '../waiting.js';
import { AgentVoices, type VoicePosition } from './agent-voices.js';
import { Ducker, type DuckingOptions } from './ducker.js';
import type { OutputState } from './devices.js';
import { Input, type Publish } from './input.js';
import { Microphone, type MicrophoneSource } from './microphone.js';
import { measureOutputLatencyMs } from './output-latency.js';
import type { MediaPlatform } from './platform.js';
import { showFrames } from './show-frames.js';
import { Speaker } from './speaker.js';

export interface SessionMediaParts {
  readonly platform: MediaPlatform;
  readonly clock: Clock;
  readonly microphone: MicrophoneSource;
  readonly audioElement: HTMLAudioElement | undefined;
  readonly ducking: boolean | DuckingOptions;
  notify(message: SessionNotice): void;
  /** Shows the agent pictures under a name. */
  show(images: readonly Blob[], name: string): Promise<void>;
  /** Something of the devices failed, and the call goes on. */
  problem(error: MicroturnError): void;
}

const videos = ['camera', 'screen'] as const;
type Video = (typeof videos)[number];

/** The devices of a session and the tracks of its call: what is sent, what is played, and what is heard of it. */
export class SessionMedia {
  readonly microphone: Microphone;
  readonly camera: Input;
  readonly screen: Input;
  readonly speaker: Speaker;
  readonly tracks = new StateSource<readonly RemoteTrack[]>([]);
  readonly agentTrack: State<MediaStreamTrack | undefined>;
  readonly #voice: AgentVoices;
  readonly #ducker: Ducker;
  readonly #watching: Subscription;
  readonly #problem: SessionMediaParts['problem'];
  readonly #show: SessionMediaParts['show'];
  /** Of which a picture may be in front of the agent. */
  readonly #inFront = new Set<Video>();
  /** Undefined until the edge has said it. */
  #canPublish: readonly string[] | undefined;
  #outputLatencyMs = 0;

  constructor(parts: SessionMediaParts) {
    const { platform: media, clock, microphone, audioElement, ducking, notify, show, problem } = parts;
    this.#problem = problem;
    this.#show = show;
    const mayPublish = (source: string) => () => this.#canPublish?.includes(source) ?? true;
    this.microphone = new Microphone({ media, clock, source: microphone, mayPublish: mayPublish('microphone') });
    this.camera = new Input({ media, source: 'camera', mayPublish: mayPublish('camera') });
    this.screen = new Input({ media, source: 'screen', mayPublish: mayPublish('screen') });
    this.#voice = new AgentVoices({
      clock,
      audible: () => this.speaker.audible,
      outputLatencyMs: () => this.#outputLatencyMs,
      notify,
    });
    this.agentTrack = this.#voice.track;
    this.speaker = new Speaker({
      media,
      clock,
      agentTrack: this.agentTrack,
      microphone: this.microphone.track,
      agentElement: audioElement,
      onAudible: (audible) => this.#voice.follow(audible),
    });
    this.#ducker = new Ducker({
      ...(typeof ducking === 'object' && ducking),
      media,
      clock,
      speaking: () => this.#voice.audible,
      lower: (gain) => this.speaker.lowerAgent(gain),
    });
    this.speaker.setDucking(ducking !== false);
    this.#watching = this.#watch().subscribe();
    this.#watching.add(this.#measureLatency(media, clock).subscribe());
    for (const name of videos) {
      const frames = (track: MediaStreamTrack) =>
        new Observable<never>(() =>
          showFrames({ track, media, clock, show: (images) => this.#showTo(name, images), failed: problem }),
        );
      this.#watching.add(whileThereIs(this[name].shown, frames).subscribe());
    }
  }

  get #inputs(): readonly Input[] {
    return [this.microphone, this.camera, this.screen];
  }

  /** Opens the microphone. */
  async enable(signal: AbortSignal): Promise<void> {
    await unlessAborted(this.microphone.enable(), signal);
  }

  /** Sends over a link what is open: the call waits for the microphone. */
  async sendOver(link: TransportLink, signal: AbortSignal): Promise<void> {
    this.#canPublish = link.joined.canPublish;
    const over =
      (source: Parameters<TransportLink['publish']>[1]): Publish =>
      (track) =>
        link.publish(track, source);
    const microphone = this.microphone.attach(over('microphone'));
    for (const name of videos) {
      this[name].attach(over(name)).catch((cause: unknown) => {
        const error = MicroturnError.from(cause, 'media/unsupported');
        // One of a link that was lost meanwhile is sent over the next.
        if (!signal.aborted) this.#problem(error);
      });
      // What was turned off while there was no link is in front of the agent still.
      if (this.#inFront.has(name) && !this[name].shown.value) this.#showTo(name, []).catch(() => undefined);
    }
    await unlessAborted(microphone, signal);
  }

  async #showTo(name: Video, images: readonly Blob[]): Promise<void> {
    this.#inFront.add(name);
    await this.#show(images, name);
    if (!images.length) this.#inFront.delete(name);
  }

  add(received: ReceivedTrack): void {
    const { id, participant, source, audience, track } = received;
    const isAgent = source === 'agent';
    const remote = { id, participant, source, track, ...(audience && { audience }) };
    this.tracks.set([...this.tracks.value.filter((other) => other.id !== id), remote]);
    // Whoever is told of it may leave.
    if (this.tracks.value.includes(remote)) this.speaker.add(id, track, isAgent);
    if (isAgent && this.tracks.value.includes(remote)) this.#voice.receive(received);
  }

  remove(id: string): void {
    this.speaker.remove(id);
    this.#voice.drop(id);
    this.tracks.set(this.tracks.value.filter((track) => track.id !== id));
  }

  /** What an event asks of the loudspeaker, before anything else. */
  obey(event: SessionEvent, { me, responses }: Conversation): void {
    if (event.type === 'response.started') {
      if (isAudibleTo(event.audience, me)) this.#voice.begin(voiceOf(event.audience));
    } else if (event.type === 'response.cut') {
      const response = responses.findLast(({ id }) => id === event.responseId);
      if (!response) this.#voice.silence('room');
      else if (isAudibleTo(response.audience, me)) this.#voice.silence(voiceOf(response.audience));
    } else if (event.type === 'floor.changed') {
      if (event.participant === me && isAudible(event.floor)) this.#ducker.confirm();
    } else if (event.type === 'interruption' && event.participant === me && !event.taken) {
      this.#ducker.release();
    }
  }

  /** Follows whether the agent still speaks, when an event has changed the conversation. */
  follow(event: SessionEvent, { me, responses }: Conversation): void {
    const speaking = responses.filter(({ status, audience }) => status === 'speaking' && isAudibleTo(audience, me));
    const speaks = (voice: AudienceChoice) => speaking.some((r) => voiceOf(r.audience) === voice);
    this.#voice.settle(speaks);
    if (event.type === 'response.interrupted' && event.by !== 'client') {
      // One that failed, or a reminder that was called off, is cut alone: what waited behind it on its voice is heard.
      const cut = responses.findLast(({ id }) => id === event.responseId);
      if (cut && speaks(voiceOf(cut.audience))) this.#voice.begin(voiceOf(cut.audience));
    }
    if (!this.#voice.audible) this.#ducker.release();
  }

  /** Silences the agent at once; returns where the listener was, where anything was played. */
  silence(): VoicePosition | undefined {
    const { position } = this.#voice;
    this.#voice.silence('room');
    this.#voice.silence('self');
    return position;
  }

  /** The link is lost: what came with it goes with it; the devices stay. */
  detach(): void {
    for (const input of this.#inputs) input.detach();
    for (const { id } of this.tracks.value) this.remove(id);
  }

  /** The call is over. */
  release(): void {
    this.#inFront.clear();
    this.#canPublish = undefined;
    for (const input of this.#inputs) input.release();
    this.speaker.release();
    this.#voice.release();
    this.tracks.set([]);
  }

  close(): void {
    this.#watching.unsubscribe();
    for (const input of this.#inputs) input.close();
    this.speaker.close();
    this.#voice.close();
    this.tracks.close();
  }

  /** Finds out how far the ear is behind the mixer, while there is a voice to hear. */
  #measureLatency(media: MediaPlatform, clock: Clock): Observable<never> {
    const voice = this.agentTrack.pipe(
      map((track) => track !== undefined),
      distinctUntilChanged(),
    );
    return whileThereIs(voice, () =>
      newest(
        this.speaker.state.pipe(map(outputOf), distinctUntilChanged()),
        () =>
          new Observable<never>(() => {
            const abort = new AbortController();
            const { deviceId, devices } = this.speaker.state.value;
            // One that was chosen before it is there does not play yet.
            const sink = devices.find((device) => device.deviceId === deviceId);
            measureOutputLatencyMs(media, clock, abort.signal, sink?.deviceId).then(
              (latencyMs) => {
                if (!abort.signal.aborted) this.#outputLatencyMs = latencyMs;
              },
              () => undefined,
            );
            return () => abort.abort();
          }),
      ),
    );
  }

  /** Listens for the user's onset while there is somebody to lower, and it is wanted. */
  #watch(): Observable<never> {
    const wanted = this.speaker.state.pipe(
      map(({ ducking }) => ducking),
      distinctUntilChanged(),
    );
    return whileThereIs(wanted, () =>
      whileThereIs(this.microphone.track, (microphone) =>
        whileThereIs(this.agentTrack, (agent) => new Observable<never>(() => this.#ducker.watch(microphone, agent))),
      ),
    );
  }
}

/** What the output's latency goes by: before sound is allowed it cannot be measured, and another device has another. */
function outputOf({ blocked, deviceId, devices }: OutputState): string {
  return JSON.stringify([blocked, deviceId, devices.map((device) => device.deviceId)]);
}

/** Follows what `next` makes of the newest value, and nothing while that is none. */
function whileThereIs<T, R>(value$: Observable<T | false | undefined>, next: (value: T) => Observable<R>) {
  return newest(value$, (value) => (value ? next(value) : EMPTY));
}

function voiceOf(audience: Audience): AudienceChoice {
  return audience === 'room' ? 'room' : 'self';
}
