import {
  MicroturnError,
  decodeJson,
  limits,
  parseSessionEvent,
  patchSurfaces,
  type SessionEventBody,
  type SessionEventOf,
  type Surfaces,
} from '@microturn/protocol';

type PatchEvent = SessionEventOf<'ui.patch'>;
type PatchBody = Pick<PatchEvent, 'type' | 'surfaceId' | 'patch'>;

/** What the page of a session shows: what its patches have made of it, here as there. */
export class ShownSurfaces {
  #surfaces: Surfaces = new Map();

  /**
   * The event of a patch that fits what is shown.
   * @param patch from outside: whatever it is, a copy of it is taken as JSON
   * @throws {MicroturnError} `protocol/malformed` and `protocol/too-large` where it is no patch, `ui/patch` where it does not fit
   */
  toEvent(surfaceId: string, patch: unknown): PatchBody {
    const body = toPatch(surfaceId, patch);
    patchSurfaces(this.#surfaces, body);
    return body;
  }

  /** Follows an event of the session. A patch that does not fit changes nothing, which its client reports. */
  take(event: SessionEventBody): void {
    if (event.type !== 'ui.patch') return;
    try {
      this.#surfaces = patchSurfaces(this.#surfaces, event);
    } catch (error) {
      if (!(error instanceof MicroturnError)) throw error;
    }
  }

  /** How many words each surface shows, of those that show words. */
  get wordCounts(): Readonly<Record<string, number>> {
    const wordsOf = (value: unknown) => (value as { words?: unknown } | null)?.words;
    return Object.fromEntries(
      [...this.#surfaces].flatMap(([surfaceId, value]) => {
        const words = wordsOf(value);
        return Array.isArray(words) ? [[surfaceId, words.length]] : [];
      }),
    );
  }

  /** Draws all of it for a page that shows nothing. */
  redraw(): PatchBody[] {
    return [...this.#surfaces].map(([surfaceId, value]) => ({
      type: 'ui.patch',
      surfaceId,
      patch: [{ op: 'add', path: '', value }],
    }));
  }
}

/** By the schema of its event, and no deeper than what a client reads. */
function toPatch(surfaceId: string, patch: unknown): PatchBody {
  let text: string;
  try {
    text = JSON.stringify({ patch });
  } catch (cause) {
    throw new MicroturnError('protocol/malformed', 'ui.patch patch: expected JSON', { cause });
  }
  const copy = decodeJson(text, limits.serverMessageChars) as object;
  const event = parseSessionEvent({ type: 'ui.patch', seq: 1, at: 0, turn: 0, surfaceId, ...copy }) as PatchEvent;
  return { type: event.type, surfaceId: event.surfaceId, patch: event.patch };
}
