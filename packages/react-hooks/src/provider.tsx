import { createSession, type InteractionSession, type SessionOptions } from '@microturn/sdk';
import { createContext, useEffect, useState, type ReactNode } from 'react';

export const SessionContext = createContext<InteractionSession | undefined>(undefined);

export type SessionProviderProps = {
  readonly children?: ReactNode;
  /**
   * Connects on mount. Leave it out where a click should: browsers play no sound before one. A `session` that is closed already is left
   * as it is: `closed`, without an error.
   */
  readonly connect?: boolean;
} & (
  | {
      /** A session that the app owns, and closes. */
      readonly session: InteractionSession;
      readonly options?: undefined;
    }
  | {
      /** Makes a session on mount, and closes it after unmount. Read once: give the provider a new `key` to change them. */
      readonly options: SessionOptions;
      readonly session?: undefined;
    }
);

/**
 * Gives the hooks below it their session.
 * @throws {TypeError} where it has neither `options` nor a `session`, or both
 */
export function SessionProvider({ children, connect = false, session: given, options }: SessionProviderProps) {
  if (!given === !options) {
    const got = given ? 'both' : 'neither';
    throw new TypeError(`<SessionProvider>: expected \`options\` or a \`session\`, got ${got}`);
  }
  // A session opens nothing before it connects, so one that a StrictMode render throws away costs nothing.
  const [own, setOwn] = useState(() => (options ? createSession(options) : undefined));
  const session = given ?? own;

  useEffect(() => {
    if (!options || !own) return undefined;
    if (own.closed) {
      // Shown again after it was hidden (Activity, Fast Refresh): the old session went with the last unmount.
      setOwn(createSession(options));
      return undefined;
    }
    return hold(own);
    // oxlint-disable-next-line react/exhaustive-deps -- options are read once
  }, [own]);

  useEffect(() => {
    // What goes wrong is in `connection`.
    if (connect && session && !session.closed) session.connect().catch(() => undefined);
  }, [connect, session]);

  return <SessionContext.Provider value={session}>{children}</SessionContext.Provider>;
}

const holders = new WeakMap<InteractionSession, number>();

/** Counts who uses a session; the last one to leave closes it, a tick later, since StrictMode leaves and comes back. */
function hold(session: InteractionSession): () => void {
  holders.set(session, (holders.get(session) ?? 0) + 1);
  return () => {
    holders.set(session, (holders.get(session) ?? 1) - 1);
    setTimeout(() => {
      if (holders.get(session) === 0) session.close().catch(() => undefined);
    });
  };
}
