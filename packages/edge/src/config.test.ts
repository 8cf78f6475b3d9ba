import { MicroturnError } from '@microturn/protocol';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { configOptions, loadConfig } from './config-sources.js';
import { parseConfig, redactConfig, storeFile, type EdgeConfigInput } from './config.js';

const dir = mkdtempSync(join(tmpdir(), 'microturn-config-'));
afterAll(() => rmSync(dir, { recursive: true }));

const secret = 'x'.repeat(32);
function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof MicroturnError && error.code === 'edge/config') return error.message;
    throw error;
  }
  return 'accepted';
}

describe('the configuration', () => {
  it('has a default for everything', () => {
    expect(parseConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 7880,
      dev: false,
      media: { port: 7881 },
      engine: { rows: 32 },
    });
  });

  it('flags win over the environment, and that over the file', () => {
    const file = join(dir, 'a.yaml');
    writeFileSync(file, `port: 1000\nmedia: { port: 1001, listenIp: 127.0.0.9 }\nkeys: { k: ${secret} }\n`);
    const config = loadConfig({
      file,
      env: { MICROTURN_PORT: '2000', MICROTURN_MEDIA_PORT: '2001' },
      flags: { port: '3000' },
    });
    expect(config).toMatchObject({ port: 3000, media: { port: 2001, listenIp: '127.0.0.9' }, keys: { k: secret } });
  });

  it('JSON will do as well', () => {
    const file = join(dir, 'a.json');
    writeFileSync(file, JSON.stringify({ port: 5 }));
    expect(loadConfig({ file, env: {}, flags: {} }).port).toBe(5);
  });

  it('names all options that are wrong', () => {
    const refused = refusal(() => parseConfig({ port: 'x', media: { prot: 1 }, logLevel: 'loud' }));
    for (const name of ['port: ', 'media.prot: there is no such key', 'logLevel: ']) expect(refused).toContain(name);
  });

  it('names the option that is wrong', () => {
    expect(refusal(() => parseConfig({ port: 70_000 }))).toContain('port');
    expect(refusal(() => parseConfig({ media: { prot: 1 } }))).toContain('media.prot');
    expect(refusal(() => parseConfig({ prot: 1 }))).toMatch(/prot: there is no such key$/);
    expect(refusal(() => parseConfig({ keys: { k: 'short' } }))).toContain('32 characters');
    expect(refusal(() => loadConfig({ file: undefined, env: { MICROTURN_PORT: 'eighty' }, flags: {} }))).toContain(
      'port',
    );
    expect(refusal(() => loadConfig({ file: join(dir, 'none.yaml'), env: {}, flags: {} }))).toContain('none.yaml');
  });

  it('listens to this machine alone, unless HTTPS is on or a host is named; media follows', () => {
    const listening = (input: Parameters<typeof parseConfig>[0]) => {
      const { host, media, https } = parseConfig(input);
      return [https.enabled, host, media.listenIp];
    };
    expect(listening({})).toEqual([false, '127.0.0.1', '127.0.0.1']);
    expect(listening({ https: { enabled: true } })).toEqual([true, '0.0.0.0', '0.0.0.0']);
    expect(listening({ https: { cert: 'a.pem', key: 'b.pem' } })).toEqual([true, '0.0.0.0', '0.0.0.0']);
    expect(listening({ https: { enabled: true }, host: '127.0.0.1' })).toEqual([true, '127.0.0.1', '127.0.0.1']);
    expect(listening({ host: '192.0.2.1', media: { listenIp: '192.0.2.2' } })).toEqual([
      false,
      '192.0.2.1',
      '192.0.2.2',
    ]);
    expect(listening({ host: 'localhost' })).toEqual([false, 'localhost', '127.0.0.1']);
    // What it gives can be given to it again.
    const config = parseConfig({ https: { cert: 'a.pem', key: 'b.pem' } });
    expect(parseConfig(config)).toEqual(config);
  });

  it('a certificate without its key is refused, and so is an origin that is none', () => {
    expect(refusal(() => parseConfig({ https: { cert: 'a.pem' } }))).toContain('https: cert and key');
    for (const origin of ['app.example', 'https://app.example/', 'https://App.example', '*', '']) {
      expect(
        refusal(() => parseConfig({ allowedOrigins: [origin] })),
        origin,
      ).toContain('https://app.example');
    }
    const allowedOrigins = [
      'https://app.example',
      'http://localhost:3000',
      'https://192.0.2.1:7880',
      'capacitor://localhost',
    ];
    expect(parseConfig({ allowedOrigins }).allowedOrigins).toEqual(allowedOrigins);
  });

  it('a TURN server needs credentials of one kind, and a URL that is one', () => {
    const refused = (server: object) => refusal(() => parseConfig({ media: { iceServers: [server as never] } }));
    expect(refused({ urls: 'turn:turn.example' })).toContain('needs a secret');
    expect(refused({ urls: 'turn:turn.example', username: 'u' })).toContain('username and credential');
    expect(refused({ urls: 'turn:turn.example', username: 'u', credential: 'c', secret: 's' })).toContain(
      'a secret, or',
    );
    expect(refused({ urls: 'turn:turn.example', secret: 's', ttlSeconds: 1 })).toContain('ttlSeconds');
    for (const urls of ['https://turn.example', 'turn://turn.example', 'turn:', 'turn:x?transport=sctp', []])
      expect(refused({ urls, secret: 's' }), String(urls)).toContain('media.iceServers.0.urls');
    const iceServers = [
      { urls: 'stun:stun.example' },
      { urls: ['turns:[2001:db8::1]:443', 'turn:t?transport=tcp'], secret: 's' },
    ];
    expect(parseConfig({ media: { iceServers } }).media.iceServers[1]).toMatchObject({ secret: 's', ttlSeconds: 3600 });
    expect(JSON.stringify(redactConfig(parseConfig({ media: { iceServers } })))).not.toContain('"s"');
  });

  it('a proxy that is none, a webhook that goes nowhere and one that nobody signs are refused', () => {
    for (const proxy of ['', 'proxy.example', '10.0.0.0/33', '*', 'all'])
      expect(
        refusal(() => parseConfig({ trustedProxies: [proxy] })),
        proxy,
      ).toContain('trustedProxies.0');
    const trusted = ['loopback', 'uniquelocal', '10.0.0.0/8', '192.0.2.1', '2001:db8::/32'];
    expect(parseConfig({ trustedProxies: trusted }).trustedProxies).toEqual(trusted);
    for (const url of ['', 'app.example/hooks', 'ftp://app.example', '/hooks'])
      expect(
        refusal(() => parseConfig({ webhooks: { urls: [url] } })),
        url,
      ).toContain('webhooks.urls.0');
    expect(refusal(() => parseConfig({ webhooks: { key: 'k' } }))).toContain('webhooks.key');
    expect(parseConfig({ keys: { k: secret }, webhooks: { key: 'k' } }).webhooks).toEqual({ urls: [], key: 'k' });
  });

  it('a broken file is refused by name', () => {
    const file = join(dir, 'broken.yaml');
    writeFileSync(file, 'port: [');
    expect(refusal(() => loadConfig({ file, env: {}, flags: {} }))).toContain('broken.yaml');
    writeFileSync(file, '- 1');
    expect(refusal(() => loadConfig({ file, env: {}, flags: {} }))).toContain('mapping');
    writeFileSync(file, 'background: false');
    const env = { MICROTURN_DOCUMENTS: dir };
    expect(refusal(() => loadConfig({ file, env, flags: {} }))).toContain('background: expected a mapping');
  });

  it('never shows a secret, also not in an error', () => {
    expect(JSON.stringify(redactConfig(parseConfig({ keys: { k: secret } })))).not.toContain(secret);
    const model = {
      provider: 'openai-compatible',
      baseUrl: 'http://a/v1',
      model: 'm',
      headers: { authorization: secret },
    };
    expect(JSON.stringify(redactConfig(parseConfig({ llm: { models: { m: model } } })))).not.toContain(secret);
    const mcp = { files: { url: 'http://a/mcp', headers: { authorization: secret } } };
    expect(redactConfig(parseConfig({ background: { mcp } }))).toMatchObject({
      background: { mcp: { files: { url: 'http://a/mcp', headers: { authorization: '(hidden)' } } } },
    });
    expect(refusal(() => loadConfig({ file: undefined, env: { MICROTURN_KEYS: secret }, flags: {} }))).not.toContain(
      secret,
    );
    expect(loadConfig({ file: undefined, env: { MICROTURN_KEYS: `a:${secret}` }, flags: {} }).keys).toEqual({
      a: secret,
    });
  });

  it('takes what is made of several fields from one variable, and shows none of it where it cannot be read', () => {
    const from = (servers: string) =>
      loadConfig({ file: undefined, env: { MICROTURN_ICE_SERVERS: servers }, flags: {} }).media.iceServers;
    expect(from(`[{ urls: ['turn:203.0.113.7:3478?transport=udp'], secret: '${secret}' }]`)).toMatchObject([
      { urls: ['turn:203.0.113.7:3478?transport=udp'], secret },
    ]);
    expect(from(JSON.stringify([{ urls: 'stun:stun.example' }]))).toMatchObject([{ urls: 'stun:stun.example' }]);
    expect(from('')).toEqual([]);
    const unreadable = refusal(() => from(`[{ urls: turn:a, secret: '${secret}`));
    expect([unreadable.includes('MICROTURN_ICE_SERVERS'), unreadable.includes(secret)]).toEqual([true, false]);
    expect(refusal(() => from('turn:turn.example'))).toContain('media.iceServers');
  });

  it('keeps sessions on disk by the port that clients come back to, and in memory where there is none', () => {
    const file = (input: EdgeConfigInput) => storeFile(parseConfig(input));
    expect(file({})).toMatch(/edge-7880.sessions\.db$/);
    expect(file({ store: { folder: '/data' } })).toBe(join('/data', 'sessions.db'));
    expect([file({ port: 0 }), file({ store: { kind: 'memory' } })]).toEqual([undefined, undefined]);
    expect(file({ port: 0, store: { kind: 'disk', folder: '/data' } })).toBe(join('/data', 'sessions.db'));
  });

  it('takes ~/ for the home of its user wherever a file or folder is named', () => {
    const home = (path: string) => join(homedir(), path);
    const config = parseConfig({
      stateFolder: '~/state',
      demo: '~',
      https: { cert: '~/a.pem', key: '/etc/~/a.key' },
      media: { workerBin: '~other/worker' },
      engine: { bundle: '~/nano' },
      store: { folder: '~/calls' },
      background: { documents: '~/notes' },
    });
    expect(config).toMatchObject({
      stateFolder: home('state'),
      demo: homedir(),
      https: { cert: home('a.pem'), key: '/etc/~/a.key' },
      media: { workerBin: '~other/worker' },
      engine: { bundle: home('nano') },
      store: { folder: home('calls') },
      background: { documents: home('notes') },
    });
  });

  it('is what docs/configuration.md says where nothing is said', () => {
    const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
    const block = /```yaml\n([^]*?)```/.exec(page)![1]!;
    expect(parseConfig(parse(block) as EdgeConfigInput)).toEqual(parseConfig({}));
    // What is a comment there can be used as well.
    const all = parse(block.replace(/^( *)# (?=\w+: [^ ]+ #|(cert|key): )/gm, '$1'));
    expect(parseConfig(all as EdgeConfigInput)).toMatchObject({
      host: '127.0.0.1',
      https: { enabled: true },
      recipe: 'ollama',
    });
  });

  it('every option of the table exists', () => {
    const sample = {
      text: 'info',
      number: 1,
      switch: true,
      list: ['https://x'],
      keys: { k: secret },
      yaml: [],
    } as const;
    const special: Record<string, unknown> = {
      'engine.provider': 'webgpu',
      'media.listenIp': '::1',
      trustedProxies: ['10.0.0.0/8', 'loopback'],
      'store.kind': 'disk',
    };
    const pairs: Record<string, object> = { 'https.cert': { 'https.key': 'k' }, 'https.key': { 'https.cert': 'c' } };
    for (const { path, kind } of configOptions) {
      const flags = { ...pairs[path], [path]: special[path] ?? sample[kind] };
      expect(() => loadConfig({ file: undefined, env: {}, flags }), path).not.toThrow();
    }
  });
});
