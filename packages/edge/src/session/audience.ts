import type { SessionEventBody } from '@microturn/protocol';

/** What a response says of itself, for everybody whom it is said to. */
export type ResponseEvent = Extract<SessionEventBody, { type: `response.${string}` }>;

type TextEvent = Extract<ResponseEvent, { type: 'response.text' }>;

/** One of the room's sessions, as its audience knows it. */
export interface AudienceMember {
  /** Another member's response to the room has something to tell. */
  overhear(event: ResponseEvent): void;
  /** Another member took the floor, by voice or by their client: what this one has the agent say to the room ends. */
  overrule(by: 'user' | 'client'): void;
}

/** Responses to one room that are being made or wait for it; policy: reject. */
const MOST_WAITING = 64;

/** A response to the room that has not ended, and what whoever comes is told of it. It keeps no more than its session does. */
interface Live {
  readonly member: AudienceMember;
  readonly started: ResponseEvent;
  readonly texts: TextEvent[];
  /** The newest: it is of all that was heard. */
  heard: ResponseEvent | undefined;
  cut: boolean;
}

interface Turn {
  readonly member: AudienceMember;
  readonly responseId: string;
  /** What it has to say as soon as it may; undefined once it may. */
  waiting: (() => void)[] | undefined;
}

/**
 * The agent speaks to a room with one voice, and each of the room's sessions may have it say something. In the order in
 * which they began: the speech of one response is never cut in two by that of another member's. A member's own
 * responses follow each other as they would alone.
 */
export class RoomAudience {
  readonly #members = new Set<AudienceMember>();
  readonly #turns: Turn[] = [];
  /** Responses to the room that were begun and have not ended, oldest first. */
  readonly #live = new Map<string, Live>();

  join(member: AudienceMember): AudienceSeat {
    this.#members.add(member);
    return {
      speak: (responseId, say) => this.#speak(member, responseId, say),
      settle: (unfinished) => this.#remove((turn) => turn.member === member && !unfinished.has(turn.responseId)),
      share: (event) => {
        if (!this.#follow(member, event)) return;
        for (const other of this.#others(member)) other.overhear(event);
      },
      overrule: (by) => {
        for (const other of this.#others(member)) other.overrule(by);
      },
      overhears: () => this.#livesOfOthers(member).length > 0,
      overheard: () => this.#livesOfOthers(member).flatMap(toldOf),
      behind: () => this.#behind(member),
      leave: () => {
        this.#members.delete(member);
        for (const [id, one] of this.#live) if (one.member === member) this.#live.delete(id);
        this.#remove((turn) => turn.member === member);
      },
    };
  }

  #others(member: AudienceMember): AudienceMember[] {
    return [...this.#members].filter((other) => other !== member);
  }

  #livesOfOthers(member: AudienceMember): Live[] {
    return [...this.#live.values()].filter((one) => one.member !== member);
  }

  /** @returns whether it is of a response to the room, which the others are told of */
  #follow(member: AudienceMember, event: ResponseEvent): boolean {
    const { type, responseId } = event;
    if (type === 'response.started' && event.audience === 'room')
      this.#live.set(responseId, { member, started: event, texts: [], heard: undefined, cut: false });
    const live = this.#live.get(responseId);
    if (!live) return false;
    if (type === 'response.text') live.texts.push(event);
    else if (type === 'response.heard') live.heard = event;
    else if (type === 'response.cut') live.cut = true;
    else if (type === 'response.completed' || type === 'response.interrupted') this.#live.delete(responseId);
    return true;
  }

  #behind(member: AudienceMember): ReadonlySet<string> {
    const ids = [...this.#live.keys()];
    const first = ids.findIndex((id) => this.#live.get(id)!.member !== member);
    return new Set(first < 0 ? [] : ids.slice(first).filter((id) => this.#live.get(id)!.member === member));
  }

  #speak(member: AudienceMember, responseId: string, say: () => void): boolean {
    let turn = this.#turns.find((one) => one.responseId === responseId);
    if (!turn) {
      if (this.#turns.length >= MOST_WAITING) return false;
      turn = { member, responseId, waiting: [] };
      this.#turns.push(turn);
      this.#advance();
    }
    if (turn.waiting) turn.waiting.push(say);
    else say();
    return true;
  }

  #remove(over: (turn: Turn) => boolean): void {
    const left = this.#turns.filter((turn) => !over(turn));
    if (left.length === this.#turns.length) return;
    this.#turns.splice(0, this.#turns.length, ...left);
    this.#advance();
  }

  /** Whoever has only their own responses ahead may speak. */
  #advance(): void {
    for (const turn of this.#turns.slice()) {
      if (turn.member !== this.#turns[0]?.member) return;
      const { waiting } = turn;
      turn.waiting = undefined;
      for (const say of waiting ?? []) say();
    }
  }
}

/** Its words from the first: what was heard of it is told from there. One that was cut is silent, and its end is all that follows. */
function toldOf({ started, texts, heard, cut }: Live): ResponseEvent[] {
  if (cut) return [];
  const [first] = texts;
  const words = texts.flatMap((one) => one.words);
  const text = first && { ...first, text: texts.map((one) => one.text).join(' '), words };
  return [started, ...(text ? [text] : []), ...(heard ? [heard] : [])];
}

/** A session's place in the audience of its room. */
export interface AudienceSeat {
  /** Runs `say` when the room's voice is this response's: at once, or later, in order. False where too much waits. */
  speak(responseId: string, say: () => void): boolean;
  /** All speech is made of this member's responses but `unfinished`: the next may begin. What still waited is dropped. */
  settle(unfinished: ReadonlySet<string>): void;
  /** Tells the other members, where it is of a response to the room. */
  share(event: ResponseEvent): void;
  /** Ends what the other members have the agent say to the room. */
  overrule(by: 'user' | 'client'): void;
  /** There are responses to the room that are other members' and have not ended. */
  overhears(): boolean;
  /** How those of them began that were not cut, and what was said and heard of each so far, oldest first. */
  overheard(): readonly ResponseEvent[];
  /** This member's responses to the room before which another's was begun: that one is said first. */
  behind(): ReadonlySet<string>;
  /** Leaving twice is harmless. */
  leave(): void;
}
