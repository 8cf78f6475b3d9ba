// Whether the edge in this container lets callers in. Its certificate is not what is asked about.
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';

const { MICROTURN_PORT = '7880', MICROTURN_HTTPS, MICROTURN_CERT } = process.env;
const secure = MICROTURN_CERT || /^(1|true|yes)$/.test(MICROTURN_HTTPS ?? '');
const url = `${secure ? 'https' : 'http'}://127.0.0.1:${MICROTURN_PORT}/readyz`;
const options = { timeout: 2000, ...(secure && { rejectUnauthorized: false }) };
(secure ? getHttps : getHttp)(url, options, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))
  .on('timeout', () => process.exit(1))
  .on('error', () => process.exit(1));
