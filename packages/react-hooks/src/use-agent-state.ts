import type { AgentState } from '@microturn/sdk';
import { useMemo } from 'react';
import { useSession } from './use-session.js';
import { useReading } from './use-state-value.js';

const idle: AgentState = { listening: false, speaking: false, thinking: false, overlapping: false };

/** What the agent does now; with a selector, renders only when what it picks has changed. */
export function useAgentState(): AgentState;
export function useAgentState<T>(selector: (state: AgentState) => T): T;
export function useAgentState<T>(selector?: (state: AgentState) => T): AgentState | T {
  const { agent } = useSession();
  const [read, readInitial] = useMemo(
    () => [selectFrom(() => agent.value, selector), selectFrom(() => idle, selector)],
    [agent, selector],
  );
  return useReading<AgentState | T>(agent, read, readInitial);
}

/** Selects anew only from another value, and keeps what it gave before where the new is equal to it. */
function selectFrom<S, T>(read: () => S, selector: ((value: S) => T) | undefined): () => S | T {
  if (!selector) return read;
  let last: { readonly from: S; readonly picked: T } | undefined;
  return () => {
    const from = read();
    if (!last || !Object.is(last.from, from)) {
      const picked = selector(from);
      last = { from, picked: last && isShallowEqual(last.picked, picked) ? last.picked : picked };
    }
    return last.picked;
  };
}

function isShallowEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  // Of a Set or a Date the keys tell nothing.
  const kind: unknown = Object.getPrototypeOf(a);
  if (kind !== Object.getPrototypeOf(b) || (kind !== Object.prototype && kind !== Array.prototype)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && Object.is(left[key], right[key]))
  );
}
