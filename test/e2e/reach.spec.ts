import { expect, test } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { probeIceServer } from '../../packages/edge/src/cli/turn-probe.js';
import { iceServersFor } from '../../packages/edge/src/signaling/ice-servers.js';
import { Caller } from '../call/caller.js';
import { launchChromium } from '../call/chromium.js';
import { MICROPHONE_HZ, toMicrophone } from '../call/microphone-file.js';
import { encodeWav, toInt16 } from '../call/wav.js';
import { compose, speak } from '../fixtures/speech.js';
import { EdgeProcess } from '../support/edge-process.js';
import { ownAddress } from '../support/own-address.js';
import { root } from '../support/root.js';
import { RoughNetwork, hasRoughNetwork } from '../support/rough-network.js';
import { TemporaryFolder } from '../support/temporary-folder.js';
import { TurnServer, hasTurnServer } from '../support/turn-server.js';

const VOICE = { accent: 'en-us', variant: 'f2', rate: 140, pitch: 50 } as const;

test('over HTTPS with its own certificate, a page on the network has a microphone, and the call works', async () => {
  const address = ownAddress();
  test.skip(address === undefined, 'this machine is on no network');
  await using folder = await TemporaryFolder.create();
  await using edge = await EdgeProcess.start({
    args: ['--https', '--state-folder', folder.path, '--demo', join(root, 'examples/demo/dist')],
  });
  const microphone = compose([1_000, await speak('Count the animals. I saw a horse.', VOICE)]);
  const file = folder.file('microphone.wav');
  await writeFile(file, encodeWav([toInt16(toMicrophone(microphone, 2_000).samples)], MICROPHONE_HZ));
  const browser = await launchChromium({ microphoneFile: file });
  try {
    const strict = await browser.newPage();
    const url = edge.url.replace('localhost', address!);
    await expect(strict.goto(`${url}/vanilla/`)).rejects.toThrow('ERR_CERT_AUTHORITY_INVALID');

    // As somebody who has read the warning, and goes on.
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    const sockets: string[] = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    await page.goto(`${url}/vanilla/`);
    expect(await page.evaluate(() => window.isSecureContext)).toBe(true);
    await page.getByRole('button', { name: 'Talk' }).click();
    await expect(page.getByRole('button', { name: 'Hang up' })).toBeVisible({ timeout: 15_000 });
    await expect(page.getByRole('list', { name: 'Transcript' })).toContainText(/You: .*count the animals/i, {
      timeout: 20_000,
    });
    expect(sockets).toEqual([`${url.replace('https', 'wss')}/v1/connect`]);
  } finally {
    await browser.close();
  }
});

/** What the page's media goes over, by the pairs that ICE has chosen. */
function chosenPaths(): Promise<{ protocol: string; candidateType: string }[]> {
  const { connections } = window as unknown as { connections: RTCPeerConnection[] };
  const connected = connections.filter(({ connectionState }) => connectionState === 'connected');
  return Promise.all(
    connected.map(async (connection) => {
      const stats = [...(await connection.getStats()).values()] as Record<string, string>[];
      const transport = stats.find(
        ({ type, selectedCandidatePairId }) => type === 'transport' && selectedCandidatePairId,
      );
      const pair = stats.find(({ id }) => id === transport?.['selectedCandidatePairId']);
      const local = stats.find(({ id }) => id === pair?.['localCandidateId']);
      return { protocol: local?.['protocol'] ?? '', candidateType: local?.['candidateType'] ?? '' };
    }),
  );
}

/** Keeps every connection of the page, made as `policy` says. */
function keepConnections(policy: RTCIceTransportPolicy): void {
  const kept = Object.assign(window, { connections: [] as RTCPeerConnection[] });
  window.RTCPeerConnection = new Proxy(RTCPeerConnection, {
    construct(target, [configuration]: [RTCConfiguration?]) {
      const connection = new target({ ...configuration, iceTransportPolicy: policy });
      kept.connections.push(connection);
      return connection;
    },
  });
}

async function expectToBeHeard(caller: Caller): Promise<void> {
  await caller.until('word', (event) => event.type === 'transcript.word' && event.text === 'horse');
  const { responseId } = await caller.say('I hear you.');
  await caller.until('end', (event) => event.type === 'response.completed' && event.responseId === responseId);
  const heard = caller.eventsOf('response.heard').filter((event) => event.responseId === responseId);
  expect(heard.at(-1)?.heardMs).toBeGreaterThan(200);
}

test('where UDP does not get through, the call goes over TCP', async () => {
  test.skip(!hasRoughNetwork, 'the relay needs a second loopback address, which Linux has');
  await using network = await RoughNetwork.open();
  network.udp.impair({ blocked: true });
  const startedAt = performance.now();
  await using caller = await Caller.open({
    url: network.edge.url,
    room: 'tcp',
    microphone: compose([1_000, await speak('I saw a horse and a goat.', VOICE), 500]),
    loop: true,
    record: false,
    initScript: `(${keepConnections.toString()})('all')`,
  });
  console.log(
    `  connected over TCP after ${Math.round(performance.now() - startedAt)} ms, the browser's start included`,
  );
  await expectToBeHeard(caller);
  const paths = await caller.page.evaluate(chosenPaths);
  expect(paths.map(({ protocol }) => protocol)).toEqual(['tcp', 'tcp']);
  expect(network.tcpBytes).toBeGreaterThan(5_000);
  expect(network.udp.stats.up.delivered).toBe(0);
});

