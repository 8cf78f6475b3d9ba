import { limits, MicroturnError, type ClientMessage } from '@microturn/protocol';
import type { Call, CallParts } from './call.js';

/** What a client asks for that is in a call; to join and to leave is its socket's own matter. */
export type CallRequest = Exclude<ClientMessage, { readonly type: 'join' | 'leave' }>;

export interface AnswerParts extends Pick<CallParts, 'media'> {
  readonly call: Call;
  /** What was wrong with tools that the message offered, and does not any more. */
  readonly refused: readonly string[];
}

/** Words and pictures for the agent, whose answers the whole room hears, and what stops it. */
const SPEAKS: ReadonlySet<CallRequest['type']> = new Set([
  ...(['say', 'typing', 'image.append', 'image.show', 'response.interrupt'] as const),
  ...(['task.ask', 'task.amend', 'task.answer'] as const),
]);

/**
 * Does what a client asks for.
 * @returns what its reply carries
 * @throws {MicroturnError} why it is refused
 */
export async function answerInCall(message: CallRequest, { call, media, refused }: AnswerParts): Promise<unknown> {
  const { session, grant } = call;
  const { endpoint } = session;
  if (SPEAKS.has(message.type) && !grant.canPublishData) {
    // A page tells what stands in its fields by itself.
    if (message.type === 'typing' && !message.sent) return undefined;
    throw new MicroturnError('auth/forbidden', `canPublishData for ${message.type}`);
  }
  switch (message.type) {
    case 'subscribe':
      if (!grant.canSubscribe) return { tracks: [] };
      return media.request('subscribe', { endpoint, rtpCapabilities: message.rtpCapabilities });
    case 'transport.connect':
      return media.request('transport.connect', {
        endpoint,
        transportId: message.transportId,
        dtlsParameters: message.dtlsParameters,
      });
    case 'transport.restart-ice':
      return {
        ...(await media.request('transport.restart-ice', { endpoint, transportId: message.transportId })),
        // Those of the join may have ended.
        iceServers: call.iceServers,
      };
    case 'track.ready':
      return media.request('track.ready', { endpoint, consumerId: message.consumerId });
    case 'produce':
      return call.produce(message);
    case 'producer.mute':
      return call.mute(message.producerId, message.muted);
    case 'producer.close':
      return call.unpublish(message.producerId);
    case 'participant.mute':
      return call.administer(message.participant).muteFromOutside(message.producerId);
    case 'participant.remove':
      // Not waited for: one who removes themselves is told before their socket closes.
      void call.administer(message.participant).remove();
      return undefined;
    case 'heard': {
      const { rtpTimestamp, outputLatencyMs, audience, state } = message;
      await session.heard({ rtpTimestamp, outputLatencyMs, audience, state });
      return undefined;
    }
    case 'say':
      return session.say(message.text, message.audience);
    case 'typing':
      session.typed({ field: message.field, text: message.text, sent: message.sent });
      return undefined;
    case 'response.interrupt': {
      const { rtpTimestamp, outputLatencyMs = 0, audience } = message;
      return session.interrupt(
        rtpTimestamp === undefined ? undefined : { rtpTimestamp, outputLatencyMs, audience, state: 'muted' },
      );
    }
    case 'task.ask':
      return session.ask({
        text: message.text,
        subject: message.subject,
        images: session.pictures.take(message.images ?? []),
      });
    case 'image.append':
      return session.pictures.append(message);
    case 'image.show':
      return session.show(message.name, session.pictures.take(message.images));
    case 'task.amend':
      return session.background.amend(message.taskId, message.text);
    case 'task.answer':
      return session.background.answer(message.taskId, message.answer, message.questionId);
    case 'task.cancel':
      return session.background.cancel(message.taskId, 'client');
    case 'subject.change':
      return session.background.changeSubject();
    case 'tools.register': {
      const problems = [...refused, ...session.background.registerTools(message.tools)];
      if (problems.length > 0) {
        const told = problems.slice(0, limits.pageTools);
        if (problems.length > told.length) told.push(`and ${problems.length - told.length} others`);
        throw new MicroturnError('protocol/malformed', `registered without ${told.join('; ')}`);
      }
      return undefined;
    }
    case 'tool.result':
      return session.background.toolResult(message);
    case 'ping':
      return { sessionMs: session.nowMs };
    default:
      return message satisfies never;
  }
}
