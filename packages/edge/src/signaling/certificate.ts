import { MicroturnError } from '@microturn/protocol';
import { X509Certificate, createPrivateKey, randomUUID, type KeyObject } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';

/** Browsers take no certificate for longer than 398 days. */
const VALID_DAYS = 397;
/** Left when a certificate of our own is made anew. */
const RENEW_DAYS = 30;
/** A clock of another device may be behind. */
const EARLY_DAYS = 1;
const DAY_MS = 86_400_000;
const FILE = 'certificate.pem';

/** What HTTPS is served with. */
export interface Certificate {
  /** PEM; may hold the chain that leads to an authority. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** Nobody vouches for it, so a browser warns. */
  readonly selfSigned: boolean;
  readonly notAfter: Date;
}

/**
 * Reads a certificate and its key, and checks that they belong together.
 * @throws {MicroturnError} `edge/config`, naming the option and the file
 */
export async function readCertificate(certFile: string, keyFile: string): Promise<Certificate> {
  const [cert, key] = await Promise.all([readPem('https.cert', certFile), readPem('https.key', keyFile)]);
  const x509 = parseX509(cert, certFile);
  const privateKey = parseKey(key, keyFile);
  if (!x509.checkPrivateKey(privateKey))
    throw new MicroturnError('edge/config', `https.key: ${keyFile} is not the key of ${certFile}`);
  const selfSigned = x509.issuer === x509.subject && x509.verify(x509.publicKey);
  return { cert, key, selfSigned, notAfter: new Date(x509.validTo) };
}

/**
 * The edge's own certificate for these names and addresses: made once, kept in `folder` for its user alone, and made
 * anew before it expires or where a name is missing in it.
 * @throws {MicroturnError} `edge/config` where it cannot be kept
 */
export async function ownCertificate(folder: string, names: readonly string[], now = new Date()): Promise<Certificate> {
  const file = join(folder, FILE);
  const kept = await readKept(file);
  if (kept && covers(kept, names, now)) return kept;
  try {
    return await make(file, folder, names, now);
  } catch (cause) {
    throw new MicroturnError('edge/config', `stateFolder: the certificate cannot be kept in ${folder}`, { cause });
  }
}

/** Whether a browser that asks for `name`, a host or an address, is shown what it expects. */
export function certifies({ cert }: Certificate, name: string): boolean {
  const x509 = new X509Certificate(cert);
  return (isIP(name) ? x509.checkIP(name) : x509.checkHost(name)) !== undefined;
}

async function make(file: string, folder: string, names: readonly string[], now: Date): Promise<Certificate> {
  const notAfter = new Date(now.getTime() + VALID_DAYS * DAY_MS);
  // Once in a year, and not for every edge that starts.
  const { generate } = await import('selfsigned');
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'Microturn, self-signed' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(now.getTime() - EARLY_DAYS * DAY_MS),
    notAfterDate: notAfter,
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: names.map((name) => (isIP(name) ? { type: 7, ip: name } : { type: 2, value: name })),
      },
    ],
  });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // One file and one rename, so that no edge that starts at the same time finds a key without its certificate.
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeFile(draft, `${key.trim()}\n${cert.trim()}\n`, { mode: 0o600, flag: 'wx' });
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  return { cert, key, selfSigned: true, notAfter };
}

/** What an earlier start kept; undefined where there is nothing, or nothing to be trusted. */
async function readKept(file: string): Promise<Certificate | undefined> {
  try {
    // Others could read the key, and may have: it is made anew.
    if (process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0) return undefined;
    return await readCertificate(file, file);
  } catch {
    return undefined;
  }
}

function covers(certificate: Certificate, names: readonly string[], now: Date): boolean {
  const leftMs = certificate.notAfter.getTime() - now.getTime();
  return leftMs > RENEW_DAYS * DAY_MS && names.every((name) => certifies(certificate, name));
}

async function readPem(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new MicroturnError('edge/config', `${option}: ${file} cannot be read`, { cause });
  }
}

function parseX509(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new MicroturnError('edge/config', `https.cert: ${file} is no certificate in PEM`, { cause });
  }
}

function parseKey(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    const encrypted = pem.includes('ENCRYPTED');
    const what = encrypted ? 'is encrypted; decrypt it first' : 'is no private key in PEM';
    throw new MicroturnError('edge/config', `https.key: ${file} ${what}`, { cause });
  }
}
