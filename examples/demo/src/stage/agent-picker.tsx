import { useConnection } from '@microturn/react';
import { useEffect, useId, useState } from 'react';
import { readRecipes } from './recipes.js';

export interface AgentChoice {
  /** What the edge offers, the one first that a call gets where it asks for none. */
  readonly names: readonly string[];
  readonly chosen: string | undefined;
  readonly choose: (name: string) => void;
}

/** Who the next call talks with. Without `isOffered` the edge is not asked. */
export function useAgentChoice(isOffered: boolean): AgentChoice {
  const [names, setNames] = useState<readonly string[]>([]);
  const [chosen, choose] = useState<string>();
  useEffect(() => {
    if (!isOffered) return undefined;
    const abort = new AbortController();
    readRecipes(new URL('v1/recipes', document.baseURI), abort.signal).then(setNames, () => undefined);
    return () => abort.abort();
  }, [isOffered]);
  return { names, chosen, choose };
}

/** Nano alone, or one of the recipes of the edge. A call keeps whom it began with. */
export function AgentPicker({ names, chosen, choose }: AgentChoice) {
  const id = useId();
  const { status } = useConnection();
  if (names.length < 2) return null;
  const isFree = status === 'idle' || status === 'closed' || status === 'failed';
  return (
    <p className="device">
      <label htmlFor={id}>Talk with</label>
      <select id={id} value={chosen ?? names[0]} onChange={({ target }) => choose(target.value)} disabled={!isFree}>
        {names.map((name) => (
          <option key={name} value={name}>
            {name === 'nano' ? 'Nano alone' : name}
          </option>
        ))}
      </select>
    </p>
  );
}
