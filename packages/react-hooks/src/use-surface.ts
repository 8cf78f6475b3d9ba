import type { Surfaces } from '@microturn/sdk';
import { useCallback } from 'react';
import { useSession } from './use-session.js';
import { useReading, useStateValue } from './use-state-value.js';

const none: Surfaces = new Map();
const nothing = () => undefined;

/**
 * What a surface shows; undefined while there is none of this id. What is in it is up to whoever patches it: `T` is believed,
 * not checked. Renders when this surface has changed; parts that did not change keep their identity, as memoized rows like it.
 */
export function useSurface<T = unknown>(id: string): T | undefined {
  const { surfaces } = useSession();
  const read = useCallback(() => surfaces.value.get(id) as T | undefined, [surfaces, id]);
  return useReading<T | undefined>(surfaces, read, nothing);
}

/** All that is shown, by id, in the order in which it began. */
export function useSurfaces(): Surfaces {
  return useStateValue(useSession().surfaces, none);
}
