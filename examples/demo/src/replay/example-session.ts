import { createSession, type InteractionSession } from '@microturn/sdk';
import { scriptedTransport } from '@microturn/sdk/testing';
import { Subject, type Observable } from 'rxjs';
import { recording } from './recording.js';

/** The page stays a moment on the last word. */
const AFTER_MS = 1500;

export interface Example {
  readonly session: InteractionSession;
  /** How loud the caller of the recording was. */
  readonly level$: Observable<number>;
}

/** A session whose other end is a recording. It plays from the start with every `connect()`, and hangs up at the end. */
export function createExample(): Example {
  const { model, participant, microTurnMs, durationMs, events, levels } = recording;
  const transport = scriptedTransport({ join: { model, participant, microTurnMs } });
  const session = createSession({ token: 'example', url: location.origin, microphone: false, transport });
  const level$ = new Subject<number>();
  let stop: (() => void) | undefined;
  session.connection.subscribe(({ status }) => {
    stop?.();
    stop = status === 'connected' ? play() : undefined;
  });
  return { session, level$ };

  function play(): () => void {
    const startedMs = performance.now();
    const timers: ReturnType<typeof setTimeout>[] = [];
    const schedule = (at: number, fn: () => void) => timers.push(setTimeout(fn, at - (performance.now() - startedMs)));
    for (const { at, ...body } of events) schedule(at, () => transport.emit(body, at));
    for (const [turn, rms] of levels) schedule((turn + 0.5) * microTurnMs, () => level$.next(rms));
    schedule(durationMs + AFTER_MS, () => void session.disconnect());
    return () => {
      for (const timer of timers) clearTimeout(timer);
    };
  }
}
