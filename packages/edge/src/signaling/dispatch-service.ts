import type { FastifyInstance } from 'fastify';
import * as v from 'valibot';
import type { Dispatch, Dispatches } from './dispatches.js';
import type { KeyRing } from './key-ring.js';
import { addTwirp, authorize, parseBody } from './twirp.js';

const Name = v.pipe(v.string(), v.minLength(1));
const Id = v.optional(v.string());
/** Protobuf's JSON has either spelling. */
const OfDispatch = v.object({ room: Name, dispatchId: Id, dispatch_id: Id });
const Created = v.object({
  room: Name,
  agentName: v.optional(Name),
  agent_name: v.optional(Name),
  metadata: v.optional(v.pipe(v.string(), v.maxLength(4096)), ''),
});

/** The calls of LiveKit's `AgentDispatchClient`, as Twirp JSON. */
export function addDispatchService(
  app: FastifyInstance,
  { keys, dispatches }: { readonly keys: KeyRing; readonly dispatches: Dispatches },
): void {
  addTwirp(app, 'livekit.AgentDispatchService', {
    CreateDispatch: async (request) => {
      const { room, agentName, agent_name: name = agentName, metadata } = parseBody(Created, request.body);
      await authorize(request, keys, { roomAdmin: room });
      return toAgentDispatch(dispatches.create({ room, agentName: name ?? '', metadata }));
    },
    DeleteDispatch: async (request) => {
      const { room, dispatchId, dispatch_id: id = dispatchId } = parseBody(OfDispatch, request.body);
      await authorize(request, keys, { roomAdmin: room });
      return toAgentDispatch(dispatches.delete(room, id ?? ''));
    },
    ListDispatch: async (request) => {
      const { room, dispatchId, dispatch_id: id = dispatchId } = parseBody(OfDispatch, request.body);
      await authorize(request, keys, { roomAdmin: room });
      // Protobuf's empty text is what was not given.
      return { agentDispatches: dispatches.list(room, id || undefined).map(toAgentDispatch) };
    },
  });
}

/** `livekit.AgentDispatch`, whose times are nanoseconds, and an int64 is text in protobuf's JSON. */
function toAgentDispatch({ id, agentName, room, metadata, createdAtMs }: Dispatch): object {
  return { id, agentName, room, metadata, state: { createdAt: `${createdAtMs}000000` } };
}
