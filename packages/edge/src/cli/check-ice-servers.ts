import type { EdgeConfig } from '../config.js';
import { iceServersFor } from '../signaling/index.js';
import type { CheckResult } from './check-result.js';
import { probeIceServer } from './turn-probe.js';

/** Whether the STUN servers answer and the TURN servers would relay for a caller. */
export async function checkIceServers({ media }: EdgeConfig): Promise<CheckResult> {
  const servers = iceServersFor(media.iceServers, 'doctor').flatMap(({ urls, username, credential }) =>
    [urls].flat().map((url) => ({
      url,
      credentials: username !== undefined && credential !== undefined ? { username, credential } : undefined,
    })),
  );
  if (servers.length === 0)
    return { status: 'ok', detail: 'none; callers reach the media port directly, over UDP or TCP' };
  const outcomes = await Promise.all(
    servers.map(async ({ url, credentials }) => {
      try {
        return { url, ok: true, text: await probeIceServer(url, credentials) };
      } catch (error) {
        return { url, ok: false, text: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
  const detail = outcomes.map(({ url, text }) => `${url} ${text}`).join('; ');
  if (outcomes.every(({ ok }) => ok)) return { status: 'ok', detail };
  return {
    status: 'fail',
    detail,
    fix: 'start the server, open its ports, and compare its secret and clock with `media.iceServers`',
  };
}
