import { useConnection, useSay } from '@microturn/react';
import type { MicroturnError } from '@microturn/sdk';
import { useEffect, useId, useState, type FormEvent } from 'react';

/** Makes the agent say a text: what an app can do at any time. */
export function SayBox({ onProblem }: { readonly onProblem: (error: MicroturnError) => void }) {
  const { isConnected } = useConnection();
  const { say, isPending, error } = useSay();
  const [text, setText] = useState('');
  const id = useId();

  useEffect(() => {
    if (error) onProblem(error);
  }, [error, onProblem]);

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    const line = text.trim();
    if (line === '' || isPending) return;
    // What is typed meanwhile stays.
    if (await say(line)) setText((now) => (now === text ? '' : now));
  }

  return (
    <form className="say-box" onSubmit={(event) => void onSubmit(event)}>
      <label htmlFor={id}>Make it say</label>
      <input
        id={id}
        value={text}
        maxLength={4096}
        autoComplete="off"
        // Never disabled: without the focus, what is typed while it reconnects would be taken for shortcuts.
        onChange={({ target }) => setText(target.value)}
      />
      <button
        type="submit"
        className="secondary"
        // Not `disabled`: it does this to itself, and would lose the keyboard's focus.
        aria-disabled={!isConnected || isPending || text.trim() === ''}
      >
        {isPending ? 'Sending…' : 'Say'}
      </button>
    </form>
  );
}
