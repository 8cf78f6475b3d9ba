import { createSession, type InteractionSession } from '@microturn/sdk';
import { scriptedTransport } from '@microturn/sdk/testing';
import { EXAMPLE_MS, exampleEvents } from './example-events.js';

/** A session whose other end is a script. It plays from the start with every `connect()`, and hangs up at the end. */
export function createExampleSession(): InteractionSession {
  const transport = scriptedTransport({ join: { model: 'none: an example' } });
  const session = createSession({ token: 'example', url: location.origin, microphone: false, transport });
  let stop: (() => void) | undefined;
  session.connection.subscribe(({ status }) => {
    if (status === 'connected') {
      stop = play();
    } else {
      stop?.();
      stop = undefined;
    }
  });
  return session;

  function play(): () => void {
    const startedMs = performance.now();
    const timers = exampleEvents().map(({ at, ...body }) =>
      setTimeout(() => transport.emit(body, at), at - (performance.now() - startedMs)),
    );
    timers.push(setTimeout(() => void session.disconnect(), EXAMPLE_MS));
    return () => {
      for (const timer of timers) clearTimeout(timer);
    };
  }
}