test('where only a TURN server gets through, it relays for the credentials that the edge made', async () => {
  test.skip(!hasTurnServer(), 'coturn is not on this machine');
  const secret = 'north-south-east-west';
  await using turn = await TurnServer.start(secret);
  await using folder = await TemporaryFolder.create();
  const media = { iceServers: [{ urls: turn.url, secret, ttlSeconds: 60 }] };
  await writeFile(folder.file('edge.json'), JSON.stringify({ media }));
  await using edge = await EdgeProcess.start({ args: ['--config', folder.file('edge.json')] });
  await using caller = await Caller.open({
    url: edge.url,
    room: 'turn',
    microphone: compose([1_000, await speak('I saw a horse and a goat.', VOICE), 500]),
    loop: true,
    record: false,
    initScript: `(${keepConnections.toString()})('relay')`,
  });
  await expectToBeHeard(caller);
  const paths = await caller.page.evaluate(chosenPaths);
  expect(paths.map(({ candidateType }) => candidateType)).toEqual(['relay', 'relay']);

  // The doctor finds the same server, and that it does not take another secret.
  const ask = (shared: string) => {
    const [server] = iceServersFor([{ urls: turn.url, secret: shared, ttlSeconds: 60 }], 'doctor');
    return probeIceServer(turn.url, { username: server!.username!, credential: server!.credential! });
  };
  expect(await ask(secret)).toBe('relays, from 127.0.0.1');
  await expect(ask('another')).rejects.toThrow('does not take the credentials');
});

test('over TLS as well, where the TURN server has a certificate', async () => {
  test.skip(!hasTurnServer(), 'coturn is not on this machine');
  await using folder = await TemporaryFolder.create();
  const [cert, key] = [folder.file('turn.pem'), folder.file('turn.key')];
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1'];
  execFileSync('openssl', [...made, '-addext', 'subjectAltName=IP:127.0.0.1', '-out', cert, '-keyout', key], {
    stdio: 'ignore',
  });
  const secret = 'north-south-east-west';
  await using turn = await TurnServer.start(secret, { cert, key });
  const media = { iceServers: [{ urls: turn.url, secret, ttlSeconds: 60 }] };
  await writeFile(folder.file('edge.json'), JSON.stringify({ media }));
  await using edge = await EdgeProcess.start({ args: ['--config', folder.file('edge.json')] });
  await using caller = await Caller.open({
    url: edge.url,
    room: 'turns',
    microphone: compose([1_000, await speak('I saw a horse and a goat.', VOICE), 500]),
    loop: true,
    record: false,
    anyCertificate: true,
    initScript: `(${keepConnections.toString()})('relay')`,
  });
  await expectToBeHeard(caller);
  const paths = await caller.page.evaluate(chosenPaths);
  expect(paths.map(({ candidateType }) => candidateType)).toEqual(['relay', 'relay']);
});

test('over IPv6, where the edge listens there and announces it', async () => {
  const hasIpv6 = Object.values(networkInterfaces()).some((own) => own?.some(({ address }) => address === '::1'));
  test.skip(!hasIpv6, 'this machine has no ::1');
  await using edge = await EdgeProcess.start({ args: ['--host', '::1'] });
  expect(edge.url).toContain('[::1]');
  await using caller = await Caller.open({
    url: edge.url,
    room: 'six',
    microphone: compose([1_000, await speak('I saw a horse and a goat.', VOICE), 500]),
    loop: true,
    record: false,
    initScript: `(${keepConnections.toString()})('all')`,
  });
  await expectToBeHeard(caller);
  const addresses = await caller.page.evaluate(remoteAddresses);
  expect(addresses).toEqual(['::1', '::1']);
});

/** Of the edge, as the page's connections reach it. */
function remoteAddresses(): Promise<string[]> {
  const { connections } = window as unknown as { connections: RTCPeerConnection[] };
  return Promise.all(
    connections
      .filter(({ connectionState }) => connectionState === 'connected')
      .map(async (connection) => {
        const stats = [...(await connection.getStats()).values()] as Record<string, string>[];
        const transport = stats.find(
          ({ type, selectedCandidatePairId }) => type === 'transport' && selectedCandidatePairId,
        );
        const pair = stats.find(({ id }) => id === transport?.['selectedCandidatePairId']);
        const remote = stats.find(({ id }) => id === pair?.['remoteCandidateId']);
        return (remote?.['address'] ?? remote?.['ip'] ?? '').replace(/[[\]]/g, '');
      }),
  );
}
