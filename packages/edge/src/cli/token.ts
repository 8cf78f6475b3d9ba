import type { Command } from 'commander';
import { MicroturnError } from '@microturn/protocol';
import { mintJoinToken } from '../signaling/index.js';
import { addConfigOptions, configFrom } from './options.js';

export function addToken(program: Command): void {
  const command = program.command('token').description('mint a token that joins a room');
  addConfigOptions(command)
    .requiredOption('--room <name>', 'the room it is for')
    .requiredOption('--identity <name>', 'who joins with it')
    .option('--ttl <seconds>', 'how long it can be used to join', '3600')
    .action(async (options: { room: string; identity: string; ttl: string }) => {
      const ttlSeconds = Number(options.ttl);
      if (!Number.isFinite(ttlSeconds) || ttlSeconds <= 0)
        throw new MicroturnError('edge/config', '--ttl: expected seconds');
      const { keys } = configFrom(command, process.env);
      console.log(await mintJoinToken(keys, { room: options.room, identity: options.identity, ttlSeconds }));
    });
}
