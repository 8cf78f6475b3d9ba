import type { DeviceInfo, MicroturnError, OutputState } from '@microturn/sdk';
import { useMemo } from 'react';
import { useAction } from './use-action.js';
import { useSession } from './use-session.js';
import { useStateValue } from './use-state-value.js';

/** The actions never reject: what goes wrong is in `error`. */
export interface SpeakerControls {
  /** The browser refuses to play: offer a button that calls `unlock`. */
  readonly isBlocked: boolean;
  readonly isMuted: boolean;
  readonly volume: number;
  /** Whether the agent's voice is lowered as soon as the user begins to speak. */
  readonly ducking: boolean;
  /** It is lowered now. */
  readonly isDucked: boolean;
  /** Why the last `unlock` or `select` had no effect; the next begins without. */
  readonly error: MicroturnError | undefined;
  readonly devices: readonly DeviceInfo[];
  readonly deviceId: string | undefined;
  unlock(this: void): Promise<void>;
  setVolume(this: void, volume: number): void;
  setMuted(this: void, muted: boolean): void;
  setDucking(this: void, ducking: boolean): void;
  select(this: void, deviceId: string): Promise<void>;
}

const initial: OutputState = {
  blocked: false,
  volume: 1,
  muted: false,
  ducking: true,
  ducked: false,
  devices: [],
};

const take = (step: () => Promise<void>) => step();

export function useSpeaker(): SpeakerControls {
  const { speaker } = useSession();
  const { blocked, muted, volume, ducking, ducked, devices, deviceId } = useStateValue(speaker.state, initial);
  const [{ error }, act] = useAction(take);
  const actions = useMemo(
    () => ({
      unlock: () => act(() => speaker.unlock()),
      setVolume: (next: number) => speaker.setVolume(next),
      setMuted: (next: boolean) => speaker.setMuted(next),
      setDucking: (next: boolean) => speaker.setDucking(next),
      select: (id: string) => act(() => speaker.select(id)),
    }),
    [speaker, act],
  );
  return {
    isBlocked: blocked,
    isMuted: muted,
    volume,
    ducking,
    isDucked: ducked,
    error,
    devices,
    deviceId,
    ...actions,
  };
}
