import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { root } from './lib/root.mjs';

// There may be no Docker where the tests run: what can be said of the files without it.

const read = (file) => readFileSync(join(root, file), 'utf8');
const instructions = read('Dockerfile')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line && !line.startsWith('#'))
  .map((line) => line.trim().split(/\s+/));
const lastStage = instructions.slice(instructions.findLastIndex(([word]) => word === 'FROM'));
const copied = instructions.filter(([word, flag]) => word === 'COPY' && !flag.startsWith('--from'));

describe('the Dockerfile', () => {
  it('has an init that hands signals on and reaps, and Node beneath it', () => {
    const [, ...entry] = lastStage.find(([word]) => word === 'ENTRYPOINT');
    expect(JSON.parse(entry.join(' ')).slice(0, 3)).toEqual(['tini', '--', 'node']);
    expect(lastStage.find(([, ...words]) => words.includes('install'))).toContain('tini');
  });

  it('copies what is there, and what .dockerignore lets through', () => {
    const let_ = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const sources = copied.flatMap((words) => words.slice(1, -1));
    expect(sources.length).toBeGreaterThan(10);
    for (const source of sources) {
      expect(existsSync(join(root, source)), source).toBe(true);
      expect(
        let_.some((path) => source === path || source.startsWith(`${path}/`)),
        `${source} is ignored`,
      ).toBe(true);
    }
  });

  it('has the manifest of every workspace, which the lock is of', () => {
    const { workspaces } = JSON.parse(read('package.json'));
    for (const workspace of workspaces) {
      const folder = workspace.replace('/*', '');
      expect(copied.some((words) => words.slice(1, -1).some((source) => source.startsWith(folder)))).toBe(true);
    }
  });

  it('runs as somebody who is not root, says how it is, and has no compiler', () => {
    const words = lastStage.map(([word]) => word);
    expect(lastStage.find(([word]) => word === 'USER')).toEqual(['USER', 'node']);
    expect(words).toEqual(expect.arrayContaining(['HEALTHCHECK', 'EXPOSE', 'VOLUME', 'STOPSIGNAL']));
    expect(read('docker/healthcheck.mjs')).toContain('/readyz');
    expect(lastStage.flat().join(' ')).not.toMatch(/g\+\+|npm ci|python3/);
    expect(instructions.some((line) => line.join(' ').includes('npm ci --omit=dev'))).toBe(true);
  });
});

/**
 * What Compose makes of a value, from the innermost variable outwards; what is asked for with `:?` and is missing or empty, it refuses to
 * start with.
 */
function interpolate(text, variables) {
  const made = text.replace(/\$\{(\w+)(?:(:[?-])([^${}]*))?\}/g, (whole, name, how, rest) => {
    const value = variables[name] || (how === ':-' ? rest : '');
    expect(value, whole).toBeTruthy();
    return value;
  });
  return made === text ? text : interpolate(made, variables);
}

describe('compose.yaml', () => {
  const { services, volumes } = parse(read('compose.yaml'));

  it('opens the ports that the edge has', () => {
    expect(services.edge.ports).toEqual(['7880:7880/tcp', '7881:7881/udp', '7881:7881/tcp']);
    expect(services.edge.restart).toBe('unless-stopped');
    expect([Object.keys(services), Object.keys(volumes)]).toEqual([['edge'], ['state']]);
  });

  describe('with compose.turn.yaml', () => {
    const { edge, turn } = parse(read('compose.turn.yaml')).services;
    const variables = { ANNOUNCED_ADDRESS: '203.0.113.7', TURN_SECRET: 'n0rth' };

    it('has a TURN server that relays to no private address', () => {
      for (const private_ of ['10.0.0.0', '127.0.0.0', '172.16.0.0', '192.168.0.0', '::ffff:0:0'])
        expect(turn.command.some((flag) => flag.startsWith(`--denied-peer-ip=${private_}`))).toBe(true);
    });

    it('tells callers of it, with the secret that it has', () => {
      const servers = parse(interpolate(edge.environment.MICROTURN_ICE_SERVERS, variables));
      expect(servers).toEqual([
        {
          urls: [expect.stringMatching(/^turn:203\.0\.113\.7:3478\?transport=udp$/), expect.any(String)],
          secret: 'n0rth',
        },
      ]);
      expect(turn.command.map((flag) => interpolate(flag, variables))).toContain('--static-auth-secret=n0rth');
    });

    it('tells them of it by another name, and of IPv6 as it stands in a URL; the server itself has the plain address', () => {
      const ipv6 = { ...variables, ANNOUNCED_ADDRESS: '2001:db8::7', TURN_HOST: '[2001:db8::7]' };
      const [{ urls }] = parse(interpolate(edge.environment.MICROTURN_ICE_SERVERS, ipv6));
      expect(urls).toEqual(['turn:[2001:db8::7]:3478?transport=udp', 'turn:[2001:db8::7]:3478?transport=tcp']);
      expect(turn.command.map((flag) => interpolate(flag, ipv6))).toContain('--external-ip=2001:db8::7');
    });

    it('is not started without a secret, which would let everybody relay', () => {
      for (const text of [edge.environment.MICROTURN_ICE_SERVERS, turn.command.join(' ')])
        expect(text).toMatch(/\$\{TURN_SECRET:\?[^}]+\}/);
    });
  });
});
