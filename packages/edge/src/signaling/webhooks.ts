import type { Participant, ParticipantTrack } from '@microturn/protocol';
import { AccessToken } from 'livekit-server-sdk';
import { createHash, randomUUID } from 'node:crypto';
import { within } from '../clock.js';
import type { RoomWatcher, WatchedRoom } from '../session/index.js';
import type { Log } from '../telemetry/log.js';
import type { ApiKeys } from './auth.js';
import { toParticipantInfo, toRoom, toTrackInfo } from './livekit-json.js';

export interface WebhooksParts {
  readonly urls: readonly string[];
  /** What they are signed with now: the one called `key`, else the first. */
  readonly keys: () => ApiKeys;
  readonly key?: string | undefined;
  readonly log: Log;
  /** Runs `fn` once, `ms` from now; the result calls it off. */
  readonly after: (ms: number, fn: () => void) => () => void;
  readonly post?: typeof fetch;
  readonly random?: () => number;
}

/** As LiveKit calls them. */
type WebhookName =
  | 'room_started'
  | 'room_finished'
  | 'participant_joined'
  | 'participant_left'
  | 'track_published'
  | 'track_unpublished';

/** Events that wait for one address. Policy: dropOldest, those of tracks first, which one participant alone can make any number of. */
const MOST_WAITING = 1024;
const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 500;
const ANSWER_MS = 5000;
/** How long those that are left may take when the edge closes. */
const CLOSE_MS = 1000;
const TOKEN_SECONDS = 300;

/**
 * Tells the app's server what happens in rooms, as LiveKit does: signed JSON that `WebhookReceiver` of
 * `livekit-server-sdk` verifies. To each address in order, one at a time, and nothing waits for it.
 */
export class Webhooks {
  readonly #mailboxes: readonly Mailbox[];

  constructor(parts: WebhooksParts) {
    this.#mailboxes = parts.urls.map((url) => new Mailbox(url, parts));
  }

  /** Whom a room tells of itself. */
  readonly watch = (room: WatchedRoom): RoomWatcher => ({
    opened: () => this.#notify('room_started', room),
    closed: () => this.#notify('room_finished', room),
    joined: (participant) => this.#notify('participant_joined', room, participant),
    left: (participant) => this.#notify('participant_left', room, participant),
    published: (participant, track) => this.#notify('track_published', room, participant, track),
    unpublished: (participant, track) => this.#notify('track_unpublished', room, participant, track),
  });

  /** Sends what is left, for a second at most. */
  async close(): Promise<void> {
    await Promise.all(this.#mailboxes.map((mailbox) => mailbox.close()));
  }

  #notify(event: WebhookName, { id, roster }: WatchedRoom, participant?: Participant, track?: ParticipantTrack): void {
    if (this.#mailboxes.length === 0) return;
    const body = JSON.stringify({
      event,
      id: `EV_${randomUUID()}`,
      createdAt: String(Math.floor(Date.now() / 1000)),
      room: toRoom({ id, participants: roster.participants }),
      ...(participant && { participant: toParticipantInfo(participant) }),
      ...(track && { track: toTrackInfo(track) }),
    });
    for (const mailbox of this.#mailboxes) mailbox.put({ body, ofTrack: track !== undefined });
  }
}

interface Letter {
  readonly body: string;
  readonly ofTrack: boolean;
}

class Mailbox {
  readonly #url: string;
  readonly #parts: WebhooksParts;
  readonly #waiting: Letter[] = [];
  readonly #abort = new AbortController();
  #sending: Promise<void> | undefined;
  #dropped = 0;

  constructor(url: string, parts: WebhooksParts) {
    this.#url = url;
    this.#parts = parts;
  }

  put(letter: Letter): void {
    if (this.#abort.signal.aborted) return;
    this.#waiting.push(letter);
    if (this.#waiting.length > MOST_WAITING) {
      this.#waiting.splice(
        Math.max(
          0,
          this.#waiting.findIndex(({ ofTrack }) => ofTrack),
        ),
        1,
      );
      if (this.#dropped++ === 0) this.#parts.log.warn({ url: this.#url }, 'webhooks are dropped: too many wait');
    }
    this.#sending ??= this.#send();
  }

  async close(): Promise<void> {
    const cancel = this.#parts.after(CLOSE_MS, () => this.#abort.abort());
    // Its pauses keep no process alive, and one whose last work this is would end in the middle of them.
    const alive = setInterval(() => undefined, CLOSE_MS);
    try {
      await this.#sending;
    } finally {
      clearInterval(alive);
      this.#abort.abort();
      cancel();
    }
  }

  async #send(): Promise<void> {
    for (let letter = this.#waiting.shift(); letter; letter = this.#waiting.shift()) {
      await this.#deliver(letter.body);
      if (this.#abort.signal.aborted) return;
    }
    this.#dropped = 0;
    this.#sending = undefined;
  }

  async #deliver(body: string): Promise<void> {
    const { log, random = Math.random } = this.#parts;
    for (let attempt = 1; !this.#abort.signal.aborted; attempt++) {
      const problem = await this.#attempt(body);
      if (problem === undefined) return;
      if (problem.final || attempt >= ATTEMPTS) {
        log.warn({ url: this.#url, problem: problem.text, attempts: attempt }, 'a webhook was not delivered');
        return;
      }
      await this.#pause((0.5 + random()) * FIRST_PAUSE_MS * 2 ** (attempt - 1));
    }
  }

  /** @returns what went wrong, and whether trying again is of no use */
  async #attempt(body: string): Promise<{ text: string; final: boolean } | undefined> {
    const { post = fetch } = this.#parts;
    try {
      const headers = { 'content-type': 'application/webhook+json', authorization: await this.#sign(body) };
      // What is signed is for this address.
      const redirect = 'manual';
      const { status, ok } = await within(ANSWER_MS, this.#abort.signal, async (signal) => {
        const answer = await post(this.#url, { method: 'POST', headers, body, redirect, signal });
        // Nobody reads on: left open, it would keep its connection.
        answer.body?.cancel().catch(() => undefined);
        return answer;
      });
      if (ok) return undefined;
      return { text: `status ${status}`, final: status < 500 && status !== 429 && status !== 408 };
    } catch (error) {
      return { text: error instanceof Error ? error.message : String(error), final: false };
    }
  }

  /** Each time anew: a token lives minutes, and keys change. */
  async #sign(body: string): Promise<string> {
    const keys = this.#parts.keys();
    const named = this.#parts.key;
    const key = named !== undefined && Object.hasOwn(keys, named) ? named : Object.keys(keys)[0];
    if (key === undefined) throw new TypeError('there is no API key to sign with');
    const token = new AccessToken(key, keys[key], { ttl: TOKEN_SECONDS });
    token.sha256 = createHash('sha256').update(body).digest('base64');
    return token.toJwt();
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#abort;
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#parts.after(ms, done);
      signal.addEventListener('abort', done);
    });
  }
}
