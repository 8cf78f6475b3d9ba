import type { InteractionSession } from '@microturn/sdk';
import { Subscription, type Observable } from 'rxjs';
import { advanceTo, loseLine, newGrid, noteLevel, recordEvent, type Grid } from './grid.js';

/**
 * The grid of a session, as React reads it: events and levels are taken in as they come, and told once per micro-turn.
 * `open` starts it and returns what ends it.
 */
export class GridStore {
  readonly #session: InteractionSession;
  readonly #level$: Observable<number>;
  readonly #listeners = new Set<() => void>();
  #grid: Grid = newGrid();
  #shown: Grid = this.#grid;

  /** `level$`: RMS of what is sent, several times per micro-turn. */
  constructor(session: InteractionSession, level$: Observable<number>) {
    this.#session = session;
    this.#level$ = level$;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): Grid => this.#shown;

  open(): () => void {
    const { events, connection } = this.#session;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let levels: Subscription | undefined;

    const tick = () => {
      this.#grid = advanceTo(this.#grid, this.#session.nowMs);
      this.#show();
      const { microTurnMs } = this.#grid;
      timer = setTimeout(tick, microTurnMs - (this.#session.nowMs % microTurnMs));
    };
    const start = () => {
      if (timer !== undefined) return;
      levels = this.#level$.subscribe((rms) => {
        this.#grid = noteLevel(this.#grid, rms, this.#session.nowMs);
      });
      tick();
    };
    const stop = () => {
      clearTimeout(timer);
      timer = undefined;
      levels?.unsubscribe();
      this.#show();
    };

    const subscription = new Subscription(stop);
    subscription.add(
      events.subscribe((event) => {
        this.#grid = recordEvent(this.#grid, event);
        if (timer === undefined) this.#show();
      }),
    );
    subscription.add(
      connection.subscribe(({ status }) => {
        if (status === 'reconnecting') this.#grid = loseLine(this.#grid, this.#session.nowMs);
        if (status === 'connected' || status === 'reconnecting') start();
        else stop();
      }),
    );
    return () => subscription.unsubscribe();
  }

  #show(): void {
    if (this.#shown === this.#grid) return;
    this.#shown = this.#grid;
    for (const listener of this.#listeners) listener();
  }
}
