import type { Command } from 'commander';
import { MicroturnError } from '@microturn/protocol';
import { mintJoinToken, mintServerToken } from '../signaling/index.js';
import { addConfigOptions, configFrom } from './options.js';

interface TokenOptions {
  readonly room?: string;
  readonly identity?: string;
  readonly ttl: string;
  readonly admin?: boolean;
  readonly list?: boolean;
}

export function addToken(program: Command, print: (text: string) => void = console.log): void {
  const command = program
    .command('token')
    .description('mint a token that joins a room, or one for your server: --admin, --list')
    .option('--room <name>', 'the room it is for')
    .option('--identity <name>', 'who joins with it; a token without it joins nothing')
    .option('--admin', 'may do anything in that room: the grant roomAdmin, for say, patch and RoomServiceClient')
    .option('--list', 'may list the rooms: the grant roomList')
    .option('--ttl <seconds>', 'how long it is good', '3600');
  // Only where the keys are: whatever else is configured changes no token.
  addConfigOptions(command, ['keys']).action(async (options: TokenOptions) =>
    print(await mint(configFrom(command, process.env).keys, options)),
  );
}

function mint(keys: Parameters<typeof mintJoinToken>[0], options: TokenOptions): Promise<string> {
  const { room, identity, admin = false, list = false } = options;
  const ttlSeconds = Number(options.ttl);
  if (!Number.isFinite(ttlSeconds) || ttlSeconds <= 0) {
    throw new MicroturnError('edge/config', '--ttl: expected seconds');
  }
  if (room === undefined && (admin || identity !== undefined || !list)) {
    throw new MicroturnError('edge/config', '--room: expected the name of the room it is for');
  }
  const server = { ...(admin && { roomAdmin: true }), ...(list && { roomList: true }) };
  if (identity !== undefined) return mintJoinToken(keys, { room: room!, identity, ttlSeconds, ...server });
  if (!admin && !list) throw new MicroturnError('edge/config', '--identity: expected who joins, or --admin or --list');
  return mintServerToken(keys, { ...server, ...(room !== undefined && { room }) }, ttlSeconds);
}
