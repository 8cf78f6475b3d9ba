import { Observable } from 'rxjs';
import type { DeviceInfo } from './devices.js';
import type { MediaPlatform } from './platform.js';

/** The devices of one kind, now and whenever one comes or goes; none where the page is not secure. */
export function devicesOf(media: MediaPlatform, kind: MediaDeviceKind): Observable<readonly DeviceInfo[]> {
  return new Observable((subscriber) => {
    const devices = media.devices();
    const list = async () => {
      const all = (await devices?.enumerateDevices().catch(() => [])) ?? [];
      const ofKind = all.filter((device) => device.kind === kind);
      subscriber.next(ofKind.map(({ deviceId, label }) => ({ deviceId, label })));
    };
    devices?.addEventListener('devicechange', list);
    void list();
    return () => devices?.removeEventListener('devicechange', list);
  });
}
