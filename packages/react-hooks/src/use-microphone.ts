import type { DeviceInfo, InputState, MicroturnError } from '@microturn/sdk';
import { useMemo } from 'react';
import { useSession } from './use-session.js';
import { useStateValue } from './use-state-value.js';

/** The actions never reject: what goes wrong is in `error`. */
export interface MicrophoneControls {
  readonly status: InputState['status'];
  readonly isEnabled: boolean;
  /** By the user; also before a call, which then begins muted. */
  readonly isMuted: boolean;
  /** Not by the user: by the system, the browser or a switch on the device. */
  readonly isSilenced: boolean;
  readonly isPending: boolean;
  readonly error: MicroturnError | undefined;
  readonly devices: readonly DeviceInfo[];
  readonly deviceId: string | undefined;
  readonly track: MediaStreamTrack | undefined;
  enable(this: void): Promise<void>;
  disable(this: void): Promise<void>;
  setMuted(this: void, muted: boolean): Promise<void>;
  toggleMuted(this: void): Promise<void>;
  select(this: void, deviceId: string): Promise<void>;
}

const off: InputState = { status: 'off', muted: false, devices: [] };

export function useMicrophone(): MicrophoneControls {
  const { microphone } = useSession();
  const { status, muted, error, devices, deviceId } = useStateValue(microphone.state, off);
  const track = useStateValue(microphone.track, undefined);
  const actions = useMemo(
    () => ({
      enable: () => microphone.enable().catch(() => undefined),
      disable: () => microphone.disable().catch(() => undefined),
      setMuted: (muted: boolean) => microphone.setMuted(muted).catch(() => undefined),
      toggleMuted: () => microphone.setMuted(!microphone.state.value.muted).catch(() => undefined),
      select: (id: string) => microphone.select(id).catch(() => undefined),
    }),
    [microphone],
  );
  return {
    status,
    isEnabled: status === 'live' || status === 'muted' || status === 'silenced',
    isMuted: muted,
    isSilenced: status === 'silenced',
    isPending: status === 'requesting',
    error,
    devices,
    deviceId,
    track,
    ...actions,
  };
}
