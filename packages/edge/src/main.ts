import { MicroturnError } from '@microturn/protocol';
import { Command } from 'commander';
import { addDoctor } from './cli/doctor.js';
import { addKeys } from './cli/keys.js';
import { addStart } from './cli/start.js';
import { addToken } from './cli/token.js';
import { exitProcess } from './engine/index.js';
import { VERSION } from './version.js';

const program = new Command('microturn')
  .description('A self-hosted edge for live, full-duplex conversation with an interaction model')
  .version(VERSION);
for (const add of [addStart, addDoctor, addToken, addKeys]) add(program);

program.parseAsync().catch((error: unknown) => {
  if (error instanceof MicroturnError) {
    console.error(`microturn: ${error.message} (${error.code})\n  fix: ${error.hint}`);
  } else {
    console.error('microturn:', error);
  }
  exitProcess(1);
});
