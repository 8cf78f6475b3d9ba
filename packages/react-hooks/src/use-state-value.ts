import type { State } from '@microturn/sdk';
import { useCallback, useSyncExternalStore } from 'react';

/** Reads any `State` of a session. `initial` is what the server renders, and the first render after it. */
export function useStateValue<T>(state: State<T>, initial: T): T {
  return useReading(
    state,
    () => state.value,
    () => initial,
  );
}

/** Renders when what `read` gives has changed, and asks again whenever `state` has. */
export function useReading<T>(state: State<unknown>, read: () => T, readInitial: () => T): T {
  const subscribe = useCallback(
    (onChange: () => void) => {
      const subscription = state.subscribe(onChange);
      return () => subscription.unsubscribe();
    },
    [state],
  );
  return useSyncExternalStore(subscribe, read, readInitial);
}
