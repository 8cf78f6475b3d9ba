import { OpenAiServer } from '@microturn/edge/testing';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EdgeProcess, microturn } from '../support/edge-process.js';
import { SocketClient } from '../support/socket-client.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const start = (...args: string[]) => microturn(['start', '--dev', '--port', '0', '--media-port', '0', ...args]);

/** It does not start, says why with a code, and what to do. */
async function expectRefusal(run: ReturnType<typeof microturn>, code: string, ...named: string[]): Promise<void> {
  const { exitCode, stderr } = await run;
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(`(${code})`) as string });
  expect(stderr).toMatch(/^ {2}fix: .{10}/m);
  for (const name of named) expect(stderr).toContain(name);
}

describe('a port that is in use', () => {
  it('of HTTP is named', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    try {
      await expectRefusal(start('--port', String(port)), 'edge/port-in-use', String(port), '--port');
    } finally {
      other.close();
    }
  });

  it('of media over TCP is named', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    try {
      await expectRefusal(start('--media-port', String(port)), 'edge/port-in-use', String(port), '--media-port');
    } finally {
      other.close();
    }
  });

  it('of media over UDP is named', async () => {
    const other = createSocket('udp4');
    other.bind(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address();
    try {
      await expectRefusal(start('--media-port', String(port)), 'edge/port-in-use', String(port), '--media-port');
    } finally {
      other.close();
    }
  });

  it('of an edge that runs already is named, and that one goes on', async () => {
    await using edge = await EdgeProcess.start();
    using client = await SocketClient.join(edge.webSocketUrl, await edge.token());
    await expectRefusal(start('--port', new URL(edge.url).port), 'edge/port-in-use');
    await expectRefusal(start('--media-port', String(edge.mediaPort)), 'edge/port-in-use');
    await client.until('stats', (message) => message.type === 'stats');
    expect(client.events.filter(({ type }) => type === 'error')).toEqual([]);
  });
});

describe('a worker', () => {
  it('that is not there is named', () =>
    expectRefusal(
      start('--worker-bin', '/no/such/mediasoup-worker'),
      'edge/no-worker',
      '/no/such/mediasoup-worker',
      'MEDIASOUP_WORKER_BIN',
    ));

  it('that is another program is told apart', async () => {
    await using folder = await TemporaryFolder.create();
    const program = folder.file('worker');
    await writeFile(program, '#!/bin/sh\nexit 3\n');
    await chmod(program, 0o755);
    await expectRefusal(start('--worker-bin', program), 'edge/no-worker', 'npm start');
  });

  it('that may not be run is told apart', async () => {
    await using folder = await TemporaryFolder.create();
    const program = folder.file('worker');
    await writeFile(program, 'no program');
    await expectRefusal(start('--worker-bin', program), 'edge/no-worker');
  });
});

describe('a configuration', () => {
  it.each<[name: string, text: string, named: string]>([
    ['with an unknown option', 'prot: 7880', 'prot'],
    ['with a port of text', 'port: many', 'port'],
    ['with a short secret', 'keys: { app: short }', '32'],
    ['that is a list', '- port', 'mapping'],
    ['that is no YAML', 'port: [1', 'config.yaml'],
    ['with rows of -1', 'engine: { rows: -1 }', 'engine.rows'],
  ])('%s is refused, naming it', async (_, text, named) => {
    await using folder = await TemporaryFolder.create();
    await writeFile(folder.file('config.yaml'), text);
    await expectRefusal(microturn(['start', '--dev', '--config', folder.file('config.yaml')]), 'edge/config', named);
  });

  it('that is not there is refused, naming it', () =>
    expectRefusal(microturn(['start', '--config', '/no/such.yaml']), 'edge/config', '/no/such.yaml'));

  it('without keys is refused, unless it is a developer’s', () =>
    expectRefusal(microturn(['start', '--port', '0']), 'edge/config', 'microturn keys'));

  it('never shows a secret, printed or refused', async () => {
    const secret = 'correct-horse-battery-staple-and-more';
    const shown = await microturn(['start', '--print-config'], { MICROTURN_KEYS: `app:${secret}` });
    expect(shown.exitCode).toBe(0);
    expect(JSON.parse(shown.stdout)).toMatchObject({ keys: { app: '(hidden)' }, port: 7880 });
    const wrong = await microturn(['start', '--print-config'], { MICROTURN_KEYS: secret });
    expect(wrong.exitCode).toBe(1);
    for (const { stdout, stderr } of [shown, wrong]) expect(stdout + stderr).not.toContain('horse');
  });

  it('is read from a file, the environment and flags, the later over the earlier', async () => {
    await using folder = await TemporaryFolder.create();
    await writeFile(folder.file('config.yaml'), 'port: 1111\nhost: 127.0.0.2\nlogLevel: warn');
    const { stdout } = await microturn(
      ['start', '--dev', '--print-config', '--config', folder.file('config.yaml'), '--port', '3333'],
      {
        MICROTURN_PORT: '2222',
        MICROTURN_HOST: '127.0.0.3',
      },
    );
    expect(JSON.parse(stdout)).toMatchObject({ port: 3333, host: '127.0.0.3', logLevel: 'warn' });
  });
});

describe('a recipe', () => {
  it('that is named is the one that calls get, and the greeting says what is known of it', async () => {
    const server = await OpenAiServer.start();
    onTestFinished(() => server.close());
    await using folder = await TemporaryFolder.create();
    const llm = { baseUrl: server.url };
    const recipes = { other: { llm: { ...llm, model: 'another' } }, ollama: { llm } };
    await writeFile(folder.file('edge.json'), JSON.stringify({ recipes }));
    await using edge = await EdgeProcess.start({ args: ['--config', folder.file('edge.json'), '--recipe', 'ollama'] });
    expect(await (await fetch(`${edge.url}/v1/recipes`)).json()).toEqual({ recipes: ['ollama', 'other', 'nano'] });
    await vi.waitFor(() => expect(edge.stdout).toContain('Ctrl+C'));
    expect(edge.stdout).toMatch(/recipe +ollama, .*microturn doctor --recipe ollama/);
    using client = await SocketClient.join(edge.webSocketUrl, await edge.token());
    client.send({ type: 'typing', field: 'text', text: 'hello', sent: true });
    await vi.waitFor(() => expect(server.chats[0]?.body.model).toBe('llama3.2'));
  });

  it('that is none is refused, naming those that are', () =>
    expectRefusal(start('--recipe', 'olama'), 'edge/config', 'olama', 'ollama'));
});

describe('the end of an edge', () => {
  it('is told to callers, and is quick and clean', async () => {
    await using edge = await EdgeProcess.start();
    using client = await SocketClient.join(edge.webSocketUrl, await edge.token());
    expect(await edge.stop()).toBe(0);
    const { error } = await client.untilClosed();
    expect(error).toMatchObject({ code: 'edge/draining', retryable: true });
    // The farewell is the last message, and the session's own end comes before it where it comes at all.
    expect(client.messages.at(-1)?.type).toBe('goodbye');
    const problems = edge.stderr.split('\n').filter((line) => /"level":(40|50|60)/.test(line));
    expect(problems).toEqual([]);
  });
});

it('a command that is none, or a flag that is none, is told so', async () => {
  expect((await microturn(['dance'])).exitCode).not.toBe(0);
  expect((await microturn(['start', '--dance'])).stderr).toContain('--dance');
});
