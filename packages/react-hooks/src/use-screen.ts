import { useSession } from './use-session.js';
import { useVideoDevice, type VideoControls } from './use-video-device.js';

/** The user's screen. Enable it in a click: the browser asks what to share, and has a bar of its own to end it with. */
export function useScreen(): VideoControls {
  return useVideoDevice(useSession().screen);
}
