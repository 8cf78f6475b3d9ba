import { useConnection } from '@microturn/react';
import { useCallback, useEffect, useId, useRef, useState } from 'react';
import { readRecipes } from './recipes.js';

export interface AgentChoice {
  /** What the edge offers, the one first that a call gets where it asks for none. */
  readonly names: readonly string[];
  readonly chosen: string | undefined;
  readonly choose: (name: string) => void;
  /** Whether somebody has just chosen; once, for the page that their choice has made. */
  readonly takePicked: () => boolean;
}

/** Who the next call talks with. Without `isOffered` the edge is not asked. */
export function useAgentChoice(isOffered: boolean): AgentChoice {
  const [names, setNames] = useState<readonly string[]>([]);
  const [chosen, setChosen] = useState<string>();
  const picked = useRef(false);
  const choose = useCallback((name: string) => {
    picked.current = true;
    setChosen(name);
  }, []);
  const takePicked = useCallback(() => {
    const was = picked.current;
    picked.current = false;
    return was;
  }, []);
  useEffect(() => {
    if (!isOffered) return undefined;
    const abort = new AbortController();
    readRecipes(new URL('v1/recipes', document.baseURI), abort.signal).then(setNames, () => undefined);
    return () => abort.abort();
  }, [isOffered]);
  return { names, chosen, choose, takePicked };
}

/** Nano alone, or one of the recipes of the edge. A call keeps whom it began with. */
export function AgentPicker({ names, chosen, choose, takePicked }: AgentChoice) {
  const id = useId();
  const { status } = useConnection();
  const select = useRef<HTMLSelectElement>(null);
  // The keyboard stays where it was, and is not taken from elsewhere when the page is opened.
  useEffect(() => {
    if (takePicked()) select.current?.focus();
  }, [takePicked]);
  if (names.length < 2) return null;
  const isFree = status === 'idle' || status === 'closed' || status === 'failed';
  return (
    <p className="device">
      <label htmlFor={id}>Talk with</label>
      <select
        id={id}
        ref={select}
        value={chosen ?? names[0]}
        onChange={({ target }) => choose(target.value)}
        disabled={!isFree}
      >
        {names.map((name) => (
          <option key={name} value={name}>
            {name === 'nano' ? 'Nano alone' : name}
          </option>
        ))}
      </select>
    </p>
  );
}
