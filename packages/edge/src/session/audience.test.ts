import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { RoomAudience, type AudienceMember, type AudienceSeat, type ResponseEvent } from './audience.js';

const started = (responseId: string): ResponseEvent => ({
  type: 'response.started',
  responseId,
  kind: 'reply',
  audience: 'room',
});

let audience: RoomAudience;
let said: string[];
beforeEach(() => {
  audience = new RoomAudience();
  said = [];
});

class Member implements AudienceMember {
  readonly overheard: string[] = [];
  readonly overruledBy: string[] = [];
  readonly seat: AudienceSeat;
  readonly #unfinished = new Set<string>();
  constructor() {
    this.seat = audience.join(this);
  }
  overhear(event: ResponseEvent): void {
    this.overheard.push(event.responseId);
  }
  overrule(by: 'user' | 'client'): void {
    this.overruledBy.push(by);
  }
  say(responseId: string, word: string): boolean {
    this.#unfinished.add(responseId);
    return this.seat.speak(responseId, () => said.push(`${responseId} ${word}`));
  }
  finish(responseId: string): void {
    this.#unfinished.delete(responseId);
    this.seat.settle(this.#unfinished);
  }
}

describe('the audience of a room', () => {
  it('hears the earlier of two that begin together, and the other after it', () => {
    const [ann, bob] = [new Member(), new Member()];
    ann.say('a', 'one');
    bob.say('b', 'uno');
    ann.say('a', 'two');
    bob.say('b', 'due');
    expect(said).toEqual(['a one', 'a two']);
    ann.finish('a');
    expect(said).toEqual(['a one', 'a two', 'b uno', 'b due']);
    bob.say('b', 'tre');
    expect(said.at(-1)).toBe('b tre');
  });

  it('lets a member’s own responses follow each other, but not past one that waits', () => {
    const [ann, bob] = [new Member(), new Member()];
    ann.say('a1', 'x');
    ann.say('a2', 'x');
    expect(said).toEqual(['a1 x', 'a2 x']);
    bob.say('b', 'x');
    ann.say('a3', 'x');
    ann.finish('a1');
    ann.finish('a2');
    expect(said.slice(2)).toEqual(['b x']);
    bob.finish('b');
    expect(said.slice(3)).toEqual(['a3 x']);
  });

  it('never hears what was given up while it waited, or whose member left', () => {
    const [ann, bob, cyd] = [new Member(), new Member(), new Member()];
    ann.say('a', 'x');
    bob.say('b', 'x');
    cyd.say('c', 'x');
    bob.finish('b');
    ann.seat.leave();
    expect(said).toEqual(['a x', 'c x']);
  });

  it('keeps at most 64 responses waiting', () => {
    const [ann, bob] = [new Member(), new Member()];
    ann.say('a', 'x');
    for (let i = 1; i < 64; i++) expect(bob.say(`b${i}`, 'x')).toBe(true);
    expect(bob.say('b64', 'x')).toBe(false);
    ann.finish('a');
    expect(said).toHaveLength(64);
  });

  it('tells the others, and those who are still there', () => {
    const [ann, bob, cyd] = [new Member(), new Member(), new Member()];
    cyd.seat.leave();
    ann.seat.share(started('a'));
    bob.seat.overrule('user');
    expect([ann, bob, cyd].map(({ overheard }) => overheard)).toEqual([[], ['a'], []]);
    expect([ann, bob, cyd].map(({ overruledBy }) => overruledBy)).toEqual([['user'], [], []]);
  });

  describe('what is being said to it', () => {
    const ended = (responseId: string): ResponseEvent => ({ type: 'response.completed', responseId, heardMs: 1 });
    const ids = ({ seat }: Member) => seat.overheard().map(({ responseId }) => responseId);

    it('is known to whoever joins, until it has ended or its member has left', () => {
      const ann = new Member();
      for (const id of ['a1', 'a2']) ann.seat.share(started(id));
      const [bob, cyd] = [new Member(), new Member()];
      bob.seat.share(started('b'));
      expect([ids(ann), ids(bob), ids(cyd)]).toEqual([['b'], ['a1', 'a2'], ['a1', 'a2', 'b']]);
      ann.seat.share(ended('a1'));
      expect(ids(cyd)).toEqual(['a2', 'b']);
      ann.seat.leave();
      expect(ids(cyd)).toEqual(['b']);
    });

    it('is told from its first word, as it was heard last, and no longer once it is cut', () => {
      const [ann, bob] = [new Member(), new Member()];
      const word = (text: string) => ({ text, startMs: 0, endMs: 1 });
      const text = (said: string): ResponseEvent => ({
        type: 'response.text',
        responseId: 'a',
        text: said,
        words: said.split(' ').map(word),
      });
      const heard = (heardText: string): ResponseEvent => ({
        type: 'response.heard',
        responseId: 'a',
        heardMs: 1,
        heardText,
      });
      for (const event of [started('a'), text('Good morning,'), heard('Good'), text('Ann.'), heard('Good morning,')])
        ann.seat.share(event);
      expect(bob.seat.overheard()).toEqual([started('a'), text('Good morning, Ann.'), heard('Good morning,')]);
      ann.seat.share({ type: 'response.cut', responseId: 'a' });
      expect([bob.seat.overheard(), bob.seat.overhears()]).toEqual([[], true]);
      ann.seat.share(ended('a'));
      expect(bob.seat.overhears()).toBe(false);
    });

    it('is what was begun for everybody, and nothing else', () => {
      const [ann, bob] = [new Member(), new Member()];
      ann.seat.share({ type: 'response.started', responseId: 'a', kind: 'reply', audience: { participant: 'ann' } });
      ann.seat.share(ended('a'));
      expect([ids(bob), bob.overheard]).toEqual([[], []]);
    });

    it('comes after what another’s response was begun before', () => {
      const [ann, bob] = [new Member(), new Member()];
      bob.seat.share(started('b0'));
      ann.seat.share(started('a'));
      for (const id of ['b1', 'b2']) bob.seat.share(started(id));
      const behind = () => [ann, bob].map(({ seat }) => [...seat.behind()]);
      expect(behind()).toEqual([['a'], ['b1', 'b2']]);
      bob.seat.share(ended('b0'));
      expect(behind()).toEqual([[], ['b1', 'b2']]);
      ann.seat.share(ended('a'));
      expect(behind()).toEqual([[], []]);
    });
  });

  it('whatever happens, hears each response in its order, and between its words no other member’s', () => {
    const step = fc.record({ who: fc.nat(2), what: fc.constantFrom('say', 'say', 'finish'), response: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        audience = new RoomAudience();
        said = [];
        const members = [new Member(), new Member(), new Member()];
        const lives = new Map<string, { words: number; over: boolean }>();
        for (const { who, what, response } of steps) {
          const id = `${who}-${response}`;
          const life = lives.get(id) ?? { words: 0, over: false };
          if (life.over) continue;
          lives.set(id, life);
          if (what === 'say') members[who]!.say(id, String(life.words++));
          else {
            life.over = true;
            members[who]!.finish(id);
          }
        }
        for (const id of lives.keys()) members[Number(id[0])]!.finish(id);
        const owners = said.map((line) => line[0]);
        // Between two words of a response nobody but its own member is heard.
        for (const [first, last] of [...lives.keys()].map((id) => [
          said.findIndex((line) => line.startsWith(id)),
          said.findLastIndex((line) => line.startsWith(id)),
        ])) {
          if (first! >= 0) expect(new Set(owners.slice(first, last! + 1)).size).toBe(1);
        }
        for (const id of lives.keys()) {
          const words = said.filter((line) => line.startsWith(id)).map((line) => Number(line.split(' ')[1]));
          expect(words).toEqual(words.map((_, i) => i));
        }
      }),
      { seed: 1 },
    );
  });
});
