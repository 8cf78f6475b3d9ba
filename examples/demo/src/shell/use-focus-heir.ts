import { useCallback, useRef, type RefCallback, type RefObject } from 'react';

/**
 * Keeps the keyboard's place where what has its focus goes away: else it is nowhere, and a screen reader begins at the top.
 * @returns refs: of what stays and takes the focus over, with `tabIndex={-1}`; and of what may go
 */
export function useFocusHeir<T extends HTMLElement>(): [RefObject<T | null>, RefCallback<HTMLElement>] {
  const heir = useRef<T>(null);
  const mayGo = useCallback((node: HTMLElement | null) => {
    // It is still on the page then.
    return () => {
      if (node?.contains(document.activeElement)) heir.current?.focus();
    };
  }, []);
  return [heir, mayGo];
}
