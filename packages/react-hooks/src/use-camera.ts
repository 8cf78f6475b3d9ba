import type { DeviceInfo } from '@microturn/sdk';
import { useCallback } from 'react';
import { useSession } from './use-session.js';
import { useStateValue } from './use-state-value.js';
import { off, useVideoDevice, type VideoControls } from './use-video-device.js';

export interface CameraControls extends VideoControls {
  readonly devices: readonly DeviceInfo[];
  readonly deviceId: string | undefined;
  select(this: void, deviceId: string): Promise<void>;
}

/** The user's camera, off until it is enabled. `<ParticipantVideo />` shows what it sends. */
export function useCamera(): CameraControls {
  const { camera } = useSession();
  const { devices, deviceId } = useStateValue(camera.state, off);
  const controls = useVideoDevice(camera);
  const select = useCallback((id: string) => camera.select(id).catch(() => undefined), [camera]);
  return { ...controls, devices, deviceId, select };
}
