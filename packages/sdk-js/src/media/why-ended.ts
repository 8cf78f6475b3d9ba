import { MicroturnError } from '@microturn/protocol';
import type { MediaPlatform } from './platform.js';

/** Why a device ended that nobody here had stopped: it went away, or the user has taken back that it may be used. */
export async function whyEnded(
  media: MediaPlatform,
  source: 'microphone' | 'camera',
  deviceId: string | undefined,
): Promise<MicroturnError> {
  const permission = await media.permission(source);
  // Some browsers forget what was allowed for once as soon as nothing is open: then it is taken back if the device is still there.
  if (permission === 'denied' || (permission === 'prompt' && !(await isGone(media, source, deviceId)))) {
    return new MicroturnError(
      'media/permission',
      `the ${source} is not allowed any more; allow it again, then turn it on`,
    );
  }
  return new MicroturnError('media/not-found', `the ${source} went away`);
}

/** Without the permission, a browser tells of the devices that there are, and not which: then nobody knows. */
async function isGone(media: MediaPlatform, source: 'microphone' | 'camera', deviceId: string | undefined) {
  const kind = source === 'camera' ? 'videoinput' : 'audioinput';
  const all =
    (await media
      .devices()
      ?.enumerateDevices()
      .catch(() => [])) ?? [];
  return all.filter((device) => device.kind === kind).every(({ deviceId: id }) => id !== '' && id !== deviceId);
}
