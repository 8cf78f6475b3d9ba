import { randomInt } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { RtcRoom, RtcVoice } from '../rtc/index.js';
import { Downlink } from './downlink.js';
import type { Histogram } from './histogram.js';
import type { Listener } from './listener.js';
import type { MediaEvent, VoiceKey } from './types.js';

export interface VoiceParts {
  readonly clock: Clock;
  readonly lateness: Histogram;
  postEvent(event: MediaEvent): void;
}

/** One voice of the agent, for one audience: the room, or one caller. Owns its downlink, and knows who listens. */
export class Voice {
  readonly key: VoiceKey;
  readonly downlink: Downlink;
  readonly listeners = new Set<Listener>();
  readonly #rtc: RtcVoice;

  private constructor(key: VoiceKey, rtc: RtcVoice, { clock, lateness, postEvent }: VoiceParts) {
    this.key = key;
    this.#rtc = rtc;
    this.downlink = new Downlink({
      ssrc: rtc.ssrc,
      payloadType: rtc.payloadType,
      firstSequence: randomInt(0x1_0000),
      firstRtpTicks: randomInt(0x1_0000_0000),
      clock,
      send: (packet) => rtc.send(packet),
      onStarted: (responseId, atMs) => postEvent({ type: 'speech.started', voice: key, responseId, atMs }),
      onSent: (responseId, lengthMs, atMs) =>
        postEvent({ type: 'speech.sent', voice: key, responseId, lengthMs, atMs }),
      lateness,
    });
  }

  static async open(key: VoiceKey, room: RtcRoom, parts: VoiceParts): Promise<Voice> {
    return new Voice(key, await room.createVoice(), parts);
  }

  get producerId(): string {
    return this.#rtc.producerId;
  }

  /** Flushes a response, for everybody who hears it. Returns how much of it had been sent, ms. */
  cut(responseId: string, nowMs: number): number {
    for (const listener of this.listeners) listener.cut(responseId, nowMs);
    return this.downlink.cut(responseId);
  }

  close(): void {
    this.#rtc.close();
  }
}
