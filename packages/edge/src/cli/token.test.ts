import { Command } from 'commander';
import { TokenVerifier } from 'livekit-server-sdk';
import { describe, expect, it } from 'vitest';
import { verifyJoinToken, verifyServerToken } from '../signaling/index.js';
import { addDoctor } from './doctor.js';
import { addKeys } from './keys.js';
import { addStart } from './start.js';
import { addToken } from './token.js';

const secret = 's'.repeat(32);
const keys = { key: secret };

async function token(...args: string[]): Promise<string> {
  const printed: string[] = [];
  const program = new Command('microturn').exitOverride();
  addToken(program, (text) => printed.push(text));
  await program.parseAsync(['node', 'microturn', 'token', '--keys', `key:${secret}`, ...args]);
  expect(printed).toHaveLength(1);
  return printed[0]!;
}

describe('microturn token', () => {
  it('joins a room', async () => {
    const jwt = await token('--room', 'den', '--identity', 'ann', '--ttl', '60');
    const { identity, room, roomAdmin, notBefore, expiresAt } = await verifyJoinToken(jwt, keys);
    expect({ identity, room, roomAdmin }).toEqual({ identity: 'ann', room: 'den', roomAdmin: false });
    expect(expiresAt - notBefore).toBe(60);
  });

  it('--admin is for the HTTP API of a room, and joins nothing', async () => {
    const jwt = await token('--room', 'den', '--admin');
    await verifyServerToken(jwt, keys, { roomAdmin: 'den' });
    expect((await new TokenVerifier('key', secret).verify(jwt)).video).toEqual({ room: 'den', roomAdmin: true });
    await expect(verifyJoinToken(jwt, keys)).rejects.toMatchObject({ code: 'auth/forbidden' });
    await expect(verifyServerToken(jwt, keys, { roomAdmin: 'attic' })).rejects.toMatchObject({
      code: 'auth/forbidden',
    });
  });

  it('--admin with --identity is a participant who administers the room', async () => {
    const jwt = await token('--room', 'den', '--identity', 'chair', '--admin');
    expect(await verifyJoinToken(jwt, keys)).toMatchObject({ identity: 'chair', roomAdmin: true });
  });

  it('--list lists the rooms, and needs none', async () => {
    const jwt = await token('--list');
    await verifyServerToken(jwt, keys, { roomList: true });
    await verifyServerToken(await token('--list', '--admin', '--room', 'den'), keys, { roomAdmin: 'den' });
  });

  it.each([
    [['--admin'], '--room'],
    [['--identity', 'ann'], '--room'],
    [['--room', 'den'], '--identity'],
    [[], '--room'],
    [['--room', 'den', '--identity', 'ann', '--ttl', 'soon'], '--ttl'],
  ])('%j is refused, naming what is missing', async (args, flag) => {
    await expect(token(...args)).rejects.toMatchObject({ code: 'edge/config', message: expect.stringContaining(flag) });
  });
});

describe('--help', () => {
  const help = (name: string) => {
    const program = new Command('microturn');
    for (const add of [addStart, addDoctor, addToken, addKeys]) add(program);
    return program.commands.find((command) => command.name() === name)!.helpInformation();
  };

  it('of token has its own flags, and of the configuration where the keys are', () => {
    const flags = [...help('token').matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => flag);
    expect(flags.sort()).toEqual([
      '--admin',
      '--config',
      '--help',
      '--identity',
      '--keys',
      '--list',
      '--room',
      '--ttl',
    ]);
  });

  it.each(['start', 'doctor'])(
    'of %s has its own flags first, and those of the configuration under a heading',
    (name) => {
      const [own = '', configuration = ''] = help(name).split('\nConfiguration:\n');
      expect(own).toMatch(/Options:\n {2}--\w/);
      expect(own).not.toContain('MICROTURN_');
      expect(configuration.match(/ {2}--\w/g)!.length).toBeGreaterThan(20);
    },
  );
});
