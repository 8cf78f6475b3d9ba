import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../config.js';
import { checkCertificate } from './check-certificate.js';

const DAY_MS = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'microturn-doctor-'));
const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
const given = parseConfig({ https: { cert, key }, media: { announcedAddress: 'edge.example' } });

beforeAll(async () => {
  const pems = await generate([{ name: 'commonName', value: 'edge.example' }], { keyType: 'ec', algorithm: 'sha256' });
  writeFileSync(cert, pems.cert);
  writeFileSync(key, pems.private);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the doctor’s look at the certificate', () => {
  it('finds none where none is needed, and makes the edge’s own', async () => {
    expect(await checkCertificate(parseConfig({}))).toMatchObject({ status: 'ok' });
    const own = parseConfig({ https: { enabled: true }, stateFolder: join(folder, 'state') });
    expect(await checkCertificate(own)).toMatchObject({ status: 'ok', detail: expect.stringContaining('of its own') });
  });

  it.each([
    [0, 'warn', 'self-signed'],
    [355, 'warn', 'expires on'],
    [400, 'fail', 'expired on'],
  ])('says what becomes of one that is given, in %d days', async (days, status, detail) => {
    const now = new Date(Date.now() + days * DAY_MS);
    expect(await checkCertificate(given, now)).toMatchObject({ status, detail: expect.stringContaining(detail) });
  });

  it('sees that it is for another name, or not its key’s', async () => {
    const other = parseConfig({ https: { cert, key }, media: { announcedAddress: 'other.example' } });
    expect(await checkCertificate(other)).toMatchObject({
      status: 'warn',
      detail: expect.stringContaining('other.example'),
    });
    await expect(checkCertificate(parseConfig({ https: { cert, key: cert } }))).rejects.toMatchObject({
      code: 'edge/config',
    });
  });
});
