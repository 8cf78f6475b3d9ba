import type { InputState, MicroturnError, VideoDevice, VideoOptions } from '@microturn/sdk';
import { useMemo } from 'react';
import { useStateValue } from './use-state-value.js';

/** The actions never reject: what goes wrong is in `error`. */
export interface VideoControls {
  readonly status: InputState['status'];
  /** It is on, and others of the room see it unless it is muted. */
  readonly isEnabled: boolean;
  readonly isMuted: boolean;
  /** The user is being asked. */
  readonly isPending: boolean;
  readonly error: MicroturnError | undefined;
  readonly track: MediaStreamTrack | undefined;
  enable(this: void, options?: VideoOptions): Promise<void>;
  disable(this: void): Promise<void>;
  /** On where it is off, and off where it is on. */
  toggle(this: void): Promise<void>;
  setMuted(this: void, muted: boolean): Promise<void>;
}

export const off: InputState = { status: 'off', muted: false, devices: [] };
const isOn = ({ status }: InputState) => status === 'live' || status === 'muted' || status === 'silenced';

export function useVideoDevice(device: VideoDevice): VideoControls {
  const state = useStateValue(device.state, off);
  const track = useStateValue(device.track, undefined);
  const actions = useMemo(
    () => ({
      enable: (options?: VideoOptions) => device.enable(options).catch(() => undefined),
      disable: () => device.disable().catch(() => undefined),
      toggle: () => (isOn(device.state.value) ? device.disable() : device.enable()).catch(() => undefined),
      setMuted: (muted: boolean) => device.setMuted(muted).catch(() => undefined),
    }),
    [device],
  );
  const { status, muted, error } = state;
  return {
    status,
    isEnabled: isOn(state),
    isMuted: muted,
    isPending: status === 'requesting',
    error,
    track,
    ...actions,
  };
}
