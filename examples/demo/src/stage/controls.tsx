import { useAgentState, useConnection, useMicrophone, useSession, useSpeaker } from '@microturn/react';
import { MicroturnError } from '@microturn/sdk';
import { LONG_TEXT } from '../content/suggestions.js';
import { hrefOf, type Mode } from '../shell/mode.js';
import { useShortcuts } from '../shell/use-shortcuts.js';
import { LevelMeter } from './level-meter.js';

export interface ControlsProps {
  readonly mode: Mode;
  /** Whether single keys do what the buttons do. */
  readonly keys: boolean;
  readonly onProblem: (error: MicroturnError) => void;
}

/** One button to start; in the call: end, mute, stop it, and something long to interrupt. */
export function Controls({ mode, keys, onProblem }: ControlsProps) {
  const session = useSession();
  const { status, isPending, isConnected, isReconnecting, connect, disconnect } = useConnection();
  const microphone = useMicrophone();
  const speaking = useAgentState(isSpeaking);
  const isUp = isConnected || isReconnecting;
  const leaves = isUp || isPending || status === 'closing';
  const canAct = isUp && mode !== 'example';

  const report = (error: unknown) => onProblem(MicroturnError.from(error, 'edge/internal'));
  const stopAgent = () => {
    if (canAct && speaking) session.interrupt().catch(report);
  };
  const saySomethingLong = () => {
    if (canAct && isConnected) session.say(LONG_TEXT).catch(report);
  };
  const toggleMuted = () => {
    if (canAct && microphone.isEnabled) void microphone.toggleMuted();
  };
  useShortcuts({ m: toggleMuted, s: stopAgent, escape: stopAgent, l: saySomethingLong }, keys);

  return (
    <div className="buttons">
      {/* One button all along, so that it keeps the keyboard's focus. */}
      <button
        type="button"
        className={leaves ? 'primary end' : 'primary'}
        onClick={() => void (leaves ? disconnect() : connect())}
        disabled={status === 'closing'}
      >
        {leaves ? endLabel(mode, isPending) : startLabel(mode, status === 'failed')}
      </button>
      {canAct && mode === 'live' && (
        <button
          type="button"
          className="secondary"
          aria-pressed={microphone.isMuted}
          aria-keyshortcuts={keys ? 'M' : undefined}
          onClick={toggleMuted}
          disabled={!microphone.isEnabled}
        >
          <LevelMeter />
          Mute
          {keys && <Key>M</Key>}
        </button>
      )}
      {canAct && (
        <>
          <button
            type="button"
            className="secondary"
            aria-keyshortcuts={keys ? 'S Escape' : undefined}
            onClick={stopAgent}
            // Not `disabled`: it does this to itself, and would lose the keyboard's focus.
            aria-disabled={!speaking}
          >
            Stop it
            {keys && <Key>S</Key>}
          </button>
          <button
            type="button"
            className="secondary"
            aria-keyshortcuts={keys ? 'L' : undefined}
            onClick={saySomethingLong}
            disabled={!isConnected}
          >
            <span className="if-wide">Say something long</span>
            <span className="if-narrow">Something long</span>
            {keys && <Key>L</Key>}
          </button>
        </>
      )}
      {!leaves && mode !== 'example' && (
        <a className="mode-link" href={hrefOf('example')}>
          Watch a recorded example
        </a>
      )}
      {!isPending && mode === 'listen' && (
        <a className="mode-link" href={hrefOf('live')}>
          Use a microphone
        </a>
      )}
    </div>
  );
}

/** Where the browser refuses to play before the user acts. */
export function UnlockBar() {
  const { isBlocked, unlock } = useSpeaker();
  if (!isBlocked) return null;
  return (
    <p className="unlock" role="alert">
      <button type="button" className="secondary" onClick={() => void unlock()}>
        Turn on the sound
      </button>
      The browser plays nothing before you allow it.
    </p>
  );
}

const isSpeaking = ({ speaking }: { readonly speaking: boolean }) => speaking;

function Key({ children }: { readonly children: string }) {
  return <kbd aria-hidden="true">{children}</kbd>;
}

function startLabel(mode: Mode, failed: boolean): string {
  if (mode === 'example') return 'Play it again';
  if (failed) return 'Try again';
  return mode === 'listen' ? 'Join without a microphone' : 'Start talking';
}

function endLabel(mode: Mode, pending: boolean): string {
  if (pending) return 'Cancel';
  return mode === 'example' ? 'End the replay' : 'End';
}
