import { Observable, type Subscriber } from 'rxjs';

/** A value that changes: read it at once with `.value`, or subscribe for it and for what follows. Never errors. */
export interface State<T> extends Observable<T> {
  readonly value: T;
}

/** The writing end of a `State`. Emits on subscription and when a value differs by `Object.is`; completes when closed. */
export class StateSource<T> extends Observable<T> implements State<T> {
  #value: T;
  #closed = false;
  readonly #subscribers = new Set<Subscriber<T>>();

  constructor(initial: T) {
    super((subscriber) => {
      // First among those who are told: it may change the value when it learns it.
      if (!this.#closed) this.#subscribers.add(subscriber);
      subscriber.next(this.#value);
      if (this.#closed) subscriber.complete();
      return () => this.#subscribers.delete(subscriber);
    });
    this.#value = initial;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (this.#closed || Object.is(value, this.#value)) return;
    this.#value = value;
    // A copy, since subscribers come and go while they are told; one that sets again has told them all.
    for (const subscriber of Array.from(this.#subscribers)) {
      if (!Object.is(value, this.#value)) return;
      subscriber.next(value);
    }
  }

  /** Keeps the last value readable. Closing twice is harmless. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const subscriber of this.#subscribers) subscriber.complete();
    this.#subscribers.clear();
  }
}

/** What `read` makes of other states; it completes when they all have. */
export class DerivedState<T> extends Observable<T> implements State<T> {
  readonly #read: () => T;

  constructor(read: () => T, sources: readonly State<unknown>[]) {
    super((subscriber) => {
      let last: { readonly value: T } | undefined;
      let open = sources.length;
      const next = () => {
        const value = read();
        if (last && Object.is(value, last.value)) return;
        last = { value };
        subscriber.next(value);
      };
      const complete = () => {
        if (--open === 0) subscriber.complete();
      };
      for (const source of sources) subscriber.add(source.subscribe({ next, complete }));
    });
    this.#read = read;
  }

  get value(): T {
    return this.#read();
  }
}
