import * as v from 'valibot';
import { MicroturnError } from './errors.js';

/** Of what was wrong with a message, told to the peer that sent it. */
const DETAIL_CHARS = 200;

type Tagged = Record<string, v.GenericSchema<unknown, { type: string }>>;

/**
 * Makes the parser of a tagged union: looked up by `type`, so that one message meets one schema.
 * The parser returns `undefined` for a type this build does not know (a newer peer), and throws
 * `protocol/malformed`, naming the field, where the fields of a known type are wrong.
 */
export function taggedParser<S extends Tagged>(schemas: S): (value: unknown) => v.InferOutput<S[keyof S]> | undefined {
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new MicroturnError('protocol/malformed', 'expected an object with a type');
    }
    const type = (value as { type?: unknown }).type;
    if (typeof type !== 'string') throw new MicroturnError('protocol/malformed', 'type: expected a string');
    if (!Object.hasOwn(schemas, type)) return undefined;
    const parsed = v.safeParse(schemas[type]!, value);
    if (!parsed.success) {
      const issue = parsed.issues[0];
      const path = v.getDotPath(issue);
      // The message quotes what was received, which may be long, and no one wants it back.
      const detail = `${type}${path ? ` ${path}` : ''}: ${issue.message}`;
      throw new MicroturnError('protocol/malformed', detail.slice(0, DETAIL_CHARS));
    }
    return parsed.output as v.InferOutput<S[keyof S]>;
  };
}

/** For a schema that is marked pure where it is built: a bundler leaves it out of a page that parses nothing by it. */
export function built<T>(build: () => T): T {
  return build();
}

export const Id = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
export const Ms = v.pipe(v.number(), v.finite(), v.minValue(0));
export const Index = v.pipe(v.number(), v.integer(), v.minValue(0));
export const Share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
/** Of a voice of the agent: everybody in the room, or this participant alone. */
export const AudienceChoice = v.picklist(['room', 'self']);
export type AudienceChoice = v.InferOutput<typeof AudienceChoice>;
/** A value of the 32-bit RTP clock. */
export const RtpTicks = /* @__PURE__ */ built(() =>
  v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff_ffff)),
);

/** An error as it crosses the wire: `WireError`. */
export const errorEntries = {
  code: v.string(),
  message: v.string(),
  retryable: v.boolean(),
  hint: v.string(),
  retryAfterMs: v.optional(Ms),
};
