import type { ApiKeys } from './auth.js';

/** The API keys that tokens are verified with: several at once, and others later, while the edge runs. */
export class KeyRing {
  #current: ApiKeys;

  constructor(keys: ApiKeys) {
    this.#current = keys;
  }

  /** API key -> secret, as of now. */
  get current(): ApiKeys {
    return this.#current;
  }

  /** @returns the keys whose tokens are not good any more: they are gone, or have another secret */
  replace(keys: ApiKeys): ReadonlySet<string> {
    const before = this.#current;
    this.#current = keys;
    return new Set(Object.keys(before).filter((key) => !Object.hasOwn(keys, key) || keys[key] !== before[key]));
  }
}
