import { certificateFor } from '../https.js';
import type { EdgeConfig } from '../config.js';
import { certifies } from '../signaling/index.js';
import type { CheckResult } from './check-result.js';

/** Left when an administrator should think of the next one. */
const SOON_DAYS = 14;
const DAY_MS = 86_400_000;

/** Whether HTTPS has a certificate that browsers take, and for how long. */
export async function checkCertificate(config: EdgeConfig, now = new Date()): Promise<CheckResult> {
  const { https, media } = config;
  const certificate = await certificateFor(config);
  if (!certificate) return { status: 'ok', detail: 'HTTP; pages other than localhost need HTTPS for a microphone' };
  const until = certificate.notAfter.toISOString().slice(0, 10);
  if (https.cert === undefined)
    return { status: 'ok', detail: `of its own, until ${until}; a browser warns of it once for each address` };

  const leftDays = (certificate.notAfter.getTime() - now.getTime()) / DAY_MS;
  const renew = 'renew it, then send the edge SIGHUP';
  if (leftDays <= 0) return { status: 'fail', detail: `${https.cert} expired on ${until}`, fix: renew };
  if (leftDays < SOON_DAYS) return { status: 'warn', detail: `${https.cert} expires on ${until}`, fix: renew };
  const { announcedAddress: name } = media;
  if (name !== undefined && !certifies(certificate, name)) {
    return {
      status: 'warn',
      detail: `${https.cert} is not for ${name}, which callers are told for media`,
      fix: 'nothing, where pages reach the edge by another name; else get a certificate for this one',
    };
  }
  if (certificate.selfSigned)
    return { status: 'warn', detail: `${https.cert} is self-signed`, fix: 'a browser takes it only after a warning' };
  return { status: 'ok', detail: `${https.cert}, until ${until}` };
}
