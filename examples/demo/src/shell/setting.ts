import { useState } from 'react';

/** A choice of the user that outlives the page, where the browser lets it. */
export function useSetting<T extends string>(key: string, values: readonly T[], fallback: T): [T, (value: T) => void] {
  const [value, setValue] = useState(() => {
    const stored = read(key);
    return values.find((candidate) => candidate === stored) ?? fallback;
  });
  return [
    value,
    (next) => {
      setValue(next);
      write(key, next);
    },
  ];
}

// Storage throws where the browser forbids it; the page works without.
function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Nothing to do: it holds for this visit.
  }
}
