import type { Heard, HeardReport } from '../media/index.js';
import type { LiveConversation } from './live-conversation.js';
import type { SessionEvents } from './session-events.js';
import type { SessionMedia } from './session-parts.js';

/** As a client tells it: who has played nothing yet has no place to tell. */
export type ListenerReport = Omit<HeardReport, 'rtpTimestamp'> & { readonly rtpTimestamp?: number | undefined };

export interface ListenerReportsParts {
  readonly media: SessionMedia;
  readonly endpoint: string;
  readonly events: SessionEvents;
  readonly conversation: LiveConversation;
  /** Session ms now. */
  nowMs(): number;
}

/** What the listener's device says that it plays, as what was heard of each response. */
export class ListenerReports {
  readonly #parts: ListenerReportsParts;

  constructor(parts: ListenerReportsParts) {
    this.#parts = parts;
  }

  /** What the device plays now. */
  async heard({ rtpTimestamp, ...report }: ListenerReport): Promise<readonly Heard[]> {
    const { media, endpoint, events, conversation } = this.#parts;
    if (events.closed) return [];
    const { heard } =
      rtpTimestamp === undefined
        ? { heard: [] }
        : await media.request('heard', { endpoint, report: { ...report, rtpTimestamp } });
    for (const { responseId, heardMs } of heard) {
      conversation.apply({ type: 'heard', responseId, heardMs, state: report.state });
    }
    if (report.state !== 'muted') return heard;
    // A response of which nothing was played yet maps to nothing on the timeline: it is muted all the same, and a cut one answered, with zero.
    for (const { id, heardMs, audience, phase } of conversation.responses) {
      if (phase === 'cut' || (audience === 'room') === (report.audience === 'room')) {
        conversation.apply({ type: 'heard', responseId: id, heardMs, state: 'muted' });
      }
    }
    return heard;
  }

  /**
   * The user's client stops the agent, and may say what it played.
   * @returns what had been heard of the response that was playing
   * @throws {MicroturnError} `session/closed`
   */
  async interrupt(report: ListenerReport | undefined): Promise<{ responseId?: string; heardMs: number }> {
    const { events, conversation, nowMs } = this.#parts;
    events.assertOpen();
    const heard = report ? await this.heard(report) : [];
    const playing = conversation.responses[0];
    conversation.overrule();
    if (playing === undefined) return heard.at(-1) ?? { heardMs: 0 };
    conversation.apply({ type: 'interrupt', atMs: nowMs() });
    return { responseId: playing.id, heardMs: playing.heardMs };
  }
}
