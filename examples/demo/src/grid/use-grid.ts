import { useSession } from '@microturn/react';
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { newGrid, type Grid } from './grid.js';
import { GridStore } from './grid-store.js';

const empty = newGrid();

/** Renders once per micro-turn while the call is up, and not otherwise. */
export function useGrid(): Grid {
  const session = useSession();
  const store = useMemo(() => new GridStore(session), [session]);
  useEffect(() => store.open(), [store]);
  return useSyncExternalStore(store.subscribe, store.snapshot, () => empty);
}
