import { useSession } from '@microturn/react';
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { filter, type Observable } from 'rxjs';
import { newGrid, type Grid } from './grid.js';
import { GridStore } from './grid-store.js';

const empty = newGrid();

/** Renders once per micro-turn while the call is up, and not otherwise. Without `level$`, the microphone is measured. */
export function useGrid(level$?: Observable<number>): Grid {
  const session = useSession();
  const store = useMemo(() => {
    const { microphone } = session;
    const sent$ = microphone.level$.pipe(filter(() => microphone.state.value.status === 'live'));
    return new GridStore(session, level$ ?? sent$);
  }, [session, level$]);
  useEffect(() => store.open(), [store]);
  return useSyncExternalStore(store.subscribe, store.snapshot, () => empty);
}
