import { copyFile, mkdir, readFile, stat } from 'node:fs/promises';
import { request } from 'node:https';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EdgeProcess, microturn } from '../support/edge-process.js';
import { ownAddress } from '../support/own-address.js';
import { SocketClient } from '../support/socket-client.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

let folder: TemporaryFolder;
let edge: EdgeProcess;
let ca: Buffer;
beforeAll(async () => {
  folder = await TemporaryFolder.create();
  edge = await EdgeProcess.start({
    args: ['--https', '--state-folder', folder.path, '--allowed-origins', 'https://app.example'],
  });
  ca = await readFile(folder.file('certificate.pem'));
});
afterAll(async () => {
  await edge?.stop();
  await folder?.[Symbol.asyncDispose]();
});

/** As a client that trusts this certificate and checks the name. */
function ask(url: string, method = 'GET'): Promise<{ status: number | undefined; body: Record<string, string> }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ca, method, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () =>
        resolve({ status: response.statusCode, body: JSON.parse(text) as Record<string, string> }),
      );
    });
    sent.once('error', reject).end();
  });
}

/** The certificate that a server shows. */
function shownBy(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

describe('an edge with a certificate of its own', () => {
  it('is trusted under each of its names by whoever trusts the certificate, and by nobody else', async () => {
    const { port } = new URL(edge.url);
    const own = ownAddress();
    for (const name of ['localhost', '127.0.0.1', ...(own ? [own] : [])]) {
      expect(await ask(`https://${name}:${port}/healthz`), name).toEqual({ status: 200, body: { status: 'ok' } });
    }
    await expect(SocketClient.open(edge.webSocketUrl)).rejects.toThrow(/self-signed/);
    expect((await stat(folder.file('certificate.pem'))).mode & 0o777).toBe(0o600);
  });

  it('gives a token whose address is https, and takes the call over wss', async () => {
    const { body } = await ask(`${edge.url}/dev/token`, 'POST');
    expect(body['server_url']).toBe(edge.url);
    using client = await SocketClient.open(edge.webSocketUrl, { ca });
    const joined = await client.join(body['participant_token']!);
    const candidates = joined.sendTransport.iceCandidates as { ip: string; protocol: string; port: number }[];
    expect(candidates.map(({ protocol, port }) => [protocol, port])).toEqual([
      ['udp', edge.mediaPort],
      ['tcp', edge.mediaPort],
    ]);
    // It listens on every address, and callers are told one that they can reach.
    for (const { ip } of candidates) expect(ip).toBe(ownAddress() ?? '127.0.0.1');
  });

  it('takes pages of the allowed origins, and no others', async () => {
    const open = (origin: string) => SocketClient.open(edge.webSocketUrl, { ca, headers: { origin } });
    (await open('https://app.example')).close();
    for (const origin of ['http://app.example', 'https://app.example:444', 'https://evil.example'])
      await expect(open(origin), origin).rejects.toThrow('403');
  });

  it('shows the same one after a restart', async () => {
    await using again = await EdgeProcess.start({ args: ['--https', '--state-folder', folder.path] });
    expect(await shownBy(again.url)).toBe(await shownBy(edge.url));
  });
});

describe('an edge with a certificate that is given', () => {
  it('shows it, and after SIGHUP the one that took its place', async () => {
    const file = folder.file('given.pem');
    await copyFile(folder.file('certificate.pem'), file);
    await using given = await EdgeProcess.start({ args: ['--cert', file, '--key', file, '--host', '127.0.0.1'] });
    expect(new URL(given.url)).toMatchObject({ protocol: 'https:', hostname: '127.0.0.1' });
    const before = await shownBy(given.url);
    expect(before).toBe(await shownBy(edge.url));

    await mkdir(folder.file('other'));
    await using other = await EdgeProcess.start({ args: ['--https', '--state-folder', folder.file('other')] });
    await copyFile(folder.file('other/certificate.pem'), file);
    process.kill(given.pid, 'SIGHUP');
    await vi.waitFor(async () => expect(await shownBy(given.url)).toBe(await shownBy(other.url)));
    expect(await shownBy(given.url)).not.toBe(before);

    // Another's key beside it: the edge says no, with a code, and what to do.
    const refused = await microturn([
      'start',
      '--dev',
      '--port',
      '0',
      '--media-port',
      '0',
      '--cert',
      folder.file('certificate.pem'),
      '--key',
      file,
    ]);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('(edge/config)') as string });
    expect(refused.stderr).toContain(`${file} is not the key of`);
  });
});
