import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certifies, ownCertificate, readCertificate } from './certificate.js';

const dir = mkdtempSync(join(tmpdir(), 'microturn-certificate-'));
afterAll(() => rmSync(dir, { recursive: true }));
const file = (name: string, text?: string) => {
  const path = join(dir, name);
  if (text !== undefined) writeFileSync(path, text);
  return path;
};

const DAY_MS = 86_400_000;
const names = ['localhost', '127.0.0.1', '::1', '192.0.2.7', 'kitchen.local'];

describe('the edge’s own certificate', () => {
  it('is for every name and address, and for nothing else', async () => {
    const certificate = await ownCertificate(join(dir, 'names'), names);
    for (const name of names) expect(certifies(certificate, name), name).toBe(true);
    for (const name of ['192.0.2.8', 'example.com']) expect(certifies(certificate, name), name).toBe(false);
    expect(certificate.selfSigned).toBe(true);
    expect(() => createSecureContext({ cert: certificate.cert, key: certificate.key })).not.toThrow();
  });

  it('is made once, for its user alone', async () => {
    const folder = join(dir, 'state');
    const first = await ownCertificate(folder, names);
    const again = await ownCertificate(folder, names.slice(1));
    expect(new X509Certificate(again.cert).fingerprint256).toBe(new X509Certificate(first.cert).fingerprint256);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'certificate.pem')).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['a name is missing in it', async (folder: string) => ownCertificate(folder, [...names, '198.51.100.3'])],
    [
      'it is about to expire',
      async (folder: string) => ownCertificate(folder, names, new Date(Date.now() + 370 * DAY_MS)),
    ],
    [
      'others could read its key',
      async (folder: string) => {
        chmodSync(join(folder, 'certificate.pem'), 0o644);
        return ownCertificate(folder, names);
      },
    ],
    [
      'what was kept is damaged',
      async (folder: string) => {
        writeFileSync(join(folder, 'certificate.pem'), 'no certificate', { mode: 0o600 });
        return ownCertificate(folder, names);
      },
    ],
  ])('is made anew where %s', async (_, next) => {
    const folder = mkdtempSync(join(dir, 'anew-'));
    const first = await ownCertificate(folder, names);
    const second = await next(folder);
    expect(second.cert).not.toBe(first.cert);
    expect(readFileSync(join(folder, 'certificate.pem'), 'utf8')).toContain(second.cert.trim());
    expect(statSync(join(folder, 'certificate.pem')).mode & 0o077).toBe(0);
  });

  it('says where it cannot be kept', async () => {
    const attempt = ownCertificate(join(file('a-file', ''), 'below'), names);
    await expect(attempt).rejects.toMatchObject({ code: 'edge/config', message: expect.stringContaining('a-file') });
  });
});

describe('a certificate that is given', () => {
  let pems: { cert: string; private: string }[];
  beforeAll(async () => {
    const make = () =>
      generate([{ name: 'commonName', value: 'edge.example' }], { keyType: 'ec', algorithm: 'sha256' });
    pems = [await make(), await make()];
  });

  it('is taken with its key', async () => {
    const certificate = await readCertificate(file('cert.pem', pems[0]!.cert), file('key.pem', pems[0]!.private));
    expect(certifies(certificate, 'edge.example')).toBe(true);
    expect(certificate.notAfter.getTime()).toBeGreaterThan(Date.now());
  });

  it.each([
    ['not there', () => [join(dir, 'none.pem'), file('key.pem', pems[0]!.private)], 'none.pem'],
    ['no certificate', () => [file('text.pem', 'text'), file('key.pem', pems[0]!.private)], 'text.pem'],
    ['without a key that is one', () => [file('cert.pem', pems[0]!.cert), file('nokey.pem', 'text')], 'nokey.pem'],
    ['with another’s key', () => [file('cert.pem', pems[0]!.cert), file('other.pem', pems[1]!.private)], 'other.pem'],
    [
      'with a key that is encrypted',
      () => [
        file('cert.pem', pems[0]!.cert),
        file('secret.pem', '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n'),
      ],
      'decrypt it',
    ],
  ])('%s is refused, naming the file', async (_, files, named) => {
    const [cert, key] = files() as [string, string];
    await expect(readCertificate(cert, key)).rejects.toMatchObject({
      code: 'edge/config',
      message: expect.stringContaining(named),
    });
  });
});
