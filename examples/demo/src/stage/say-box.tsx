import { useConnection, useSession } from '@microturn/react';
import { MicroturnError } from '@microturn/sdk';
import { useId, useState, type FormEvent } from 'react';

/** Makes the agent say a text: what an app can do at any time. */
export function SayBox({ onProblem }: { readonly onProblem: (error: MicroturnError) => void }) {
  const session = useSession();
  const { isConnected } = useConnection();
  const [text, setText] = useState('');
  const id = useId();

  function onSubmit(event: FormEvent) {
    event.preventDefault();
    const line = text.trim();
    if (line === '') return;
    session.say(line).then(
      () => setText(''),
      (error: unknown) => onProblem(MicroturnError.from(error, 'edge/internal')),
    );
  }

  return (
    <form className="say-box" onSubmit={onSubmit}>
      <label htmlFor={id}>Make it say</label>
      <input
        id={id}
        value={text}
        maxLength={4096}
        autoComplete="off"
        onChange={({ target }) => setText(target.value)}
        disabled={!isConnected}
      />
      <button type="submit" className="secondary" disabled={!isConnected || text.trim() === ''}>
        Say
      </button>
    </form>
  );
}
