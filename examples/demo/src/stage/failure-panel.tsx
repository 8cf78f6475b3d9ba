import type { MicroturnError } from '@microturn/sdk';
import { toSentence } from '../shell/format.js';
import { hrefOf } from '../shell/mode.js';
import { Prose } from '../shell/prose.js';
import { canListen } from './failure.js';

/** What went wrong, and what to do about it. */
export function FailurePanel({ error }: { readonly error: MicroturnError }) {
  return (
    <div className="failure" role="alert">
      <p>{toSentence(error.message)}</p>
      <p className="fix">
        <b>What to do: </b>
        <Prose>{`${error.hint}.`}</Prose>
      </p>
      <p className="failure-foot">
        <code>{error.code}</code>
        {canListen(error.code) && <a href={hrefOf('listen')}>Join without a microphone</a>}
      </p>
    </div>
  );
}

/** Said before anybody presses the button: without a secure page there is no microphone to ask for. */
export function InsecurePanel() {
  return (
    <div className="failure" role="note">
      <p>This page was not opened over a secure connection, so the browser gives it no microphone.</p>
      <p className="fix">
        <b>What to do: </b>
        open it over <code>https</code>, or on <code>localhost</code> on the machine that runs the edge.
      </p>
      <p className="failure-foot">
        <a href={hrefOf('listen')}>Join without a microphone</a>
      </p>
    </div>
  );
}
