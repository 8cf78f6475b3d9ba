import { MicroturnError } from '@microturn/protocol';

/**
 * The address of the signaling socket: `<base>/v1/connect`.
 * @throws {TypeError} where `base` is no http(s) or ws(s) URL
 */
export function signalingUrl(base: string): string {
  let url: URL;
  try {
    url = new URL(base);
  } catch (cause) {
    throw new TypeError(`expected an absolute http(s) or ws(s) URL of the edge, got ${JSON.stringify(base)}`, {
      cause,
    });
  }
  if (url.protocol === 'http:') url.protocol = 'ws:';
  else if (url.protocol === 'https:') url.protocol = 'wss:';
  else if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new TypeError(`expected an http(s) or ws(s) URL of the edge, got ${JSON.stringify(base)}`);
  }
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/connect`;
  url.search = '';
  url.hash = '';
  return url.href;
}

/**
 * The first of: the app's, the token source's, the page's own origin.
 * @throws {MicroturnError} `net/unreachable` where there is none, or none that is a URL
 */
export function chooseBase(...candidates: (string | undefined)[]): string {
  const origin = globalThis.location?.origin;
  const base = [...candidates, origin?.startsWith('http') ? origin : undefined].find(Boolean);
  if (!base) throw new MicroturnError('net/unreachable', 'no `url` was given, and the token source names none');
  try {
    signalingUrl(base);
  } catch (cause) {
    throw MicroturnError.from(cause, 'net/unreachable');
  }
  return base;
}
