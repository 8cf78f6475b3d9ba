import type { Command } from 'commander';
import { randomBytes } from 'node:crypto';

export function addKeys(program: Command): void {
  program
    .command('keys')
    .description('make an API key and its secret')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => {
      const { key, secret } = createKey();
      console.log(options.json ? JSON.stringify({ key, secret }) : `keys:\n  ${key}: ${secret}`);
    });
}

export function createKey(): { key: string; secret: string } {
  return { key: `MT${randomBytes(6).toString('hex')}`, secret: randomBytes(32).toString('base64url') };
}
