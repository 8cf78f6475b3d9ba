import { isIPv6 } from 'node:net';

/** Sockets of one address that have not joined yet: more than a large audience behind one router needs, less than a flood. */
const MOST_OF_ONE_ADDRESS = 256;
/** Of all addresses together: some 60 MB. */
const MOST = 16_384;

/** Sockets that are open and have not joined: bounded, so that nobody keeps others out with sockets that say nothing. */
export class WaitingRoom {
  readonly #mostOfOneAddress: number;
  readonly #most: number;
  readonly #waiting = new Map<string, number>();
  #size = 0;

  constructor({ mostOfOneAddress = MOST_OF_ONE_ADDRESS, most = MOST } = {}) {
    this.#mostOfOneAddress = mostOfOneAddress;
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** The way out, to be taken once it has joined or closed, and harmless twice; undefined where there is no room. */
  enter(address: string): (() => void) | undefined {
    const owner = ownerOf(address);
    const waiting = this.#waiting.get(owner) ?? 0;
    if (waiting >= this.#mostOfOneAddress || this.#size >= this.#most) return undefined;
    this.#waiting.set(owner, waiting + 1);
    this.#size++;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#size--;
      const others = this.#waiting.get(owner)! - 1;
      if (others > 0) this.#waiting.set(owner, others);
      else this.#waiting.delete(owner);
    };
  }
}

/** Whoever has an IPv6 address has all of its /64. */
function ownerOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail = ''] = address.split('::', 2);
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = address.includes('::')
    ? [...groups(head), ...Array.from({ length: missing }, () => '0'), ...groups(tail)]
    : groups(head);
  return all.slice(0, 4).join(':');
}
